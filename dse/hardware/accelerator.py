"""Accelerators: the machine that a workload runs on (dse/docs/model.md#machine)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from dse.checks import LARGEST, WIDEST, check_number
from dse.errors import DseError
from dse.frozen import FrozenDict
from dse.hardware.array import Axis, Granule
from dse.hardware.constraints import Constraints, Unrolling
from dse.hardware.memory import Buffer, Dram
from dse.hardware.operands import check_operands
from dse.hardware.schedule import Schedule
from dse.hardware.transfers import TRANSFERS
from dse.technology import DramPart, Technology
from dse.workload import OPERAND_LOOPS, OPERANDS

HELD = {operand: OPERAND_LOOPS[operand] for operand in OPERANDS} | {"sum": OPERAND_LOOPS["output"]}
"""What an array pass may hold, and the loops of which it holds one step."""

SWITCHES = (
    *("padding_is_computed", "halo_is_kept", "partial_rows_are_fetched"),
    *("pooling_is_fused", "additions_are_fused"),
)
"""The rules of a machine that are true or false."""

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
        How transfers and computation overlap: see `TRANSFERS` and dse/docs/model.md#time.
    stationarity
        The operands that the mapper may keep in place.
    held_in_array, fill_cycles
        What an array pass holds, and the cycles added for each pass: an operand while a tile is
        computed, or a ``sum`` until it is finished, through all its tiles of ``c fy fx``.
    array_bits_per_cycle
        Operand to the bits that pass between its buffer and the array: ``weight``, those of a tile
        before its MACs, ``output``, its partial sums, in and out while it computes, and ``input``,
        once for each of a tile's array steps along k, while it computes. Any number passes where
        nothing is said.
    padding_is_computed, halo_is_kept, partial_rows_are_fetched
        Rules of dse/docs/model.md#mapping.
    pooling_is_fused, additions_are_fused
        Whether pooling, or an addition, that follows a layer with MACs is done before its output is
        written; see `dse.network.fusion`.
    pooling_elements_per_cycle
        Elements of its windows that pooling of its own compares or adds; no limit by default.
    launch_s
        Time added to each run of a layer, a recurrent step too: the launch of a kernel. [s]
    weight_granules
        Whole tiles of the array that weights arrive in, each loop in at most one; none by default.
    schedule
        Rules of the machine's own that fix traffic and cycles of each layer; the mapper's choice
        if None.

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
    dram: Dram = field(default_factory=Dram)
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
    array_bits_per_cycle: tuple[tuple[str, int], ...] = ()
    padding_is_computed: bool = True
    halo_is_kept: bool = True
    partial_rows_are_fetched: bool = False
    pooling_is_fused: bool = False
    additions_are_fused: bool = False
    pooling_elements_per_cycle: float | None = None
    launch_s: float = 0.0
    weight_granules: tuple[Granule, ...] = ()
    constraints: Constraints = field(default_factory=Constraints)
    schedule: Schedule | None = None
    source: str = ""

    def __post_init__(self) -> None:
        owner = f"accelerator {self.name!r}"
        for key in ("array", "buffers", "stationarity", "weight_granules"):
            object.__setattr__(self, key, tuple(getattr(self, key)))
        links = tuple(sorted(dict(self.array_bits_per_cycle).items()))
        object.__setattr__(self, "array_bits_per_cycle", links)
        object.__setattr__(self, "parameters", FrozenDict(self.parameters))
        check_number(owner, "clock_hz", self.clock_hz, integer=False)
        for key in ("array_rows", "array_columns", "macs", "buffer_bytes", "dram_channels"):
            if getattr(self, key) is not None:
                check_number(owner, key, getattr(self, key), integer=True)
        for key, value in self.parameters.items():
            check_number(owner, key, value, integer=True)
        self._check_rules(owner)
        self._check_references(owner)
        self._check_dram(owner)
        if self.schedule is not None:
            self._check_schedule(owner)

    def _check_rules(self, owner: str) -> None:
        if self.transfers not in TRANSFERS:
            rule = ", ".join(TRANSFERS)
            raise DseError(f"{owner}.transfers must be one of {rule}, got {self.transfers!r}")
        check_operands(f"{owner}.stationarity", self.stationarity)
        if not self.stationarity:
            raise DseError(f"{owner}.stationarity must name at least one operand, got none")
        if self.held_in_array not in HELD:
            raise DseError(
                f"{owner}.held_in_array must be one of {', '.join(HELD)}, "
                f"got {self.held_in_array!r}"
            )
        if self.fill_cycles != "array":
            check_number(owner, "fill_cycles", self.fill_cycles, integer=True, least=-1)
        for key in SWITCHES:
            if not isinstance(getattr(self, key), bool):
                raise DseError(f"{owner}.{key} must be true or false, got {getattr(self, key)!r}")
        self._check_overheads(owner)

    def _check_overheads(self, owner: str) -> None:
        rate = self.pooling_elements_per_cycle
        if rate is not None:
            check_number(owner, "pooling_elements_per_cycle", rate, integer=False)
        is_time = not isinstance(self.launch_s, bool) and isinstance(self.launch_s, (int, float))
        if not is_time or not 0 <= self.launch_s <= WIDEST:
            raise DseError(
                f"{owner}.launch_s must be a number from 0 to {WIDEST:g}, got {self.launch_s!r}"
            )
        for operand, bits in self.array_bits_per_cycle:
            check_operands(f"{owner}.array_bits_per_cycle", (operand,))
            check_number(f"{owner}.array_bits_per_cycle", operand, bits, integer=True)

    def _check_references(self, owner: str) -> None:
        if not self.array:
            raise DseError(f"{owner}.array must have at least one axis, got none")
        self._check_size(owner)
        self._check_steps_of_k(owner)
        self._check_steps_of_sums(owner)
        rounded = [loop for loops, _ in self.granules for loop in loops]
        if len(set(rounded)) < len(rounded):
            raise DseError(f"{owner}.weight_granules must name each loop once, got {rounded}")
        self._check_constraints(owner)
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

    def _check_size(self, owner: str) -> None:
        """Check that the array has a number of MACs."""
        for axis in self.array:
            self.number(axis.size, f"{owner}.array size")
        if self.num_macs > LARGEST:
            raise DseError(
                f"{owner}.array must have at most 2^53, {LARGEST:,} MACs, got {self.num_macs:,}"
            )

    def _check_steps_of_k(self, owner: str) -> None:
        """Check that k has steps of its own if the input, which passes for each, is limited."""
        if "input" not in dict(self.array_bits_per_cycle):
            return
        straddling = (loops for x in self.array if not x.whole_sets for loops in x.dims)
        for loops in straddling:
            if len(loops) > 1 and "k" in loops:
                raise DseError(
                    f"{owner}.array must not flatten k with other loops, but in whole_sets, where "
                    f"array_bits_per_cycle names input, which passes for each step of k, got "
                    f"[{','.join(loops)}]"
                )

    def _check_steps_of_sums(self, owner: str) -> None:
        """Check that sums have steps of their own if a pass holds them until they are finished."""
        if self.held_in_array != "sum":
            return
        own = HELD["sum"]
        for loops in (loops for x in self.array if not x.whole_sets for loops in x.dims):
            if own & set(loops) and not own >= set(loops):
                raise DseError(
                    f"{owner}.array must not flatten loops of the output with c, fy or fx, but in "
                    f"whole_sets, where held_in_array is sum, got [{','.join(loops)}]"
                )

    def _check_constraints(self, owner: str) -> None:
        own = self.constraints
        for one in (own, *(layer for _, layer in own.layers)):
            for operand in one.stationarity:
                if operand not in self.stationarity:
                    raise DseError(
                        f"{owner}.constraints.stationarity must be of {list(self.stationarity)}, "
                        f"which the machine may keep in place, got {operand!r}"
                    )
            self.check_unrolled(f"{owner}.constraints.unrolled", one.unrolled)

    def check_unrolled(self, what: str, unrolled: tuple[Unrolling | None, ...]) -> None:
        """Raise DseError unless these are choices of the axes, one for each, or none at all."""
        if unrolled and len(unrolled) != len(self.array):
            raise DseError(
                f"{what} must have one item for each of the {len(self.array)} axes of the array, "
                f"got {len(unrolled)}"
            )
        for axis, loops in zip(self.array, unrolled, strict=False):
            if loops and loops not in axis.dims:
                choices = ", ".join(f"[{','.join(x)}]" for x in axis.dims)
                raise DseError(
                    f"{what} must be of the choices of each axis, {choices}, or [] for none, got "
                    f"[{','.join(loops)}]"
                )

    def _check_schedule(self, owner: str) -> None:
        """Check that a schedule contradicts no other rule of the machine."""
        if self.transfers == "double_buffered":
            raise DseError(
                f"{owner}.transfers must be overlapped or serial with a schedule, which says what "
                f"of the buffer is free, got 'double_buffered'"
            )
        unused = {"fill_cycles": 0, "weight_granules": (), "array_bits_per_cycle": ()}
        for key, none in unused.items():
            if getattr(self, key) != none:
                raise DseError(
                    f"{owner}.{key} would change nothing with a schedule, which has rules of its "
                    f"own for that, got {getattr(self, key)!r}"
                )
        if not any({"input", "weight"} <= set(buffer.holds) for buffer in self.buffers):
            held = [list(buffer.holds) for buffer in self.buffers]
            raise DseError(
                f"{owner}.buffers must hold input and weight in one buffer with a schedule, got "
                f"{held}"
            )

    def _check_dram(self, owner: str) -> None:
        if self.dram_bytes_per_s is not None:
            check_number(owner, "dram_bytes_per_s", self.dram_bytes_per_s, integer=False)
        if (self.dram_bytes_per_s is None) == (self.dram_part is None):
            raise DseError(
                f"{owner} must have either dram_part or dram_bytes_per_s, "
                f"got {'both' if self.dram_part else 'neither'}"
            )

    def for_layer(self, name: str) -> "Accelerator":
        """Return the machine as the constraints of one layer leave it."""
        own = self.constraints.of(name)
        if own is self.constraints and not own.stationarity:
            return self
        kept = own.stationarity or self.stationarity
        stationarity = tuple(x for x in self.stationarity if x in kept)
        own = replace(own, stationarity=())
        return replace(self, stationarity=stationarity, constraints=own)

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

    @cached_property
    def axis_sizes(self) -> tuple[int, ...]:
        """MACs along each axis."""
        return tuple(self.number(axis.size, "array size") for axis in self.array)

    @cached_property
    def num_macs(self) -> int:
        """MACs of the array: the product of its axes."""
        return math.prod(self.axis_sizes)

    @property
    def buffer_sizes_bytes(self) -> tuple[int, ...]:
        """Capacity of each buffer, in the order of `buffers`. [bytes]."""
        return tuple(self.number(buffer.bytes, "buffer bytes") for buffer in self.buffers)

    @cached_property
    def granules(self) -> tuple[tuple[Unrolling, int], ...]:
        """Loops of the weights that are rounded up together, and to multiples of what."""
        each = self.weight_granules
        return tuple((x.loops, self.number(x.size, "weight_granules size")) for x in each)

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
    def dram_unit(self) -> float:
        """Bytes that pass for each byte of the peak rate: 1.024 where a source's kB are KiB."""
        return self.dram.kilobyte_bytes / 1000 if self.dram_bytes_per_s is not None else 1.0

    @property
    def dram_rate_bytes_per_s(self) -> float:
        """Bytes that pass each second: peak rate times efficiency and unit. [bytes/s]."""
        return self.peak_dram_bytes_per_s * self.dram.efficiency * self.dram_unit

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
        values = {
            key: value.tolist() if hasattr(value, "tolist") else value  # NumPy's numbers
            for key, value in values.items()
        }
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
