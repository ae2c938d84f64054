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


class Scratch(NamedTuple):
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


def scratch_for(most: int, num_buckets: int) -> Scratch:
    """Return arrays for looking up layers of so many mappings at most, one after another."""
    return Scratch(
        kept=np.empty((most + 1, num_buckets, COLUMNS)),
        counts=np.empty(num_buckets, dtype=np.int64),
        done=np.empty(num_buckets, dtype=np.int64),
        seconds=np.empty((2, MACHINES_AT_ONCE)),
    )


@inlined
def _is_shorter(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether a time is below another at both ends of a span, by more than rounding can do."""
    return one[0] < other[0] * SURELY and one[1] < other[1] * SURELY


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
        for one in range(len(seconds)):
            seconds[one] = cycles / clock[one]
    if ends > 0:
        for one in range(len(seconds)):
            seconds[one] += transfer_s(ends, rate[one])


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
        for one in range(len(seconds)):
            seconds[one] = latency(seconds[one], 0.0, transfer_s(bits, rate[one]))


@compiled
def _keep_less(seconds: FloatArray, bits: float, best: FloatArray, fewest: FloatArray) -> None:
    """Keep the seconds and the bits of a mapping where it takes less time, or as much and fewer."""
    for one in range(len(seconds)):
        is_tie = (seconds[one] == best[one]) & (bits < fewest[one])
        is_less = (seconds[one] < best[one]) | is_tie
        best[one] = seconds[one] if is_less else best[one]
        fewest[one] = bits if is_less else fewest[one]


@compiled
def _keep_fewest(
    seconds: FloatArray, bits: float, longest: FloatArray, best: FloatArray, fewest: FloatArray
) -> None:
    """Keep a mapping that is not too long where it moves fewer bits, or as many in less time."""
    for one in range(len(seconds)):
        is_tie = (bits == fewest[one]) & (seconds[one] < best[one])
        is_less = (seconds[one] <= longest[one]) & ((bits < fewest[one]) | is_tie)
        best[one] = seconds[one] if is_less else best[one]
        fewest[one] = bits if is_less else fewest[one]


@compiled
def write_fastest(
    queries: Queries,
    scratch: Scratch,
    each: int,
    machines: tuple[int, int],
    share: float,
    seconds: FloatArray,
    bits: FloatArray,
) -> None:
    """Write latency and DRAM bits of the fastest mappings of a bucket for a range of its machines.

    `share` is the longest time that a mapping with fewer bits may take, over the least; see
    `dse.cost.time.longest_share`.
    """
    kept, one_clock = scratch.kept, queries.is_one_clock
    span = queries.ratios[0, each], queries.ratios[1, each]
    for first in range(machines[0], machines[1], MACHINES_AT_ONCE):
        end = min(first + MACHINES_AT_ONCE, machines[1])
        rate, clock = queries.rate_bytes_per_s[first:end], queries.clock_hz[first:end]
        best, fewest = seconds[first:end], bits[first:end]
        other = scratch.seconds[0][: end - first]
        for place in range(scratch.counts[each]):
            moved = kept[place, each, DRAM]
            mapping = kept[place, each, CYCLES], kept[place, each, ENDS], moved
            if place == 0:
                _time(mapping, span, rate, clock, one_clock, best)
                fewest[:] = moved
            else:
                _time(mapping, span, rate, clock, one_clock, other)
                _keep_less(other, moved, best, fewest)
        if scratch.counts[each] == 0:
            best[:], fewest[:] = np.inf, np.inf
        elif scratch.counts[each] > 1 and share > 1:
            longest = scratch.seconds[1][: end - first]
            for one in range(end - first):
                longest[one] = best[one] * share
            for place in range(scratch.counts[each]):
                moved = kept[place, each, DRAM]
                mapping = kept[place, each, CYCLES], kept[place, each, ENDS], moved
                _time(mapping, span, rate, clock, one_clock, other)
                _keep_fewest(other, moved, longest, best, fewest)


@inlined
def _best(
    scratch: Scratch,
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
    for place in range(scratch.counts[0]):
        moved = kept[place, 0, DRAM]
        exposed = transfer_s(kept[place, 0, ENDS], rate)
        seconds = latency(kept[place, 0, CYCLES] / clock, exposed, transfer_s(moved, rate))
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
    scratch: Scratch,
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
    for one in range(*machines):
        energies = (
            macs * queries.mac_pj[one],
            queries.dram_pj_per_bit[one],
            queries.leakage_w[one],
        )
        machine = rate[one], clock[one]
        seconds[one], bits[one] = _best(scratch, machine, energies, objective)
