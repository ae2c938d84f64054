"""What a machine or a user fixes of every mapping: tile sizes, order, unrolling."""

import math
from dataclasses import dataclass, replace
from typing import Any

from dse.errors import DseError
from dse.workload import LOOPS, OPERANDS

Unrolling = tuple[str, ...]
"""The loops that one axis unrolls: one loop, or the loops of a flattened product."""


LARGEST = 2**53
"""Whole numbers above this are not what they say as a float."""

WIDEST = 1e30
"""No quantity of a machine is larger, or smaller than one over it."""


def check_number(
    owner: str, key: str, value: object, *, integer: bool, least: float = 0, most: float = math.inf
) -> None:
    """Raise DseError unless a value is a finite number above `least` and at most `most`."""
    kind = "an integer" if integer else "a number"
    wrong_type = isinstance(value, bool) or not isinstance(value, int if integer else (int, float))
    if wrong_type or not math.isfinite(value) or not least < value <= most:  # type: ignore[arg-type,operator]
        upper = "" if most == math.inf else f" and at most {most:g}"
        raise DseError(f"{owner}.{key} must be {kind} above {least:g}{upper}, got {value!r}")
    if integer and value > LARGEST:  # type: ignore[operator]
        raise DseError(f"{owner}.{key} must be at most 2^53, {LARGEST:,}, got {value!r}")
    if not integer and not 1 / WIDEST <= value <= WIDEST:  # type: ignore[operator]
        raise DseError(f"{owner}.{key} must be from {1 / WIDEST:g} to {WIDEST:g}, got {value!r}")


def check_operands(what: str, operands: tuple[str, ...]) -> None:
    """Raise DseError unless these are operands, each named once."""
    for operand in operands:
        if operand not in OPERANDS:
            raise DseError(f"{what} must name operands of {', '.join(OPERANDS)}, got {operand!r}")
    if len(set(operands)) != len(operands):
        raise DseError(f"{what} must name each operand once, got {list(operands)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What a machine or a user fixes of every mapping; the search is exact within what is left.

    Attributes
    ----------
    min_tile, max_tile
        Least and most tile size of a loop, cut to the loop's bound; equal values fix the tile.
        A loop that is never cut has a least tile as large as any bound.
    stationarity
        The operands that may be kept in place, of those of the machine; all of them if empty.
    order
        All loops, outermost first; free if empty. A loop with one tile does not count.
    unrolled
        For each axis of the array the loops that it unrolls, () for an unused axis, None for a
        free one; all are free if empty.
    pooling_is_fused
        False where an output is written before it is pooled, on a machine that could pool first.
    layers
        Layer name to constraints that replace these for that layer, key by key, tiles by loop.
    """

    min_tile: tuple[tuple[str, int], ...] = ()
    max_tile: tuple[tuple[str, int], ...] = ()
    stationarity: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    unrolled: tuple[Unrolling | None, ...] = ()
    pooling_is_fused: bool | None = None
    layers: tuple[tuple[str, "Constraints"], ...] = ()

    def __post_init__(self) -> None:
        for key in ("min_tile", "max_tile"):
            pairs = getattr(self, key)
            pairs = tuple(sorted(dict(pairs).items(), key=lambda pair: str(pair[0])))
            object.__setattr__(self, key, pairs)
            for loop, size in pairs:
                if loop not in LOOPS:
                    raise DseError(
                        f"constraints.{key} must name loops of {' '.join(LOOPS)}, got {loop!r}"
                    )
                check_number(f"constraints.{key}", loop, size, integer=True)
        most = dict(self.max_tile)
        for loop, size in self.min_tile:
            if size > most.get(loop, size):
                raise DseError(
                    f"constraints.min_tile.{loop} = {size} must be at most "
                    f"constraints.max_tile.{loop} = {most[loop]}"
                )
        self._check_order()

    def _check_order(self) -> None:
        unrolled = (None if loops is None else tuple(loops) for loops in self.unrolled)
        for key, value in (
            ("stationarity", tuple(self.stationarity)),
            ("order", tuple(self.order)),
            ("unrolled", tuple(unrolled)),
            ("layers", tuple(sorted(dict(self.layers).items()))),
        ):
            object.__setattr__(self, key, value)
        check_operands("constraints.stationarity", self.stationarity)
        if self.order and sorted(self.order) != sorted(LOOPS):
            raise DseError(
                f"constraints.order must name each of {' '.join(LOOPS)} once, got "
                f"{' '.join(map(str, self.order))}"
            )

    def overlaid(self, other: "Constraints") -> "Constraints":
        """Return these with what other constraints say in their place; layers are those of self."""
        changes: dict[str, Any] = {
            key: getattr(other, key)
            for key in ("stationarity", "order", "unrolled")
            if getattr(other, key)
        }
        if other.pooling_is_fused is not None:
            changes["pooling_is_fused"] = other.pooling_is_fused
        for key in ("min_tile", "max_tile"):
            changes[key] = tuple({**dict(getattr(self, key)), **dict(getattr(other, key))}.items())
        return replace(self, **changes)

    def of(self, layer_name: str) -> "Constraints":
        """Return what holds for a layer, without `layers`."""
        if not self.layers:
            return self
        general = replace(self, layers=())
        own = dict(self.layers).get(layer_name)
        return general if own is None else general.overlaid(own)
