"""Memories of an accelerator: buffers on the chip, and the DRAM."""

from dataclasses import dataclass

from dse.checks import check_number
from dse.errors import DseError
from dse.hardware.operands import check_operands
from dse.workload import OPERANDS


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
            check_number(f"buffer {self.name!r}", "bytes", self.bytes, integer=True)
        check_operands(f"buffer {self.name!r}.holds", self.holds)
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
    compression
        Operand to the bits that a value which is not zero takes in the DRAM, in its own bits: 4/3
        where three values of 16 bits share a word of 64 with the runs of zeros between them. Zeros
        (`Layer.input_zeros`, `Layer.output_zeros`) then take none. What would grow stays plain.
    kilobyte_bytes
        Bytes in the kilobyte that ``dram_bytes_per_s`` is counted in: 1024 where the source of a
        machine takes GB/s as 10^6 KiB/s, else 1000. A DRAM part's rate is in plain bytes always.
    """

    efficiency: float = 1.0
    carries: tuple[str, ...] = OPERANDS
    pj_per_bit: float | None = None
    compression: tuple[tuple[str, float], ...] = ()
    kilobyte_bytes: int = 1000

    def __post_init__(self) -> None:
        object.__setattr__(self, "carries", tuple(self.carries))
        check_number("dram", "efficiency", self.efficiency, integer=False, most=1)
        check_operands("dram.carries", self.carries)
        object.__setattr__(self, "compression", tuple(sorted(dict(self.compression).items())))
        for operand, ratio in self.compression:
            if operand not in ("input", "output"):
                raise DseError(f"dram.compression must name input or output, got {operand!r}")
            check_number("dram.compression", operand, ratio, integer=False)
        if self.kilobyte_bytes not in (1000, 1024):
            raise DseError(f"dram.kilobyte_bytes must be 1000 or 1024, got {self.kilobyte_bytes!r}")
        if self.pj_per_bit is not None:
            check_number("dram", "pj_per_bit", self.pj_per_bit, integer=False)
