"""Accelerators: the machine that a workload runs on (DESIGN.md section 3)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from dse.errors import DseError
from dse.technology import DramPart, Technology
from dse.workload import LOOPS, OPERANDS

TRANSFERS = ("overlapped", "double_buffered", "serial")

Unrolling = tuple[str, ...]
"""The loops that one axis unrolls: one loop, or the loops of a flattened product."""


def _check_number(
    owner: str, key: str, value: object, *, integer: bool, least: float = 0, most: float = math.inf
) -> None:
    kind = "an integer" if integer else "a number"
    wrong_type = isinstance(value, bool) or not isinstance(value, int if integer else (int, float))
    if wrong_type or not math.isfinite(value) or not least < value <= most:  # type: ignore[arg-type,operator]
        upper = "" if most == math.inf else f" and at most {most:g}"
        raise DseError(f"{owner}.{key} must be {kind} above {least:g}{upper}, got {value!r}")


def _check_operands(what: str, operands: tuple[str, ...]) -> None:
    for operand in operands:
        if operand not in OPERANDS:
            raise DseError(f"{what} must name operands of {', '.join(OPERANDS)}, got {operand!r}")
    if len(set(operands)) != len(operands):
        raise DseError(f"{what} must name each operand once, got {list(operands)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the MAC array.

    Attributes
    ----------
    size
        MACs along the axis, or the name of the accelerator's parameter that gives it.
    dims
        The choices of the mapper: each the loops that the axis then unrolls, flattened.
    """

    size: int | str
    dims: tuple[Unrolling, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "dims", tuple(tuple(choice) for choice in self.dims))
        if not isinstance(self.size, str):
            _check_number("array axis", "size", self.size, integer=True)
        if not self.dims:
            raise DseError("array axis.dims must name at least one loop, got none")
        for choice in self.dims:
            for loop in choice:
                if loop not in LOOPS:
                    raise DseError(
                        f"array axis.dims must name loops of {' '.join(LOOPS)}, got {loop!r}"
                    )
            if not choice or len(set(choice)) != len(choice):
                raise DseError(f"array axis.dims must not repeat a loop, got {list(choice)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """One on-chip memory between the DRAM and the array.

    Attributes
    ----------
    bytes
        Capacity, or the name of the accelerator's parameter that gives it. [bytes]
    holds
        The operands that are kept in it.
    """

    name: str
    bytes: int | str
    holds: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "holds", tuple(self.holds))
        if not isinstance(self.bytes, str):
            _check_number(f"buffer {self.name!r}", "bytes", self.bytes, integer=True)
        _check_operands(f"buffer {self.name!r}.holds", self.holds)
        if not self.holds:
            raise DseError(f"buffer {self.name!r}.holds must name at least one operand, got none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dram:
    """The DRAM interface.

    Attributes
    ----------
    efficiency
        Share of the peak rate that is delivered. (0, 1]
    carries
        The operands that use this DRAM; the others cost it nothing.
    pj_per_bit
        Energy of a transferred bit; the part's own if None. [pJ/bit]
    """

    efficiency: float = 1.0
    carries: tuple[str, ...] = OPERANDS
    pj_per_bit: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "carries", tuple(self.carries))
        _check_number("dram", "efficiency", self.efficiency, integer=False, most=1)
        _check_operands("dram.carries", self.carries)
        if self.pj_per_bit is not None:
            _check_number("dram", "pj_per_bit", self.pj_per_bit, integer=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What a machine or a user fixes of every mapping; the search is exact within what is left.

    Attributes
    ----------
    min_tile, max_tile
        Least and most tile size of a loop, cut to the loop's bound; equal values fix the tile.
        A loop that is never cut has a least tile as large as any bound.
    """

    min_tile: tuple[tuple[str, int], ...] = ()
    max_tile: tuple[tuple[str, int], ...] = ()

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
                _check_number(f"constraints.{key}", loop, size, integer=True)
        most = dict(self.max_tile)
        for loop, size in self.min_tile:
            if size > most.get(loop, size):
                raise DseError(
                    f"constraints.min_tile.{loop} = {size} must be at most "
                    f"constraints.max_tile.{loop} = {most[loop]}"
                )


PARAMETERS = (
    "array_rows",
    "array_columns",
    "macs",
    "buffer_bytes",
    "dram_part",
    "dram_channels",
    "dram_bytes_per_s",
    "clock_hz",
)
"""The named parameters: overrides, knobs of a space and columns of designs bear these names."""


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """A machine: a MAC array, on-chip buffers, a DRAM interface, and its rules.

    Attributes
    ----------
    clock_hz
        Clock of the array. [Hz]
    array
        Axes of the MAC array; their sizes may be names of parameters.
    buffers
        On-chip memories; each operand is held by exactly one.
    array_rows, array_columns, macs, buffer_bytes, dram_channels, dram_bytes_per_s
        Parameters; ``dram_bytes_per_s`` is the peak rate, that of ``dram_part`` times
        ``dram_channels`` unless given. [MACs, bytes, bytes/s]
    parameters
        Further parameters that ``array`` and ``buffers`` refer to, by name.
    transfers
        How transfers and computation overlap: see `TRANSFERS` and DESIGN.md section 3.
    stationarity
        The operands that the mapper may keep in place.
    held_in_array, fill_cycles
        The operand that an array pass holds, and the cycles added for each pass.
    padding_is_computed, halo_is_kept, partial_rows_are_fetched
        Rules of DESIGN.md section 4.

    Raises
    ------
    DseError
        If a value is outside its range, a reference has no parameter, an operand is held by no
        buffer or by several, or the DRAM rate is missing or given twice.
    """

    name: str
    clock_hz: float
    array: tuple[Axis, ...]
    buffers: tuple[Buffer, ...]
    technology: Technology
    dram: Dram = Dram()
    array_rows: int | None = None
    array_columns: int | None = None
    macs: int | None = None
    buffer_bytes: int | None = None
    dram_part: DramPart | None = None
    dram_channels: int = 1
    dram_bytes_per_s: float | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    transfers: str = "double_buffered"
    stationarity: tuple[str, ...] = OPERANDS
    held_in_array: str = "weight"
    fill_cycles: int | str = 0
    padding_is_computed: bool = True
    halo_is_kept: bool = True
    partial_rows_are_fetched: bool = False
    constraints: Constraints = Constraints()
    source: str = ""

    def __post_init__(self) -> None:
        owner = f"accelerator {self.name!r}"
        for key in ("array", "buffers", "stationarity"):
            object.__setattr__(self, key, tuple(getattr(self, key)))
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        _check_number(owner, "clock_hz", self.clock_hz, integer=False)
        for key in ("array_rows", "array_columns", "macs", "buffer_bytes", "dram_channels"):
            if getattr(self, key) is not None:
                _check_number(owner, key, getattr(self, key), integer=True)
        for key, value in self.parameters.items():
            _check_number(owner, key, value, integer=True)
        self._check_rules(owner)
        self._check_references(owner)
        self._check_dram(owner)

    def _check_rules(self, owner: str) -> None:
        if self.transfers not in TRANSFERS:
            rule = ", ".join(TRANSFERS)
            raise DseError(f"{owner}.transfers must be one of {rule}, got {self.transfers!r}")
        _check_operands(f"{owner}.stationarity", self.stationarity)
        if not self.stationarity:
            raise DseError(f"{owner}.stationarity must name at least one operand, got none")
        if self.held_in_array not in OPERANDS:
            raise DseError(
                f"{owner}.held_in_array must be one of {', '.join(OPERANDS)}, "
                f"got {self.held_in_array!r}"
            )
        if self.fill_cycles != "array":
            _check_number(owner, "fill_cycles", self.fill_cycles, integer=True, least=-1)
        for key in ("padding_is_computed", "halo_is_kept", "partial_rows_are_fetched"):
            if not isinstance(getattr(self, key), bool):
                raise DseError(f"{owner}.{key} must be true or false, got {getattr(self, key)!r}")

    def _check_references(self, owner: str) -> None:
        if not self.array:
            raise DseError(f"{owner}.array must have at least one axis, got none")
        for axis in self.array:
            self.number(axis.size, f"{owner}.array size")
        for buffer in self.buffers:
            self.number(buffer.bytes, f"{owner}.buffers {buffer.name!r} bytes")
        names = [buffer.name for buffer in self.buffers]
        if len(set(names)) != len(names):
            raise DseError(f"{owner}.buffers must have names of their own, got {names}")
        for operand in OPERANDS:
            holders = [buffer.name for buffer in self.buffers if operand in buffer.holds]
            if len(holders) != 1:
                raise DseError(
                    f"{owner}.buffers must hold each operand in exactly one buffer, "
                    f"{operand} is held by {holders or 'none'}"
                )

    def _check_dram(self, owner: str) -> None:
        if self.dram_bytes_per_s is not None:
            _check_number(owner, "dram_bytes_per_s", self.dram_bytes_per_s, integer=False)
        if (self.dram_bytes_per_s is None) == (self.dram_part is None):
            raise DseError(
                f"{owner} must have either dram_part or dram_bytes_per_s, "
                f"got {'both' if self.dram_part else 'neither'}"
            )

    def number(self, reference: int | str, what: str) -> int:
        """Return a size: a number, or the value of the parameter that it names.

        Raises
        ------
        DseError
            If the parameter has no value; the message begins with `what`.
        """
        if not isinstance(reference, str):
            return reference
        value = self.parameters.get(reference)
        if value is None and reference in ("array_rows", "array_columns", "macs", "buffer_bytes"):
            value = getattr(self, reference)
        if value is None:
            raise DseError(f"{what} refers to {reference!r}, which is not a parameter with a value")
        return value

    @property
    def axis_sizes(self) -> tuple[int, ...]:
        """MACs along each axis."""
        return tuple(self.number(axis.size, "array size") for axis in self.array)

    @property
    def num_macs(self) -> int:
        """MACs of the array: the product of its axes."""
        return math.prod(self.axis_sizes)

    @property
    def buffer_sizes_bytes(self) -> tuple[int, ...]:
        """Capacity of each buffer, in the order of `buffers`. [bytes]."""
        return tuple(self.number(buffer.bytes, "buffer bytes") for buffer in self.buffers)

    @property
    def usable_buffer_bits(self) -> tuple[int, ...]:
        """Bits of each buffer that tiles may take: half, rounded down, if double buffered."""
        share = 2 if self.transfers == "double_buffered" else 1
        return tuple(8 * size // share for size in self.buffer_sizes_bytes)

    @property
    def peak_dram_bytes_per_s(self) -> float:
        """Peak rate of all channels, before the efficiency. [bytes/s]."""
        if self.dram_bytes_per_s is not None:
            return float(self.dram_bytes_per_s)
        assert self.dram_part is not None  # _check_dram: one of the two is given
        return self.dram_part.bytes_per_s * self.dram_channels

    @property
    def fill_cycles_per_pass(self) -> int:
        """Cycles added for each array pass; ``array`` means the sum of the axis sizes."""
        return sum(self.axis_sizes) if isinstance(self.fill_cycles, str) else self.fill_cycles

    def with_parameters(self, **values: object) -> "Accelerator":
        """Return the machine with other values of its parameters.

        Raises
        ------
        DseError
            If a name is not a parameter of this accelerator, or a value is out of range.
        """
        own = {key: value for key, value in values.items() if key in self.parameters}
        named = {key: value for key, value in values.items() if key not in own}
        for key in named:
            if key not in PARAMETERS:
                known = ", ".join((*PARAMETERS, *self.parameters))
                raise DseError(f"accelerator {self.name!r} has no parameter {key!r}; has {known}")
        if "dram_part" in named and named["dram_part"] is not None:
            named.setdefault("dram_bytes_per_s", None)
        elif named.get("dram_bytes_per_s") is not None:
            named.setdefault("dram_part", None)
        merged = {**self.parameters, **own}
        return replace(self, parameters=merged, **named)  # type: ignore[arg-type]
