"""A given mapping, from the plain dict of its YAML or from Python."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dse.checks import check_switch
from dse.config.checks import integer, mapping
from dse.errors import DseError, nearest
from dse.hardware.constraints import Constraints, Unrolling
from dse.mapping.nest.mapping import Mapping as FoundMapping
from dse.workload import LOOPS, OPERANDS

KEYS = ("tile", "stationary", "order", "unrolled", "pooling_is_fused")
HEAD_KEYS = ("name", "source", "layers")


def mapping_from(values: Mapping[str, Any] | FoundMapping | None) -> Constraints:
    """Build what a given mapping fixes; what it leaves out is searched.

    Parameters
    ----------
    values
        ``tile`` (loop to size), ``stationary`` (an operand), ``order`` (all loops, outermost
        first; a list, or a text as in layers.csv), ``unrolled`` (for each axis of the array a
        loop, a list of loops, [] for none or null for a free axis), ``pooling_is_fused`` (false
        where a machine that could pool first does not), and ``layers``, by name the same keys for
        one layer. A mapping that a table gave fixes all of it.

    Raises
    ------
    DseError
        If a key, loop or operand is unknown, or a size is no whole number above 0.
    """
    if isinstance(values, FoundMapping):
        return _found("mapping", values)
    given = mapping("mapping", values or {}, (*KEYS, *HEAD_KEYS))
    layers = given.get("layers") or {}
    if not isinstance(layers, Mapping):
        raise DseError(f"mapping.layers must be a mapping of layer names, got {layers!r}")
    named = (pair for x, one in layers.items() for pair in _by_layer(str(x), one))
    own = {x: _one(f"mapping.layers.{x}", one) for x, one in named}
    return _one("mapping", {x: given[x] for x in KEYS if x in given}, tuple(own.items()))


def _by_layer(name: str, values: object) -> Iterator[tuple[str, object]]:
    """Yield layers and what is given for them; a name with dots is nested on a command line."""
    parts = values if isinstance(values, Mapping) else {}
    is_name = not any("did you mean" in nearest(str(key), KEYS) for key in {*parts} - {*KEYS})
    is_nested = is_name and not {*parts} & {*KEYS}
    if not parts or not is_nested or not all(isinstance(x, Mapping) for x in parts.values()):
        yield name, values
        return
    for key, part in parts.items():
        yield from _by_layer(f"{name}.{key}", part)


def _one(
    what: str, values: object, layers: tuple[tuple[str, Constraints], ...] = ()
) -> Constraints:
    if isinstance(values, FoundMapping):
        return _found(what, values)
    given = mapping(what, values or {}, KEYS)
    sizes = mapping(f"{what}.tile", given.get("tile") or {}, LOOPS)
    tile = tuple(
        (loop, integer(f"{what}.tile.{loop}", size))
        for loop, size in sizes.items()
        if size is not None
    )
    stationary = given.get("stationary")
    if stationary is not None and stationary not in OPERANDS:
        rule = ", ".join(OPERANDS)
        raise DseError(f"{what}.stationary must be one of {rule}, got {stationary!r}")
    fused = given.get("pooling_is_fused")
    if fused is not None:
        check_switch(what, "pooling_is_fused", fused)
    return Constraints(
        pooling_is_fused=fused,
        min_tile=tile,
        max_tile=tile,
        stationarity=() if stationary is None else (stationary,),
        order=order_from(f"{what}.order", given.get("order")),
        unrolled=unrolled_from(f"{what}.unrolled", given.get("unrolled")),
        layers=layers,
    )


def _found(what: str, one: FoundMapping) -> Constraints:
    return _one(what, {"tile": one.tile, "order": one.order, "unrolled": one.axes})


def order_from(what: str, value: object) -> tuple[str, ...]:
    """Return an order of all loops, given as a list or a text; () if none is given."""
    if value is None:
        return ()
    loops = value.split() if isinstance(value, str) else value
    if not isinstance(loops, Sequence) or sorted(map(str, loops)) != sorted(LOOPS):
        raise DseError(f"{what} must name each of {' '.join(LOOPS)} once, got {value!r}")
    return tuple(map(str, loops))


def unrolled_from(what: str, value: object) -> tuple[Unrolling | None, ...]:
    """Return what each axis of the array unrolls; () if nothing is given."""
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise DseError(f"{what} must be a list of loops for each axis of the array, got {value!r}")
    return tuple(_unrolling(what, one) for one in value)


def _unrolling(what: str, value: object) -> Unrolling | None:
    if value is None:
        return None
    loops = [value] if isinstance(value, str) else value
    if not isinstance(loops, Sequence) or any(loop not in LOOPS for loop in loops):
        raise DseError(f"{what} must name loops of {' '.join(LOOPS)}, got {value!r}")
    return tuple(loops)
