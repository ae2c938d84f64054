"""The best mapping of a layer for many machines, compiled: look-ups in its table, none missed.

What a mapping takes depends on a machine through its buffers and through the ratio of its clock to
its DRAM rate only: in cycles, max(cycles + ends * ratio, DRAM bits * ratio). Ratios fall into
buckets, and each keeps the mappings that can be fastest at some ratio in it, one or two mostly.
Mappings join the buckets as rooms grow; a machine compares those of its bucket.
"""

from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.compiling import compiled, inlined
from dse.mapping.ratios import (
    COLUMNS,
    CYCLES,
    DOUBLE_BUFFERED,
    DRAM,
    ENDS,
    SERIAL,
    copy_row,
    ends_that_take_time,
    is_no_larger,
    joined,
)

LATENCY, TRAFFIC, DELAY_PRODUCT = 0, 1, 3
"""Places in `dse.mapping.table.OBJECTIVES`."""


class Queries(NamedTuple):
    """Machines that share an array, ordered by the room of their buffers; shape (machines,).

    Attributes
    ----------
    rooms : shape (rooms, buffers), in lexicographic order
        Bits that tiles may take.
    starts : shape (rooms + 1,)
        The first machine of each room.
    rate_bytes_per_s, clock_hz
        DRAM rate times efficiency; clock.
    bucket
        The bucket of each machine's ratio.
    ratios : shape (2, buckets)
        The least and the most ratio in each bucket: cycles for each bit of DRAM traffic.
    mac_pj, dram_pj_per_bit, leakage_w
        Of an 8-bit MAC, of a transferred bit; power of the area. Empty where time is minimised.
    """

    rooms: IntArray
    starts: IntArray
    rate_bytes_per_s: FloatArray
    clock_hz: FloatArray
    bucket: IntArray
    ratios: FloatArray
    mac_pj: FloatArray
    dram_pj_per_bit: FloatArray
    leakage_w: FloatArray


def desk_for(criteria: IntArray, queries: Queries) -> tuple[FloatArray, IntArray]:
    """Return room for the mappings of each bucket, and for their number."""
    num_buckets = queries.ratios.shape[1]
    kept = np.empty((len(criteria) + 1, num_buckets, COLUMNS))
    return kept, np.zeros(num_buckets, dtype=np.int64)


@inlined
def _listed(kept: FloatArray, fresh: int) -> int:
    """Keep the mapping behind the last one unless one is no larger; drop those that are larger."""
    for other in range(fresh):
        if is_no_larger(kept, 0, other, fresh):
            return fresh
    count = 0
    for one in range(fresh):
        if not is_no_larger(kept, 0, fresh, one):
            copy_row(kept, 0, one, count)
            count += 1
    copy_row(kept, 0, fresh, count)
    return count + 1


@inlined
def _latency(kept: FloatArray, each: int, place: int, machine: tuple[float, float, int]) -> float:
    """Return the latency of a mapping; see `dse.cost.time.latency_s`."""
    rate, clock, transfers = machine
    compute = kept[place, each, CYCLES] / clock
    transfer = kept[place, each, DRAM] / 8 / rate
    if transfers == SERIAL:
        return compute + transfer
    if transfers == DOUBLE_BUFFERED:
        compute = compute + min(kept[place, each, ENDS] / 8 / rate, transfer)
    return max(compute, transfer)


@inlined
def _fastest(
    kept: FloatArray, each: int, count: int, machine: tuple[float, float, int]
) -> tuple[float, float]:
    """Return the least latency of the mappings of a bucket, and their fewest DRAM bits with it."""
    best, bits = np.inf, np.inf
    for place in range(count):
        seconds = _latency(kept, each, place, machine)
        if seconds < best or (seconds == best and kept[place, each, DRAM] < bits):
            best, bits = seconds, kept[place, each, DRAM]
    return best, bits


@inlined
def _best(
    kept: FloatArray,
    count: int,
    machine: tuple[float, float, int],
    energies: tuple[float, float, float],
    objective: int,
) -> tuple[float, float]:
    """Return latency and DRAM bits of the mapping that a machine's mapper chooses by another rule.

    Ties go to the least latency, then the fewest DRAM bits. `energies` are those of all MACs [pJ]
    and of a transferred bit [pJ], and the leakage [W].
    """
    least, best, bits = np.inf, np.inf, np.inf
    macs_pj, bit_pj, leakage_w = energies
    for place in range(count):
        seconds, moved = _latency(kept, 0, place, machine), kept[place, 0, DRAM]
        value = moved
        if objective != TRAFFIC:
            value = macs_pj + moved * bit_pj + leakage_w * seconds * 1e12
        if objective == DELAY_PRODUCT:
            value *= seconds
        is_less = value < least or (value == least and seconds < best)
        if is_less or (value == least and seconds == best and moved < bits):
            least, best, bits = value, seconds, moved
    return best, bits


@inlined
def _fits(criteria: IntArray, row: int, rooms: IntArray, room: int) -> bool:
    """Whether a mapping fits into the buffers."""
    buffer = 0
    while buffer < rooms.shape[1] and criteria[row, buffer] <= rooms[room, buffer]:
        buffer += 1
    return buffer == rooms.shape[1]


@inlined
def _holds(rooms: IntArray, room: int) -> bool:
    """Whether whatever fits into the room before one fits into that one, too."""
    buffer = 0
    while buffer < rooms.shape[1] and rooms[room - 1, buffer] <= rooms[room, buffer]:
        buffer += 1
    return buffer == rooms.shape[1]


@compiled
def add_layer(  # noqa: C901, PLR0915 (compiled: tuples of arrays are dear to pass on)
    criteria: IntArray,
    queries: Queries,
    rule: tuple[int, int, float],
    repeat: int,
    totals: FloatArray,
    desk: tuple[FloatArray, IntArray],
) -> None:
    """Add latency and DRAM bits of a layer's best mappings to the totals of machines.

    Parameters
    ----------
    criteria : shape (rows, buffers + 3), by the first column ascending
        Of the mappings of a table: bits in each buffer, first and last bits, DRAM bits, cycles.
    queries
        The machines.
    rule
        How transfers overlap and what is minimised, as places in `TRANSFERS` and `OBJECTIVES`; MACs
        of the layer, scaled to 8 by 8 bits.
    repeat
        How often the layer runs.
    totals : shape (2, machines)
        Seconds and bits; inf where nothing fits.
    desk
        Room of `desk_for` for the mappings of each bucket and their number.
    """
    transfers, objective, macs = rule
    rooms, starts, ratios = queries.rooms, queries.starts, queries.ratios
    rate, clock, bucket = queries.rate_bytes_per_s, queries.clock_hz, queries.bucket
    mac_pj, dram_pj, leakage_w = queries.mac_pj, queries.dram_pj_per_bit, queries.leakage_w
    num_buckets = ratios.shape[1] if objective == LATENCY else 1
    kept, counts = desk
    buffers, first = rooms.shape[1], 0
    for room in range(len(rooms)):
        is_larger = room > 0 and _holds(rooms, room)
        if not is_larger:
            for each in range(num_buckets):
                counts[each] = 0
            first = 0
        end = first
        while end < len(criteria) and criteria[end, 0] <= rooms[room, 0]:
            end += 1
        for step in range(first, end):
            # the largest first, as they leave few others; then as rooms grow
            row = step if is_larger else end - 1 - step
            if not _fits(criteria, row, rooms, room):
                continue
            if buffers > 1 and is_larger and _fits(criteria, row, rooms, room - 1):
                continue
            bits = criteria[row, buffers + DRAM]
            ends = ends_that_take_time(criteria[row, buffers + ENDS], bits, transfers)
            for each in range(num_buckets):
                count = counts[each]
                kept[count, each, ENDS] = ends
                kept[count, each, DRAM] = bits
                kept[count, each, CYCLES] = criteria[row, buffers + CYCLES]
                if objective == LATENCY:
                    span = ratios[0, each], ratios[1, each]
                    counts[each] = joined(kept, each, count, span)
                else:
                    counts[each] = _listed(kept, count)
        first = end if buffers == 1 else 0
        for one in range(starts[room], starts[room + 1]):
            machine = rate[one], clock[one], transfers
            if objective == LATENCY:
                each = bucket[one]
                seconds, moved = _fastest(kept, each, counts[each], machine)
            else:
                energies = macs * mac_pj[one], dram_pj[one], leakage_w[one]
                seconds, moved = _best(kept, counts[0], machine, energies, objective)
            totals[0, one] += repeat * seconds
            totals[1, one] += repeat * moved
