"""Designs as columns: what of each design its costs depend on, without an object for each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.arrays import FloatArray, IntArray, parts_of
from dse.checks import LARGEST
from dse.cost.area import area_mm2
from dse.cost.energy import UNNAMED_DRAM_PJ_PER_BIT, dram_pj_per_bit
from dse.cost.price import UNNAMED_DRAM_USD_PER_BYTES_PER_S, die_usd, dram_usd
from dse.errors import DseError, nearest
from dse.hardware import PARAMETERS, Accelerator
from dse.hardware.dram_rate import gives_part, gives_rate
from dse.hardware.memory import UNLIMITED_BYTES, usable_bits
from dse.technology import Catalogue, Technology

Columns = Mapping[str, NDArray[Any]]

NAMED = ("dram_part", "technology")
"""Columns of names of the catalogue; all others are numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What of each design its costs depend on, arrays of shape (designs,).

    Attributes
    ----------
    axis_sizes : for each axis of the array
        MACs along it.
    room_bits : for each buffer
        Bits that tiles may take.
    rate_bytes_per_s, peak_bytes_per_s, clock_hz
        DRAM rate times efficiency and unit, and before them; clock.
    mac_pj, dram_pj_per_bit, leakage_w
        Of an 8-bit MAC, of a transferred bit; power of the area.
    area_mm2, cost_usd
        Of the chip without its DRAM interface; of the die and the DRAM.
    """

    axis_sizes: tuple[IntArray, ...]
    room_bits: tuple[IntArray, ...]
    rate_bytes_per_s: FloatArray
    peak_bytes_per_s: FloatArray
    clock_hz: FloatArray
    mac_pj: FloatArray
    dram_pj_per_bit: FloatArray
    leakage_w: FloatArray
    area_mm2: FloatArray
    cost_usd: FloatArray

    @property
    def ratio(self) -> FloatArray:
        """Clock over eight times the DRAM rate. [cycles/bit]."""
        return self.clock_hz / (8 * self.rate_bytes_per_s)


def machines_of(
    accelerator: Accelerator, columns: Columns, catalogue: Catalogue, *, mac_scale: float
) -> Machines:
    """Return the machines that columns of parameters make of an accelerator.

    Parameters
    ----------
    accelerator
        The machine that is varied.
    columns : name to array of shape (designs,)
        As for `dse.evaluation.model.design_costs`; ``batch`` is not looked at.
    catalogue
        What the names of DRAM parts and technologies mean.
    mac_scale
        Area of a MAC relative to one of 8 by 8 bits.

    Raises
    ------
    DseError
        If a column is not a parameter, or a value is unknown or out of range.
    """
    varied = {name: column for name, column in columns.items() if name != "batch"}
    size = len(next(iter(columns.values())))
    _check(accelerator, varied, catalogue)
    numbers = {name: np.asarray(varied[name]) for name in varied if name not in NAMED}

    def whole(reference: int | str) -> IntArray:
        """Return a parameter of the designs, of shape () where they share it."""
        known = reference in numbers
        value = numbers[str(reference)] if known else accelerator.number(reference, "accelerator")
        return np.asarray(value).astype(np.int64, copy=False)

    sizes = [whole(axis.size) for axis in accelerator.array]
    if float(np.max(prod(size.astype(np.float64) for size in sizes))) > LARGEST:
        raise DseError(f"designs must have at most 2^53, {LARGEST:,} MACs")
    limited = {x.name: whole(x.bytes) for x in accelerator.buffers if x.bytes is not None}
    unlimited = np.asarray(UNLIMITED_BYTES)
    buffers = [limited.get(buffer.name, unlimited) for buffer in accelerator.buffers]
    peak, picojoules, dram_price = _dram(accelerator, varied, catalogue, size)
    num_macs, num_bytes = np.asarray(prod(sizes)), np.asarray(sum(limited.values()))
    chip = _silicon(accelerator, varied, catalogue, num_macs, num_bytes, size, mac_scale)
    clock = numbers.get("clock_hz", np.asarray(accelerator.clock_hz))
    return Machines(
        axis_sizes=tuple(np.broadcast_to(one, size) for one in sizes),
        room_bits=tuple(
            np.broadcast_to(usable_bits(x, accelerator.transfers), size) for x in buffers
        ),
        rate_bytes_per_s=peak * accelerator.dram.efficiency * accelerator.dram_unit_of(varied),
        peak_bytes_per_s=peak,
        clock_hz=np.broadcast_to(clock.astype(np.float64, copy=False), size),
        mac_pj=chip["mac_pj"],
        dram_pj_per_bit=picojoules,
        leakage_w=chip["leakage_w"],
        area_mm2=chip["area_mm2"],
        cost_usd=chip["die_usd"] + dram_price,
    )


def varied_chip(
    accelerator: Accelerator, values: Mapping[str, Any], catalogue: Catalogue
) -> Accelerator:
    """Return an accelerator with other values of its parameters, names looked up.

    Raises
    ------
    DseError
        If a name or a value is not allowed.
    """
    changed = dict(values)
    if "dram_part" in changed:
        name = changed["dram_part"]
        if name not in catalogue.dram_parts:
            raise DseError(f"dram_part {name!r} is unknown{nearest(name, catalogue.dram_parts)}")
        changed["dram_part"] = catalogue.dram_parts[name]
        accelerator = replace(accelerator, dram=replace(accelerator.dram, pj_per_bit=None))
    if "technology" in changed:
        name = changed.pop("technology")
        if name not in catalogue.technologies:
            raise DseError(f"technology {name!r} is unknown{nearest(name, catalogue.technologies)}")
        accelerator = replace(accelerator, technology=catalogue.technologies[name])
    return accelerator.with_parameters(**changed)


def plain(value: Any) -> Any:
    """Return a value of a column as Python has it, whole numbers as int."""
    own = value.item() if isinstance(value, np.generic) else value
    is_whole = isinstance(own, float) and own.is_integer() and abs(own) < 2**53
    return int(own) if is_whole else own


def _check(accelerator: Accelerator, columns: Columns, catalogue: Catalogue) -> None:
    """Build a machine of the extreme values of each column: it says what is wrong."""
    known = (*PARAMETERS, *accelerator.parameters, "batch", "technology")
    for name in columns:
        if name not in known:
            raise DseError(f"designs have no column {name!r}{nearest(str(name), known)}")
    first = {name: plain(column[0]) for name, column in columns.items()}
    if "technology" in columns:
        _check_clocks(accelerator, columns, catalogue)
    for name, column in columns.items():
        for value in _telling(name, np.asarray(column)):
            varied_chip(accelerator, {**first, name: plain(value)}, catalogue)


def _check_clocks(accelerator: Accelerator, columns: Columns, catalogue: Catalogue) -> None:
    """Check the fastest clock on each of several nodes."""
    clock = np.broadcast_to(
        columns.get("clock_hz", accelerator.clock_hz), len(columns["technology"])
    )
    names, place = _by_name(columns["technology"])
    for number, name in enumerate(names):
        if name in catalogue.technologies:
            fastest = float(clock[place == number].max())
            catalogue.technologies[name].check_clock("designs: clock_hz", fastest)


def _telling(name: str, column: NDArray[Any]) -> list[Any]:
    """Return values of a column that stand for all: names, extremes, what is not whole."""
    if name in NAMED or column.dtype == object or column.dtype.kind in "USb":
        return list(dict.fromkeys(column.tolist()))
    telling = [column.min(), column.max()]  # NaN is both
    if column.dtype.kind == "f":
        parts = (column[part] for part in parts_of(len(column)))
        broken = (part[part != np.floor(part)] for part in parts)
        telling += next(([x[0]] for x in broken if len(x)), [])
    return telling


def _by_name(column: NDArray[Any]) -> tuple[list[str], IntArray]:
    """Return the different names of a column, and which of them each design has."""
    numbers: dict[str, int] = {}
    place = np.fromiter(
        (numbers.setdefault(name, len(numbers)) for name in column.tolist()), np.int64, len(column)
    )
    return list(numbers), place


def _dram(
    accelerator: Accelerator, columns: Columns, catalogue: Catalogue, size: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return peak rate, energy of a bit and price of the DRAM, each of shape (designs,)."""
    own = accelerator.dram.pj_per_bit
    channels = np.asarray(columns.get("dram_channels", accelerator.dram_channels), np.float64)
    part = accelerator.dram_part
    if gives_rate(columns):
        rate = np.asarray(columns["dram_bytes_per_s"], np.float64)
        each = np.full(size, UNNAMED_DRAM_PJ_PER_BIT.value if own is None else own)
        return rate, each, rate * UNNAMED_DRAM_USD_PER_BYTES_PER_S.value
    if gives_part(columns):
        names, place = _by_name(columns["dram_part"])
        parts = [catalogue.dram_parts[name] for name in names]
        rate = np.array([float(x.bytes_per_s) for x in parts])[place] * channels
        price = np.array([x.usd.value for x in parts])[place] * channels
        return rate, np.array([x.pj_per_bit.value for x in parts])[place], price
    each = np.full(size, dram_pj_per_bit(accelerator))
    if part is None:
        rate = np.full(size, accelerator.peak_dram_bytes_per_s)
        return rate, each, np.full(size, dram_usd(accelerator))
    many = np.broadcast_to(channels, size)
    return part.bytes_per_s * many, each, part.usd.value * many


def _silicon(
    accelerator: Accelerator,
    columns: Columns,
    catalogue: Catalogue,
    macs: IntArray,
    buffer_bytes: IntArray,
    size: int,
    scale: float,
) -> dict[str, FloatArray]:
    """Return what follows from the node: area, price of the die, energy of a MAC, leakage."""
    nodes: list[Technology] = [accelerator.technology]
    place = np.broadcast_to(0, size)
    if "technology" in columns:
        names, place = _by_name(columns["technology"])
        nodes = [catalogue.technologies[name] for name in names]
    found = {name: np.empty(size) for name in ("area_mm2", "die_usd", "mac_pj", "leakage_w")}
    for part in parts_of(size):
        for number, node in enumerate(nodes):
            here = part if len(nodes) == 1 else part.start + np.flatnonzero(place[part] == number)
            own_macs, own_bytes = (x[here] if x.ndim else x for x in (macs, buffer_bytes))
            area = area_mm2(own_macs, own_bytes, node, scale=scale)
            found["area_mm2"][here] = area
            found["die_usd"][here] = die_usd(area, node)
            found["mac_pj"][here] = node.mac_pj.value
            found["leakage_w"][here] = node.leakage_w_per_mm2.value * area
    return found


def machines_of_one(accelerator: Accelerator, mac_scale: float) -> Machines:
    """Return one accelerator as machines; see `machines_of`."""
    return machines_of(
        accelerator,
        {"clock_hz": np.array([accelerator.clock_hz])},
        Catalogue(dram_parts={}, technologies={}),
        mac_scale=mac_scale,
    )
