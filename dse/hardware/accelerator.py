"""Accelerators: the machine that a workload runs on (dse/docs/model.md#machine)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from dse.errors import DseError
from dse.frozen import FrozenDict
from dse.hardware.array import Axis, Granule
from dse.hardware.constraints import Constraints, Unrolling
from dse.hardware.dram_rate import gives_part, gives_rate, with_one
from dse.hardware.memory import UNLIMITED_BYTES, Bits, Dram, Memory, linked, usable_bits
from dse.hardware.rules import check_machine
from dse.hardware.schedule import Schedule
from dse.shown import short_repr
from dse.technology import DramPart, Technology
from dse.workload import OPERANDS

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
        Memories on the chip; each operand is held by exactly one.
    dram
        The outermost memory.
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
        computed, or a ``sum`` until it is finished, through all its tiles of ``c fy fx``. Cycles
        may be ``array``, the sum of its axes, or the parameter that sizes one of them.
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
    between_layers
        What may stay on the chip between layers: ``none``, or whole ``tensors``; see
        dse/docs/between-layers.md.
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
    buffers: tuple[Memory, ...]
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
    padding_is_computed: bool = True
    halo_is_kept: bool = True
    partial_rows_are_fetched: bool = False
    pooling_is_fused: bool = False
    additions_are_fused: bool = False
    pooling_elements_per_cycle: float | None = None
    launch_s: float = 0.0
    weight_granules: tuple[Granule, ...] = ()
    constraints: Constraints = field(default_factory=Constraints)
    between_layers: str = "none"
    schedule: Schedule | None = None
    source: str = ""

    __repr__ = short_repr

    def __post_init__(self) -> None:
        for key in ("array", "buffers", "stationarity", "weight_granules"):
            object.__setattr__(self, key, tuple(getattr(self, key)))
        object.__setattr__(self, "parameters", FrozenDict(self.parameters))
        check_machine(self)

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
    def memories(self) -> tuple[Memory, ...]:
        """All memories, the DRAM, which is the outermost, last."""
        return (*self.buffers, self.dram)

    @property
    def array_bits_per_cycle(self) -> Bits:
        """Operand to the bits that pass between its buffer and the array; see `Memory`."""
        return tuple(sorted(x for buffer in self.buffers for x in buffer.array_bits_per_cycle))

    def with_links(self, bits: Mapping[str, int] | Iterable[tuple[str, int]]) -> "Accelerator":
        """Return the machine with these links, operand to bits, between buffers and array."""
        return replace(self, buffers=linked(self.buffers, dict(bits)))

    def capacity_bytes(self, memory: Memory, what: str = "buffer bytes") -> int:
        """Return the bytes of a memory, `UNLIMITED_BYTES` if nothing bounds it."""
        return UNLIMITED_BYTES if memory.bytes is None else self.number(memory.bytes, what)

    @property
    def buffer_sizes_bytes(self) -> tuple[int, ...]:
        """Capacity of each buffer, in the order of `buffers`. [bytes]."""
        return tuple(self.capacity_bytes(buffer) for buffer in self.buffers)

    @property
    def on_chip_bytes(self) -> int:
        """Capacity of all buffers but unlimited ones, which no area stands for. [bytes]."""
        limited = (buffer for buffer in self.buffers if buffer.bytes is not None)
        return sum(self.capacity_bytes(buffer) for buffer in limited)

    @cached_property
    def granules(self) -> tuple[tuple[Unrolling, int], ...]:
        """Loops of the weights that are rounded up together, and to multiples of what."""
        each = self.weight_granules
        return tuple((x.loops, self.number(x.size, "weight_granules size")) for x in each)

    @property
    def usable_buffer_bits(self) -> tuple[int, ...]:
        """Bits of each buffer that tiles may take; see `dse.hardware.memory.usable_bits`."""
        return tuple(usable_bits(size, self.transfers) for size in self.buffer_sizes_bytes)

    @property
    def peak_dram_bytes_per_s(self) -> float:
        """Peak rate of all channels, before the efficiency. [bytes/s]."""
        if self.dram_bytes_per_s is not None:
            return float(self.dram_bytes_per_s)
        assert self.dram_part is not None  # a rule of the machine: one of the two is given
        return self.dram_part.bytes_per_s * self.dram_channels

    @property
    def dram_unit(self) -> float:
        """Bytes that pass for each byte of the peak rate: 1.024 where a source's kB are KiB."""
        return self.dram_unit_of({})

    def dram_unit_of(self, columns: Mapping[str, object]) -> float:
        """Return the same of designs that columns make of the machine: a part has plain bytes."""
        own = {"dram_bytes_per_s": self.dram_bytes_per_s}
        is_rate = gives_rate(columns) or (gives_rate(own) and not gives_part(columns))
        return self.dram.kilobyte_bytes / 1000 if is_rate else 1.0

    @property
    def dram_rate_bytes_per_s(self) -> float:
        """Bytes that pass each second: peak rate times efficiency and unit. [bytes/s]."""
        return self.peak_dram_bytes_per_s * self.dram.efficiency * self.dram_unit

    @property
    def fill_cycles_per_pass(self) -> int:
        """Cycles added for each array pass; ``array`` means the sum of the axis sizes."""
        if self.fill_cycles == "array":
            return sum(self.axis_sizes)
        return self.number(self.fill_cycles, "fill_cycles")

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
        merged = {**self.parameters, **own}
        return replace(self, parameters=merged, **with_one(named))  # type: ignore[arg-type]
