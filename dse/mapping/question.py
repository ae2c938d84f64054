"""A question about the mappings of a layer on an array: which are sought, what tells them apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dse.hardware import Accelerator, Transfers
from dse.mapping.operating_points import OperatingPoints

LARGEST = int(np.iinfo(np.int64).max)

FLOORS = (0, 8 * 8192, 8 * 32768)
"""Footprints up to one of these count as equal, so that few distinct answers are stored. [bits]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which mappings are sought; by default all that no other matches or beats.

    Attributes
    ----------
    floor_bits : shape (buffers,) or ()
        Footprints up to which mappings count as equally large in each buffer; none if empty.
    room_bits : shape (buffers,) or ()
        Bits that tiles may take in each buffer; any number if empty.
    is_together
        Whether the bits of all buffers together tell mappings apart, not those of each.
    most_dram_bits, most_cycles
        Bounds of what is sought.
    has_time
        Whether cycles, and first and last bits, tell mappings apart.
    points
        The machines; if given, only mappings that are fastest on one of them are sought.
    transfers
        Of these machines.
    """

    floor_bits: tuple[int, ...] = ()
    room_bits: tuple[int, ...] = ()
    is_together: bool = False
    most_dram_bits: int = LARGEST
    most_cycles: int = LARGEST
    has_time: bool = True
    points: OperatingPoints | None = None
    transfers: Transfers | None = None

    @classmethod
    def above(cls, room_bits: Sequence[int]) -> "Question":
        """Ask for the mappings that can be best on machines of at least these rooms.

        Footprints below the highest of `FLOORS` that the room allows count as equal.
        """
        floor = tuple(max(x for x in FLOORS if x <= max(room, 0)) for room in room_bits)
        return cls(floor_bits=floor if any(floor) else ())

    @classmethod
    def fitting(cls, room_bits: Sequence[int]) -> "Question":
        """Ask for the mappings that fit; their footprints count as equal."""
        return cls(floor_bits=(sum(room_bits),), room_bits=tuple(room_bits), is_together=True)

    @classmethod
    def ties(cls, room_bits: Sequence[int], most_dram_bits: int, most_cycles: int) -> "Question":
        """Ask for the rows of the whole table that fit and exceed neither bound."""
        return cls(
            room_bits=tuple(room_bits), most_dram_bits=most_dram_bits, most_cycles=most_cycles
        )

    @classmethod
    def least_traffic(cls) -> "Question":
        """Ask for the mappings with the least traffic in any size of all buffers together."""
        return cls(floor_bits=(0,), is_together=True, has_time=False)

    @classmethod
    def fastest(cls, points: OperatingPoints, chip: Accelerator) -> "Question":
        """Ask for the mappings that are fastest on machines with the transfers of a chip.

        The fastest of the answer, and of these the one with the least traffic, have the time and
        the traffic of those of the whole table.
        """
        return cls(points=points, transfers=Transfers.of(chip.transfers))

    def on(self, chip: Accelerator) -> "Question":
        """Return the question that is searched for on a chip.

        A machine with a schedule has one mapping for each buffer, and a given order of the loops
        has no search of its own for the fastest mappings.
        """
        if chip.schedule is not None:
            return Question()
        if self.points is not None and chip.constraints.order:
            return Question.above(self.points.rooms[:1])
        return self

    def answered_by(self) -> tuple["Question", ...]:
        """Return the questions whose answers answer this one, too; the whole table always does."""
        if not self.floor_bits or self.is_together:
            return tuple(dict.fromkeys((Question(), self)))
        lower = (tuple(min(bits, most) for bits in self.floor_bits) for most in reversed(FLOORS))
        floors = [floor for floor in dict.fromkeys(lower) if any(floor)]
        return (Question(), *(Question(floor_bits=floor) for floor in floors))
