"""The machines of a space as operating points: buffer sizes, and ratios of clock to DRAM rate.

Only mappings that are fastest at one of these points are then sought.
"""

from dataclasses import dataclass

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.compiling import compiled
from dse.cost.time import DEFAULT_SLACK

MOST_RATIOS = 31
"""Ranges of ratios: a box of a search has a bit for each, set while the box is open there."""

MOST_ROOMS = 1024
"""Sizes of the buffer: each has bins of its own in a search."""

WIDER = 1e-12
"""Share by which a range of ratios is wider than its ends, so that rounding leaves none out."""


@dataclass(frozen=True, slots=True)
class OperatingPoints:
    """Machines with one shared buffer, whose mappings minimise the time of each layer.

    Attributes
    ----------
    rooms
        What tiles may take of the buffer, ascending. [bits]
    ratios
        Least and most clock over eight times the DRAM rate, disjoint and ascending. [cycles/bit]
    slack
        Share of the least latency that a mapping may lose to move fewer bits.
    """

    rooms: tuple[int, ...]
    ratios: tuple[tuple[float, float], ...]
    slack: float = DEFAULT_SLACK

    @classmethod
    def of(
        cls, rooms: IntArray, ratios: FloatArray, slack: float = DEFAULT_SLACK
    ) -> "OperatingPoints | None":
        """Return the points of machines of any of these rooms and ratios; None if too many rooms.

        More than `MOST_RATIOS` ratios become as many ranges.
        """
        sizes = np.unique(rooms)
        if len(sizes) > MOST_ROOMS:
            return None
        single = np.unique(ratios)
        parts = np.zeros(len(single), dtype=np.int64)
        if len(single) <= MOST_RATIOS:
            parts = np.arange(len(single))
        else:
            place = np.log(single / single[0]) / np.log(single[-1] / single[0])
            parts = np.minimum(place * MOST_RATIOS, MOST_RATIOS - 1).astype(np.int64)
        ranges = [single[parts == part] for part in np.unique(parts)]
        spans = tuple((float(x[0] * (1 - WIDER)), float(x[-1] * (1 + WIDER))) for x in ranges)
        return cls(tuple(sizes.tolist()), spans, slack)

    def covers(self, rooms: IntArray, ratios: FloatArray) -> bool:
        """Whether all of these machines, given as arrays, are among the points."""
        lows, highs = np.ascontiguousarray(np.array(self.ratios).T)
        sizes = np.array(self.rooms)
        return bool(_are_within(ratios, lows, highs) and _are_within(rooms, sizes, sizes))


@compiled
def _are_within(
    values: IntArray | FloatArray, lows: IntArray | FloatArray, highs: IntArray | FloatArray
) -> bool:
    """Whether each value is in one of some ranges, which are disjoint and ascend."""
    is_within = True
    for value in values:
        place, count = 0, len(lows)
        while count > 1:  # a choice without a branch: values come in any order
            half = count // 2
            place = place + half if lows[place + half] <= value else place
            count -= half
        is_within &= (lows[place] <= value) & (value <= highs[place])
    return is_within
