"""Accelerators from the plain dicts of their YAML files."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dse.config.catalogue import (
    catalogue,
    dram_part_from,
    find_dram_part,
    find_technology,
    technology_from,
)
from dse.config.checks import integer, items, mapping, nearest, number, require, texts
from dse.config.files import REFERENCE
from dse.config.mappings import order_from, unrolled_from
from dse.config.schedules import schedule_from
from dse.errors import DseError
from dse.hardware import PARAMETERS, SWITCHES, Accelerator, Axis, Buffer, Constraints, Dram, Granule
from dse.hardware.dram_rate import gives_rate
from dse.hardware.memory import linked
from dse.workload import LARGEST_BOUND, LOOPS, OPERANDS

__all__ = ["accelerator_from", "catalogue", "dram_part_from", "technology_from"]

SIZES = ("array_rows", "array_columns", "macs", "buffer_bytes")
"""The parameters that `array` and `buffers` may refer to, beside a machine's own."""

UNLIMITED = "unlimited"
"""The bytes of a buffer that bounds no tile."""

WHOLE = "whole"
"""The least tile of a loop that is never cut."""

RULES = ("transfers", "held_in_array", "between_layers")
STRUCTURE = (
    *("array", "buffers", "dram", "weight_granules", "stationarity"),
    *("fill_cycles", "constraints", "schedule", "technology"),
    *("pooling_elements_per_cycle", "launch_s", "array_bits_per_cycle"),
)
KEYS = ("name", "source", *PARAMETERS, *STRUCTURE, *RULES, *SWITCHES)
"""The top-level keys of an accelerator; any other must be a parameter that it refers to."""


def accelerator_from(values: Mapping[str, Any]) -> Accelerator:
    """Build an accelerator from the values of one conf/accelerator YAML.

    Parameters
    ----------
    values
        The plain dict. Array sizes and buffer bytes are numbers, or name a top-level parameter:
        ``array_rows`` or, the same, ``${..array_rows}``. ``dram_part`` and ``technology`` name
        an entry of the catalogue or hold its values. A ``dram_bytes_per_s`` wins over the rate
        of a ``dram_part``, which then gives only the energy of a bit.

    Raises
    ------
    DseError
        If a key is unknown or missing, a value is not of its kind or out of range, a parameter
        is given that nothing refers to, or a DRAM part that nothing would be taken from.
    """
    owner = f"accelerator {values.get('name', '(unnamed)')!r}"
    given = {str(key): value for key, value in values.items() if value is not None}
    require(owner, given, ("name", "clock_hz", "array", "buffers", "technology"))
    array = tuple(_axis(f"{owner}.array[{i}]", x, given) for i, x in items(owner, "array", given))
    buffers = tuple(
        _buffer(f"{owner}.buffers[{i}]", x, given) for i, x in items(owner, "buffers", given)
    )
    granules = _granules(owner, given)
    sizes = (*(a.size for a in array), *(b.bytes for b in buffers), *(x.size for x in granules))
    own = _own_parameters(owner, given, sizes)
    _check_texts(owner, given)
    fields: dict[str, Any] = {
        key: given[key] for key in ("source", *RULES, *SWITCHES) if key in given
    }
    for key in (*SIZES, "dram_channels"):
        if key in given:
            fields[key] = integer(f"{owner}.{key}", given[key])
    if "stationarity" in given:
        fields["stationarity"] = texts(f"{owner}.stationarity", given["stationarity"])
    if "fill_cycles" in given:
        fields["fill_cycles"] = _fill_cycles(f"{owner}.fill_cycles", given["fill_cycles"], given)
    if "pooling_elements_per_cycle" in given:
        what = f"{owner}.pooling_elements_per_cycle"
        fields["pooling_elements_per_cycle"] = number(
            what, given["pooling_elements_per_cycle"], above_zero=True
        )
    if "launch_s" in given:
        fields["launch_s"] = number(f"{owner}.launch_s", given["launch_s"])
    return Accelerator(
        name=str(given["name"]),
        clock_hz=number(f"{owner}.clock_hz", given["clock_hz"], above_zero=True),
        array=array,
        buffers=linked(buffers, _links(f"{owner}.array_bits_per_cycle", given)),
        weight_granules=granules,
        technology=find_technology(given["technology"]),
        parameters=own,
        constraints=_constraints(f"{owner}.constraints", given.get("constraints", {})),
        schedule=schedule_from(f"{owner}.schedule", given.get("schedule")),
        **fields,
        **_dram(owner, given),
    )


def _check_texts(owner: str, given: Mapping[str, Any]) -> None:
    for key in ("source", *RULES):
        if not isinstance(given.get(key, ""), str):
            raise DseError(f"{owner}.{key} must be a text, got {given[key]!r}")


def _size(what: str, value: object, given: Mapping[str, Any]) -> int | str:
    """Return a size: a number, or the name of the parameter that gives it."""
    if not isinstance(value, str):
        return integer(what, value)
    match = REFERENCE.fullmatch(value)
    name = match[1] if match else value
    known = [key for key in given if key in SIZES or key not in KEYS]
    if name not in known:
        raise DseError(
            f"{what} must be a number or name a parameter, got {value!r}{nearest(name, known)}"
        )
    return name


def _fill_cycles(what: str, value: object, given: Mapping[str, Any]) -> int | str:
    """Return the cycles of a pass: a number, 0 too, ``array``, or the name of a parameter."""
    if value == "array":
        return "array"
    if isinstance(value, str):
        return _size(what, value, given)
    return integer(what, value, least=0)


def _axis(what: str, value: object, given: Mapping[str, Any]) -> Axis:
    axis = mapping(what, value, ("size", "dims", "whole_sets"))
    require(what, axis, ("size", "dims"))
    dims = [
        (x,) if isinstance(x, str) else texts(f"{what}.dims", x)
        for _, x in items(what, "dims", axis)
    ]
    size = _size(f"{what}.size", axis["size"], given)
    return Axis(size=size, dims=tuple(dims), whole_sets=axis.get("whole_sets", False))


def _buffer(what: str, value: object, given: Mapping[str, Any]) -> Buffer:
    buffer = mapping(what, value, ("name", "bytes", "holds"))
    require(what, buffer, ("name", "bytes", "holds"))
    size = buffer["bytes"]
    return Buffer(
        name=str(buffer["name"]),
        bytes=None if size == UNLIMITED else _size(f"{what}.bytes", size, given),
        holds=texts(f"{what}.holds", buffer["holds"]),
    )


def _granules(owner: str, given: Mapping[str, Any]) -> tuple[Granule, ...]:
    found = []
    for place, value in items(owner, "weight_granules", {"weight_granules": (), **given}):
        what = f"{owner}.weight_granules[{place}]"
        one = mapping(what, value, ("size", "loops"))
        require(what, one, ("size", "loops"))
        size = _size(f"{what}.size", one["size"], given)
        found.append(Granule(size=size, loops=texts(f"{what}.loops", one["loops"])))
    return tuple(found)


def _links(what: str, given: Mapping[str, Any]) -> dict[str, int]:
    links = mapping(what, given.get("array_bits_per_cycle", {}), OPERANDS)
    return {x: integer(f"{what}.{x}", bits) for x, bits in links.items() if bits is not None}


def _own_parameters(
    owner: str, given: Mapping[str, Any], sizes: tuple[int | str | None, ...]
) -> dict[str, int]:
    """Return the parameters that are not in `PARAMETERS`; each must be referred to."""
    for key in given:
        if key in sizes or (key in KEYS and key not in SIZES):
            continue
        if key in KEYS:
            raise DseError(
                f"{owner}.{key} = {given[key]!r} would change nothing: no size in array and no "
                f"bytes in buffers refer to it"
            )
        raise DseError(f"{owner} has no key {key!r}{nearest(key, KEYS)}")
    return {key: integer(f"{owner}.{key}", given[key]) for key in given if key not in KEYS}


def _constraints(what: str, value: object) -> Constraints:
    given = mapping(what, value, ("min_tile", "max_tile", "order", "unrolled"))
    sizes = {
        key: mapping(f"{what}.{key}", given.get(key) or {}, LOOPS)
        for key in ("min_tile", "max_tile")
    }
    tiles = {
        key: tuple((x, _tile(f"{what}.{key}", x, size)) for x, size in pairs.items())
        for key, pairs in sizes.items()
    }
    return Constraints(
        min_tile=tiles["min_tile"],
        max_tile=tiles["max_tile"],
        order=order_from(f"{what}.order", given.get("order")),
        unrolled=unrolled_from(f"{what}.unrolled", given.get("unrolled")),
    )


def _tile(what: str, loop: str, value: object) -> int:
    """Return a tile size, or that of a loop that is never cut."""
    if value == WHOLE and what.endswith("min_tile"):
        return LARGEST_BOUND
    return integer(f"{what}.{loop}", value)


def _dram(owner: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the interface, and either its part or its rate."""
    known = ("efficiency", "carries", "pj_per_bit", "compression", "kilobyte_bytes")
    values = mapping(f"{owner}.dram", given.get("dram", {}), known)
    fields: dict[str, Any] = {
        key: number(f"{owner}.dram.{key}", values[key], above_zero=True)
        for key in ("efficiency", "pj_per_bit")
        if values.get(key) is not None
    }
    if "carries" in values:
        fields["holds"] = texts(f"{owner}.dram.carries", values["carries"])
    if values.get("kilobyte_bytes") is not None:
        what = f"{owner}.dram.kilobyte_bytes"
        fields["kilobyte_bytes"] = integer(what, values["kilobyte_bytes"])
    what = f"{owner}.dram.compression"
    packed = mapping(what, values.get("compression") or {}, ("input", "output"))
    ratios = {x: number(f"{what}.{x}", ratio, above_zero=True) for x, ratio in packed.items()}
    dram = Dram(**fields, compression=tuple(ratios.items()))
    part = find_dram_part(given["dram_part"]) if "dram_part" in given else None
    if not gives_rate(given):
        return {"dram": dram, "dram_part": part}
    rate = number(f"{owner}.dram_bytes_per_s", given["dram_bytes_per_s"], above_zero=True)
    if part is not None and dram.pj_per_bit is not None:
        raise DseError(
            f"{owner}.dram_part = {part.name!r} would change nothing: dram_bytes_per_s and "
            f"dram.pj_per_bit are given; set both to null, or dram_part to null"
        )
    if part is not None:
        dram = replace(dram, pj_per_bit=part.pj_per_bit.value)
    return {"dram": dram, "dram_bytes_per_s": rate}
