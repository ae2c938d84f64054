"""Mappings that are within the slack at every ratio of a bucket, compiled.

Of those with more bits than the fewest of them none is chosen, so that few mappings are compared.
"""

import numpy as np

from dse.arrays import FloatArray
from dse.compiling import inlined
from dse.cost.time import compute_cycles_at
from dse.mapping.search.ratio_buckets import AT_LEAST, AT_MOST, CYCLES, DRAM, ENDS, SURELY


@inlined
def _is_always_short(
    kept: FloatArray, bucket: int, one: int, other: int, span: tuple[float, float], share: float
) -> bool:
    """Whether a mapping takes at most `share` times another at all ratios of a bucket.

    Time is convex in the ratio: it lies below its chord, and above both of its lines. Divided by
    the ratio it falls, so that it stays below the line of a transfer that is above it once.
    """
    first, last = kept[one, bucket, AT_LEAST], kept[one, bucket, AT_MOST]
    cycles, ends = kept[other, bucket, CYCLES], kept[other, bucket, ENDS]
    surely = share * SURELY
    near = surely * compute_cycles_at(span[0], cycles, ends)
    far = surely * compute_cycles_at(span[1], cycles, ends)
    return (first <= near and last <= far) or first <= surely * kept[other, bucket, DRAM] * span[0]


@inlined
def fewest_always_short(
    kept: FloatArray, bucket: int, count: int, span: tuple[float, float], share: float
) -> float:
    """Return the fewest bits of the mappings that no machine of a bucket finds too long, or inf."""
    fewest = np.inf
    for one in range(count):
        other = 0
        while other < count and (
            other == one or _is_always_short(kept, bucket, one, other, span, share)
        ):
            other += 1
        if other == count:
            fewest = min(fewest, kept[one, bucket, DRAM])
    return fewest


@inlined
def only_contender(kept: FloatArray, bucket: int, count: int, fewest: float) -> int:
    """Return the one mapping of a bucket that moves no more than the fewest bits, -1 if several."""
    only, number = -1, 0
    for candidate in range(count):
        if kept[candidate, bucket, DRAM] <= fewest:
            only, number = candidate, number + 1
    return only if number == 1 else -1
