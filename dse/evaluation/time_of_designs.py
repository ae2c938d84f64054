"""What the mappings that machines choose take, for many machines that compare the same, compiled.

Machines of a bucket whose rooms hold the same mappings are costed in plain loops over slices, which
the processor does several of at a time.
"""

from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.compiling import compiled, inlined
from dse.cost.energy import energy
from dse.cost.time import compute_cycles_at, latency, transfer_s
from dse.evaluation.always_short import fewest_always_short, only_contender
from dse.mapping.objective import Objective
from dse.mapping.search.ratio_buckets import COLUMNS, CYCLES, DRAM, ENDS, SURELY

MACHINES_AT_ONCE = 1024
"""Machines that are costed together at most: what is kept of them stays in the cache."""


class Queries(NamedTuple):
    """Machines that share an array, by bucket and then by room; shape (machines,).

    Attributes
    ----------
    rooms : shape (rooms, buffers), in lexicographic order
        Bits that tiles may take.
    room
        The place of each machine's room.
    starts : shape (buckets + 1,)
        The first machine of each bucket of ratios; of one bucket where time is not minimised.
    ratios : shape (2, buckets)
        The least and the most ratio in each bucket: cycles for each bit of DRAM traffic.
    rate_bytes_per_s, clock_hz
        DRAM rate times efficiency; clock.
    is_one_clock
        Whether all have the same clock.
    mac_pj, dram_pj_per_bit, leakage_w
        Of an 8-bit MAC, of a transferred bit; power of the area. Empty where time is minimised.
    """

    rooms: IntArray
    room: IntArray
    starts: IntArray
    ratios: FloatArray
    rate_bytes_per_s: FloatArray
    clock_hz: FloatArray
    is_one_clock: bool
    mac_pj: FloatArray
    dram_pj_per_bit: FloatArray
    leakage_w: FloatArray


class LookupScratch(NamedTuple):
    """Arrays that a look-up of a layer writes on; nothing is expected in them.

    Attributes
    ----------
    kept : shape (mappings, buckets, COLUMNS)
        Mappings of each bucket; see `dse.mapping.search.ratio_buckets`.
    counts, done : shape (buckets,)
        Their number; the first machine of the bucket that is not costed yet.
    seconds : shape (2, MACHINES_AT_ONCE)
        Of machines that are costed together: those of another mapping than the best, and the
        longest that a mapping may take.
    """

    kept: FloatArray
    counts: IntArray
    done: IntArray
    seconds: FloatArray


def scratch_for(most: int, num_buckets: int) -> LookupScratch:
    """Return arrays for looking up layers of so many mappings at most, one after another."""
    return LookupScratch(
        kept=np.empty((most + 1, num_buckets, COLUMNS)),
        counts=np.empty(num_buckets, dtype=np.int64),
        done=np.empty(num_buckets, dtype=np.int64),
        seconds=np.empty((2, MACHINES_AT_ONCE)),
    )


@inlined
def _is_shorter(first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Whether a time is below another at both ends of a span, by more than rounding can do."""
    return first[0] < second[0] * SURELY and first[1] < second[1] * SURELY


@compiled
def _compute(
    cycles: float,
    ends: float,
    rate: FloatArray,
    clock: FloatArray,
    is_one_clock: bool,
    seconds: FloatArray,
) -> None:
    """Write the time of computation and of what does not overlap with it; see `_time`."""
    if is_one_clock:
        seconds[:] = cycles / clock[0]
    else:
        for index in range(len(seconds)):
            seconds[index] = cycles / clock[index]
    if ends > 0:
        for index in range(len(seconds)):
            seconds[index] += transfer_s(ends, rate[index])


@compiled
def _time(
    mapping: tuple[float, float, float],
    span: tuple[float, float],
    rate: FloatArray,
    clock: FloatArray,
    is_one_clock: bool,
    seconds: FloatArray,
) -> None:
    """Write the latency of a mapping on machines of a bucket; see `dse.cost.time.latency`.

    Parameters
    ----------
    mapping
        Its cycles, the bits whose transfer nothing hides, and all its bits: one rule for all kinds
        of transfers, see `dse.cost.time.exposed_transfer`.
    span
        Least and most ratio of the bucket. Of computation and transfer, what is shorter in all of
        it is not worked out: divisions are dear.
    rate, clock, seconds : shape (machines,)
        Of the machines; latency is written.
    is_one_clock
        Whether all have the same clock.
    """
    cycles, ends, bits = mapping
    low, high = span
    compute = compute_cycles_at(low, cycles, ends), compute_cycles_at(high, cycles, ends)
    transfer = bits * low, bits * high
    if _is_shorter(compute, transfer):
        seconds[:] = 0.0
    else:
        _compute(cycles, ends, rate, clock, is_one_clock, seconds)
    if not _is_shorter(transfer, compute):
        for index in range(len(seconds)):
            seconds[index] = latency(seconds[index], 0.0, transfer_s(bits, rate[index]))


@compiled
def _keep_less(seconds: FloatArray, bits: float, best: FloatArray, fewest: FloatArray) -> None:
    """Keep the seconds and the bits of a mapping where it takes less time, or as much and fewer."""
    for index in range(len(seconds)):
        is_tie = (seconds[index] == best[index]) & (bits < fewest[index])
        is_less = (seconds[index] < best[index]) | is_tie
        best[index] = seconds[index] if is_less else best[index]
        fewest[index] = bits if is_less else fewest[index]


@compiled
def _keep_fewest(
    seconds: FloatArray, bits: float, longest: FloatArray, best: FloatArray, fewest: FloatArray
) -> None:
    """Keep a mapping that is not too long where it moves fewer bits, or as many in less time."""
    for index in range(len(seconds)):
        is_tie = (bits == fewest[index]) & (seconds[index] < best[index])
        is_less = (seconds[index] <= longest[index]) & ((bits < fewest[index]) | is_tie)
        best[index] = seconds[index] if is_less else best[index]
        fewest[index] = bits if is_less else fewest[index]


@inlined
def _mapping(kept: FloatArray, bucket: int, candidate: int) -> tuple[float, float, float]:
    """Return cycles, exposed bits, and all bits of a mapping of a bucket."""
    return (
        kept[candidate, bucket, CYCLES],
        kept[candidate, bucket, ENDS],
        kept[candidate, bucket, DRAM],
    )


@inlined
def _write_least(
    kept: FloatArray,
    bucket: int,
    count: int,
    span: tuple[float, float],
    machines: tuple[FloatArray, FloatArray, bool],
    further: FloatArray,
    best: FloatArray,
    fewest: FloatArray,
) -> None:
    """Write the least latency of the mappings of a bucket, and the bits of that mapping."""
    rate, clock, one_clock = machines
    if count == 0:
        best[:], fewest[:] = np.inf, np.inf
    for candidate in range(count):
        mapping = _mapping(kept, bucket, candidate)
        if candidate == 0:
            _time(mapping, span, rate, clock, one_clock, best)
            fewest[:] = mapping[2]
        else:
            _time(mapping, span, rate, clock, one_clock, further)
            _keep_less(further, mapping[2], best, fewest)


@compiled
def write_fastest(
    queries: Queries,
    scratch: LookupScratch,
    bucket: int,
    machines: tuple[int, int],
    share: float,
    seconds: FloatArray,
    bits: FloatArray,
) -> None:
    """Write latency and DRAM bits of the fastest mappings of a bucket for a range of its machines.

    `share` is the longest time that a mapping with fewer bits may take, over the least; see
    `dse.cost.time.longest_share`. What no ratio of the bucket chooses is not timed, where known.
    """
    kept, one_clock, count = scratch.kept, queries.is_one_clock, scratch.counts[bucket]
    span = queries.ratios[0, bucket], queries.ratios[1, bucket]
    has_slack = count > 1 and share > 1
    fewest_always = fewest_always_short(kept, bucket, count, span, share) if has_slack else np.inf
    only = only_contender(kept, bucket, count, fewest_always)
    for first in range(machines[0], machines[1], MACHINES_AT_ONCE):
        end = min(first + MACHINES_AT_ONCE, machines[1])
        rate, clock = queries.rate_bytes_per_s[first:end], queries.clock_hz[first:end]
        best, fewest = seconds[first:end], bits[first:end]
        if only >= 0:
            _time(_mapping(kept, bucket, only), span, rate, clock, one_clock, best)
            fewest[:] = kept[only, bucket, DRAM]
            continue
        further, longest = scratch.seconds[0][: end - first], scratch.seconds[1][: end - first]
        _write_least(kept, bucket, count, span, (rate, clock, one_clock), further, best, fewest)
        for index in range(end - first if has_slack else 0):
            longest[index] = best[index] * share
        for candidate in range(count if has_slack else 0):
            mapping = _mapping(kept, bucket, candidate)
            if mapping[2] <= fewest_always:
                _time(mapping, span, rate, clock, one_clock, further)
                _keep_fewest(further, mapping[2], longest, best, fewest)


@inlined
def _best(
    scratch: LookupScratch,
    machine: tuple[float, float],
    energies: tuple[float, float, float],
    objective: int,
) -> tuple[float, float]:
    """Return latency and DRAM bits of the mapping that a machine's mapper chooses by another rule.

    Ties go to the least latency, then the fewest DRAM bits. `energies` are those of all MACs [pJ]
    and of a transferred bit [pJ], and the leakage [W].
    """
    kept = scratch.kept
    least, best, bits = np.inf, np.inf, np.inf
    rate, clock = machine
    macs_pj, bit_pj, leakage_w = energies
    for candidate in range(scratch.counts[0]):
        moved = kept[candidate, 0, DRAM]
        exposed = transfer_s(kept[candidate, 0, ENDS], rate)
        seconds = latency(kept[candidate, 0, CYCLES] / clock, exposed, transfer_s(moved, rate))
        value = moved
        if objective != Objective.DRAM_BYTES:
            value = energy(macs_pj, moved, seconds, bit_pj, leakage_w)
        if objective == Objective.EDP:
            value *= seconds
        is_less = value < least or (value == least and seconds < best)
        if is_less or (value == least and seconds == best and moved < bits):
            least, best, bits = value, seconds, moved
    return best, bits


@compiled
def write_best(
    queries: Queries,
    scratch: LookupScratch,
    rule: tuple[int, float],
    machines: tuple[int, int],
    seconds: FloatArray,
    bits: FloatArray,
) -> None:
    """Write latency and DRAM bits of the mappings that a range of machines chooses by another rule.

    `rule` is the objective and the MACs, as for `write_layer`.
    """
    rate, clock = queries.rate_bytes_per_s, queries.clock_hz
    objective, macs = rule
    for index in range(*machines):
        energies = (
            macs * queries.mac_pj[index],
            queries.dram_pj_per_bit[index],
            queries.leakage_w[index],
        )
        machine = rate[index], clock[index]
        seconds[index], bits[index] = _best(scratch, machine, energies, objective)
