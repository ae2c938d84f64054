"""Designs that share an array in parts, and as queries in the order of a look-up."""

from collections.abc import Iterator
from itertools import pairwise
from math import ceil

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.evaluation.counting_sort import sorted_by_key, sorted_by_room, starts_of
from dse.evaluation.design_columns import Machines
from dse.evaluation.time_of_designs import Queries
from dse.mapping.search.ratio_buckets import buckets
from dse.processors import num_workers

FEWEST_DESIGNS = 4096
"""Designs from which on a second thread pays."""

MOST_TOGETHER = 2**15
"""Designs that a thread looks up together at most: what it reads of them stays in the cache."""


def parts_of_designs(
    machines: Machines, designs: IntArray, *, is_fastest: bool
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Yield designs that are looked up together, in the order of their buckets of ratios.

    With them the first of each bucket, and the ratios of the buckets, as in `Queries`.
    """
    starts, ratios = np.array([0, len(designs)]), np.zeros((2, 1))
    if is_fastest:
        bucket, ratios = buckets(machines.rate_bytes_per_s[designs], machines.clock_hz[designs])
        starts = starts_of(bucket, ratios.shape[1])
        designs = sorted_by_key(bucket, designs, starts)
    parts = num_workers() if len(designs) >= FEWEST_DESIGNS else 1
    if len(machines.room_bits) == 1:  # with more, mappings join anew in many rooms of each part
        parts = max(parts, ceil(len(designs) / MOST_TOGETHER))
    ends = np.linspace(0, len(designs), parts + 1).astype(np.int64)
    for first, end in pairwise(ends.tolist()):
        here = np.clip(starts, first, end) - first
        is_here = np.diff(here) > 0
        own = np.append(here[:-1][is_here], here[-1])
        yield designs[first:end], own, np.ascontiguousarray(ratios[:, is_here])


def queries_of(
    machines: Machines, designs: IntArray, starts: IntArray, ratios: FloatArray, *, is_fastest: bool
) -> tuple[IntArray, Queries]:
    """Return designs in the order in which they are looked up, and as queries.

    Parameters are what `parts_of_designs` yields.
    """
    order, room, rooms = sorted_by_room(
        np.stack([bits[designs] for bits in machines.room_bits], axis=1)
    )
    bucket = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = sorted_by_key(bucket[order], order, starts)
    designs = designs[order]
    weighed = designs[:0] if is_fastest else designs
    clock = machines.clock_hz[designs]
    return designs, Queries(
        rooms=rooms,
        room=room[order],
        starts=starts,
        ratios=ratios,
        rate_bytes_per_s=machines.rate_bytes_per_s[designs],
        clock_hz=clock,
        is_one_clock=bool(clock.min() == clock.max()),
        mac_pj=machines.mac_pj[weighed],
        dram_pj_per_bit=machines.dram_pj_per_bit[weighed],
        leakage_w=machines.leakage_w[weighed],
    )
