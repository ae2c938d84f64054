"""The parts of an accelerator: axes of the MAC array, buffers, the DRAM interface."""

from dataclasses import dataclass

from dse.constraints import Unrolling, check_number, check_operands
from dse.errors import DseError
from dse.workload import LOOPS, OPERAND_LOOPS, OPERANDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the MAC array.

    Attributes
    ----------
    size
        MACs along the axis, or the name of the accelerator's parameter that gives it.
    dims
        The choices of the mapper: each the loops that the axis then unrolls, flattened.
    whole_sets
        Whether a product of loops does not straddle: its first loop takes the places that its
        bound needs, the next as many as there are whole copies of that, and so on.
    """

    size: int | str
    dims: tuple[Unrolling, ...]
    whole_sets: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "dims", tuple(tuple(choice) for choice in self.dims))
        if not isinstance(self.size, str):
            check_number("array axis", "size", self.size, integer=True)
        if not isinstance(self.whole_sets, bool):
            raise DseError(f"array axis.whole_sets must be true or false, got {self.whole_sets!r}")
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
class Granule:
    """Weights arrive in multiples along some loops, filled up where a layer has fewer.

    Attributes
    ----------
    size
        The multiple, or the name of the accelerator's parameter that gives it. [elements]
    loops
        Loops of a weight whose product of bounds is rounded up.
    """

    size: int | str
    loops: Unrolling

    def __post_init__(self) -> None:
        object.__setattr__(self, "loops", tuple(self.loops))
        if not isinstance(self.size, str):
            check_number("weight_granules", "size", self.size, integer=True)
        known = [loop for loop in LOOPS if loop in OPERAND_LOOPS["weight"]]
        if not self.loops or any(loop not in known for loop in self.loops):
            raise DseError(
                f"weight_granules.loops must name loops of {' '.join(known)}, "
                f"got {list(self.loops)}"
            )


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
