"""Machines that mappings are asked for: only those that can be fastest on them are then sought."""

from dataclasses import dataclass

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.mapping.search.fastest import MOST_RATIOS

MOST_ROOMS = 1024
"""Sizes of the buffer: each has bins of its own in a search."""

WIDER = 1e-12
"""Share by which a range of ratios is wider than its ends, so that rounding leaves none out."""


@dataclass(frozen=True, slots=True)
class Asked:
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
    slack: float = 0.0

    def covers(self, rooms: IntArray, ratios: FloatArray) -> bool:
        """Whether all of these machines, given as arrays, are among those asked for."""
        lows, highs = np.array(self.ratios).T
        place = np.searchsorted(lows, ratios, side="right") - 1
        is_known = (place >= 0).all() and (ratios <= highs[place]).all()
        return bool(is_known) and bool(np.isin(rooms, np.array(self.rooms)).all())


def ask_for(rooms: IntArray, ratios: FloatArray, slack: float = 0.0) -> Asked | None:
    """Return what to ask for machines of any of these rooms and ratios; None if rooms are too many.

    Ratios that are too many are asked for in ranges.
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
    return Asked(tuple(sizes.tolist()), spans, slack)
