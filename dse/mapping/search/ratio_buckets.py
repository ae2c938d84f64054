"""Ratios of clock to DRAM rate, and the mappings that can be fastest at some ratio in a bucket.

The time of a mapping depends on the ratio only; see `dse.cost.time.latency_cycles`. Ratios fall
into buckets; each keeps the few mappings that can be fastest at some ratio in it.
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
    for one in range(len(rate)):
        place = (which[one] - low) >> shift
        which[one] = place
        ends[0, place] = min(ends[0, place], ratio[one])
        ends[1, place] = max(ends[1, place], ratio[one])
    number = np.cumsum(ends[0] < np.inf) - 1
    for one in range(len(rate)):
        which[one] = number[which[one]]
    return which, ends[:, ends[0] < np.inf]


@inlined
def is_slower(
    kept: FloatArray, each: int, one: int, other: int, span: tuple[float, float], longest: float
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
    first, last = kept[other, each, AT_LEAST], kept[other, each, AT_MOST]
    cycles, ends, bits = kept[one, each, CYCLES], kept[one, each, ENDS], kept[one, each, DRAM]
    near = compute_cycles_at(low, cycles, ends) * SURELY
    far = compute_cycles_at(high, cycles, ends) * SURELY
    moved = bits * low * SURELY
    if (longest * first < near and longest * last < far) or longest * first < moved:
        return True
    if kept[other, each, DRAM] <= bits:
        if (first < near and last < far) or first < moved:
            return True
        compute = compute_cycles_at(low, kept[other, each, CYCLES], kept[other, each, ENDS])
        if compute < first * SURELY:
            return True
    return is_no_larger(kept, each, other, one)


@inlined
def is_no_larger(kept: FloatArray, each: int, one: int, other: int) -> bool:
    """Whether a mapping of a bucket is no larger in anything than another."""
    column = 0
    while column < AT_LEAST and kept[one, each, column] <= kept[other, each, column]:
        column += 1
    return column == AT_LEAST


@inlined
def copy_row(kept: FloatArray, each: int, source: int, target: int) -> None:
    """Copy a mapping of a bucket to another place in it."""
    for column in range(COLUMNS):
        kept[target, each, column] = kept[source, each, column]


@inlined
def is_beaten(
    kept: FloatArray, each: int, fresh: int, span: tuple[float, float], longest: float
) -> bool:
    """Whether a mapping of a bucket beats the one behind the last, whose times are written there.

    Parameters are those of `joined`.
    """
    low, high = span
    cycles, ends, bits = kept[fresh, each, CYCLES], kept[fresh, each, ENDS], kept[fresh, each, DRAM]
    kept[fresh, each, AT_LEAST] = latency_cycles(low, cycles, ends, bits)
    kept[fresh, each, AT_MOST] = latency_cycles(high, cycles, ends, bits)
    other = 0
    while other < fresh and not is_slower(kept, each, fresh, other, span, longest):
        other += 1
    return other < fresh


@inlined
def taken_in(
    kept: FloatArray, each: int, fresh: int, span: tuple[float, float], longest: float
) -> int:
    """Take the mapping behind the last one, which none beats, into a bucket; drop what it beats.

    Parameters are those of `joined`, which returns the same.
    """
    count = 0
    for one in range(fresh):
        if not is_slower(kept, each, one, fresh, span, longest):
            copy_row(kept, each, one, count)
            count += 1
    copy_row(kept, each, fresh, count)
    return count + 1


@inlined
def joined(
    kept: FloatArray, each: int, fresh: int, span: tuple[float, float], longest: float
) -> int:
    """Take the mapping behind the last one into a bucket, drop those that it beats.

    Parameters
    ----------
    kept : shape (more than fresh, buckets, COLUMNS)
        Mappings by bucket; see `ENDS`.
    each, fresh
        The bucket; the number of its mappings, the new one aside.
    span
        Least and most ratio of the bucket.
    longest
        Longest time that may be chosen, over the least; see `dse.cost.time.longest_share`.

    Returns
    -------
    Their number now.
    """
    if is_beaten(kept, each, fresh, span, longest):
        return fresh
    return taken_in(kept, each, fresh, span, longest)
