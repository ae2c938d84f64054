"""Memories of an accelerator: those on the chip, and the DRAM, the outermost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from dse.arrays import IntArray
from dse.checks import check_names, check_number
from dse.errors import DseError
from dse.workload import OPERANDS

UNLIMITED_BYTES = 2**53
"""Stands for the bytes of a memory that bounds no tile: more than any tile takes."""

Sizes = TypeVar("Sizes", int, IntArray)

Bits = tuple[tuple[str, int], ...]
"""Operands and bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One memory: what it keeps, how much of it, and what passes between it and the next one in.

    Attributes
    ----------
    bytes
        Capacity, or the name of the accelerator's parameter that gives it; None if unlimited.
        [bytes]
    holds
        The operands that are kept in it.
    array_bits_per_cycle
        Operand to the bits that pass between this memory and the array: ``weight``, those of a tile
        before its MACs, ``output``, its partial sums, in and out while it computes, and ``input``,
        once for each of a tile's array steps along k, while it computes. Any number passes where
        nothing is said. Modelled of memories on the chip.
    compression
        Operand to the bits that a value which is not zero takes in it, in its own bits: 4/3 where
        three values of 16 bits share a word of 64 with the runs of zeros between them. Zeros
        (`Layer.input_zeros`, `Layer.output_zeros`) then take none. What would grow stays plain.
        Modelled of the DRAM.
    pj_per_bit
        Energy of a transferred bit, if it is not that of a part. Modelled of the DRAM: energy of
        memories on the chip is in that of a MAC. [pJ/bit]

    Raises
    ------
    DseError
        If a value is outside its range.
    """

    name: str
    holds: tuple[str, ...]
    bytes: int | str | None = None
    array_bits_per_cycle: Bits = ()
    compression: tuple[tuple[str, float], ...] = ()
    pj_per_bit: float | None = None

    def __post_init__(self) -> None:
        for key in ("array_bits_per_cycle", "compression"):
            object.__setattr__(self, key, tuple(sorted(dict(getattr(self, key)).items())))
        object.__setattr__(self, "holds", tuple(self.holds))
        if isinstance(self, Dram):
            return
        if self.bytes is not None and not isinstance(self.bytes, str):
            check_number(f"buffer {self.name!r}", "bytes", self.bytes, integer=True)
        check_names(f"buffer {self.name!r}.holds", self.holds, OPERANDS, "operand")
        if not self.holds:
            raise DseError(f"buffer {self.name!r}.holds must name at least one operand, got none")
        for key in ("compression", "pj_per_bit"):
            if getattr(self, key):
                raise DseError(
                    f"buffer {self.name!r}.{key} would change nothing: it is modelled of the DRAM"
                )


Buffer = Memory
"""The word of configurations, ``buffers``, for a memory on the chip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dram(Memory):
    """The outermost memory: unlimited, and behind an interface of a rate.

    What it does not hold stays on the chip from layer to layer. In configurations ``dram.carries``
    are the operands that it holds.

    Attributes
    ----------
    efficiency
        Share of the peak rate that is delivered. (0, 1]
    kilobyte_bytes
        Bytes in the kilobyte that ``dram_bytes_per_s`` is counted in: 1024 where the source of a
        machine takes GB/s as 10^6 KiB/s, else 1000. A DRAM part's rate is in plain bytes always.
    """

    name: str = "dram"
    holds: tuple[str, ...] = OPERANDS
    efficiency: float = 1.0
    kilobyte_bytes: int = 1000

    def __post_init__(self) -> None:
        Memory.__post_init__(self)
        check_number("dram", "efficiency", self.efficiency, integer=False, most=1)
        check_names("dram.carries", self.holds, OPERANDS, "operand")
        for key in ("bytes", "array_bits_per_cycle"):
            if getattr(self, key):
                raise DseError(f"dram.{key} would change nothing: the DRAM is unlimited and afar")
        for operand, ratio in self.compression:
            if operand not in ("input", "output"):
                raise DseError(f"dram.compression must name input or output, got {operand!r}")
            check_number("dram.compression", operand, ratio, integer=False)
        if self.kilobyte_bytes not in (1000, 1024):
            raise DseError(f"dram.kilobyte_bytes must be 1000 or 1024, got {self.kilobyte_bytes!r}")
        if self.pj_per_bit is not None:
            check_number("dram", "pj_per_bit", self.pj_per_bit, integer=False)


def usable_bits(capacity_bytes: Sizes, transfers: str) -> Sizes:
    """Return the bits of a memory that tiles may take: half, rounded down, if double buffered.

    Parameters
    ----------
    capacity_bytes : int, or array of integers of any shape
        Capacity. [bytes]
    transfers
        How transfers and computation overlap; a key of `dse.hardware.transfers`.
    """
    return 8 * capacity_bytes // copies_of_a_tile(transfers)


def copies_of_a_tile(transfers: str) -> int:
    """Return how many tiles have room of their own: two if double buffered, else one."""
    return 2 if transfers == "double_buffered" else 1


def linked(buffers: Iterable[Memory], bits: Mapping[str, int]) -> tuple[Memory, ...]:
    """Return memories with these links to the array, each at the memory that holds the operand."""
    check_names("array_bits_per_cycle", tuple(bits), OPERANDS, "operand")
    return tuple(
        replace(
            buffer,
            array_bits_per_cycle=tuple((x, bits[x]) for x in bits if x in buffer.holds),
        )
        for buffer in buffers
    )
