"""Ratios of clock to DRAM rate, and the mappings that can be fastest at some ratio in a bucket.

The time of a mapping depends on the ratio only; see `dse.cost.time.latency_cycles`. Ratios fall
into buckets; each holds the few mappings that can be fastest at some ratio in it: the upper
envelope of what they save, in a few entries.
"""

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.compiling import allocating, inlined
from dse.cost.time import compute_cycles_at, latency_cycles

ENDS, DRAM, CYCLES = 0, 1, 2
"""Columns of a mapping: first and last bits that take time, DRAM bits, cycles."""
AT_LEAST, AT_MOST, ROW, COLUMNS = 3, 4, 5, 6
"""Further columns: time at the least and at the most ratio of a bucket; whatever tells mappings
apart; number of columns."""

FEWEST_BUCKETS, MOST_BUCKETS = 8, 128
MACHINES_TO_A_BUCKET = 256
"""Buckets of ratios of clock to DRAM rate: each costs time of its own, few hold more mappings."""

SURELY = 1 - 1e-9
"""A mapping is slower than another only if it is by more than what rounding can do."""


@allocating
def buckets(rate: FloatArray, clock: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the bucket of each machine's ratio, and the least and most ratio of each bucket.

    Buckets are even in the bits of a ratio, which rise with it about as its logarithm does.

    Parameters
    ----------
    rate, clock : shape (machines,)
        DRAM rate [bytes/s], clock [Hz].
    """
    most = max(min(len(rate) // MACHINES_TO_A_BUCKET, MOST_BUCKETS), FEWEST_BUCKETS)
    ratio = clock / (8 * rate)
    which = ratio.copy().view(np.int64)
    low, span, shift = which.min(), which.max() - which.min(), 0
    while span >> shift >= most:
        shift += 1
    ends = np.empty((2, most))
    ends[0], ends[1] = np.inf, -np.inf
    for row in range(len(rate)):
        index = (which[row] - low) >> shift
        which[row] = index
        ends[0, index] = min(ends[0, index], ratio[row])
        ends[1, index] = max(ends[1, index], ratio[row])
    number = np.cumsum(ends[0] < np.inf) - 1
    for row in range(len(rate)):
        which[row] = number[which[row]]
    return which, ends[:, ends[0] < np.inf]


@inlined
def is_slower(
    entries: FloatArray,
    bucket: int,
    row: int,
    other: int,
    span: tuple[float, float],
    longest: float,
) -> bool:
    """Whether a mapping of a bucket is at no ratio of its span chosen when another is there.

    It is not if it takes longer than `longest` times the other, or if the other is faster and moves
    no more bits; `longest` is that of `dse.cost.time.longest_share`.

    Time is convex in the ratio: it lies below its chord, and above both of its lines. Divided by
    the ratio it falls, so that a transfer that takes longer at the least ratio always does. Where
    the other takes the time of its transfer, no mapping with as many bits is faster. Of mappings
    of which one is no larger in anything, the larger is not chosen.
    """
    low, high = span
    first, last = entries[other, bucket, AT_LEAST], entries[other, bucket, AT_MOST]
    cycles, ends, bits = (
        entries[row, bucket, CYCLES],
        entries[row, bucket, ENDS],
        entries[row, bucket, DRAM],
    )
    near = compute_cycles_at(low, cycles, ends) * SURELY
    far = compute_cycles_at(high, cycles, ends) * SURELY
    moved = bits * low * SURELY
    if (longest * first < near and longest * last < far) or longest * first < moved:
        return True
    if entries[other, bucket, DRAM] <= bits:
        if (first < near and last < far) or first < moved:
            return True
        compute = compute_cycles_at(
            low, entries[other, bucket, CYCLES], entries[other, bucket, ENDS]
        )
        if compute < first * SURELY:
            return True
    return is_no_larger(entries, bucket, other, row)


@inlined
def is_no_larger(entries: FloatArray, bucket: int, row: int, other: int) -> bool:
    """Whether a mapping of a bucket is no larger in anything than another."""
    column = 0
    while column < AT_LEAST and entries[row, bucket, column] <= entries[other, bucket, column]:
        column += 1
    return column == AT_LEAST


@inlined
def copy_row(entries: FloatArray, bucket: int, source: int, target: int) -> None:
    """Copy an entry of a bucket to another index in it."""
    for column in range(COLUMNS):
        entries[target, bucket, column] = entries[source, bucket, column]


@inlined
def is_dominated(
    entries: FloatArray, bucket: int, new: int, span: tuple[float, float], longest: float
) -> bool:
    """Whether some entry of a bucket is chosen before the new one; write the times of the new one.

    Parameters are those of `insert_if_undominated`.
    """
    low, high = span
    cycles, ends, bits = (
        entries[new, bucket, CYCLES],
        entries[new, bucket, ENDS],
        entries[new, bucket, DRAM],
    )
    entries[new, bucket, AT_LEAST] = latency_cycles(low, cycles, ends, bits)
    entries[new, bucket, AT_MOST] = latency_cycles(high, cycles, ends, bits)
    other = 0
    while other < new and not is_slower(entries, bucket, new, other, span, longest):
        other += 1
    return other < new


@inlined
def insert(
    entries: FloatArray, bucket: int, new: int, span: tuple[float, float], longest: float
) -> int:
    """Insert an undominated candidate; remove what it dominates.

    Parameters and result are those of `insert_if_undominated`.
    """
    count = 0
    for row in range(new):
        if not is_slower(entries, bucket, row, new, span, longest):
            copy_row(entries, bucket, row, count)
            count += 1
    copy_row(entries, bucket, new, count)
    return count + 1


@inlined
def insert_if_undominated(
    entries: FloatArray, bucket: int, new: int, span: tuple[float, float], longest: float
) -> int:
    """Insert the new mapping, stored behind the last entry, unless one dominates it.

    Parameters
    ----------
    entries : shape (more than new, buckets, COLUMNS)
        Mappings by bucket; see `ENDS`.
    bucket, new
        The bucket; the number of its mappings, which is the index of the new one.
    span
        Least and most ratio of the bucket.
    longest
        Longest time that may be chosen, over the least; see `dse.cost.time.longest_share`.

    Returns
    -------
    Their number now.
    """
    if is_dominated(entries, bucket, new, span, longest):
        return new
    return insert(entries, bucket, new, span, longest)
