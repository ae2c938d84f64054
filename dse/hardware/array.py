"""The MAC array: its axes, and the granules that weights arrive in."""

from dataclasses import dataclass

from dse.checks import check_number, check_switch
from dse.errors import DseError
from dse.hardware.constraints import Unrolling
from dse.workload import LOOPS, OPERAND_LOOPS


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
        check_switch("array axis", "whole_sets", self.whole_sets)
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
