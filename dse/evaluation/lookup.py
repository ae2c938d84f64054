"""The best mapping of a layer for many machines, compiled: look-ups in its table, none missed.

The time of a mapping depends on a machine through its buffers and through the ratio of its clock to
its DRAM rate only; see `dse.cost.time.latency_cycles`. Ratios fall into buckets, and each keeps the
mappings that can be fastest at some ratio in it, one or two mostly. Mappings join the buckets as
rooms grow. Few do, so machines in the order of their rooms compare the same mappings for long:
those of a bucket are costed together, up to the room where one joins.
"""

from dse.arrays import FloatArray, IntArray
from dse.compiling import compiled, inlined
from dse.cost.time import exposed_transfer
from dse.evaluation.time_of_designs import LookupScratch, Queries, write_best, write_fastest
from dse.mapping.objective import Objective
from dse.mapping.points import Criteria
from dse.mapping.search.ratio_buckets import (
    CYCLES,
    DRAM,
    ENDS,
    copy_row,
    insert,
    is_dominated,
    is_no_larger,
)


@inlined
def _is_dominated_or_equal(kept: FloatArray, fresh: int) -> bool:
    """Whether a mapping is no larger in anything than the one behind the last."""
    other = 0
    while other < fresh and not is_no_larger(kept, 0, other, fresh):
        other += 1
    return other < fresh


@inlined
def _insert_undominated(kept: FloatArray, fresh: int) -> int:
    """Keep the mapping behind the last one, drop those that are larger; return their number."""
    count = 0
    for index in range(fresh):
        if not is_no_larger(kept, 0, fresh, index):
            copy_row(kept, 0, index, count)
            count += 1
    copy_row(kept, 0, fresh, count)
    return count + 1


@inlined
def _fits(footprints: IntArray, row: int, rooms: IntArray, room: int) -> bool:
    """Whether a mapping fits into the buffers."""
    buffer = 0
    while buffer < rooms.shape[1] and footprints[row, buffer] <= rooms[room, buffer]:
        buffer += 1
    return buffer == rooms.shape[1]


@inlined
def _holds(rooms: IntArray, room: int) -> bool:
    """Whether whatever fits into the room before one fits into that one, too."""
    buffer = 0
    while buffer < rooms.shape[1] and rooms[room - 1, buffer] <= rooms[room, buffer]:
        buffer += 1
    return buffer == rooms.shape[1]


@inlined
def _no_more_fit(footprints: IntArray, first: int, rooms: IntArray, room: int) -> bool:
    """Whether no mapping from the first on fits a room; only of a single buffer is that known."""
    is_one = rooms.shape[1] == 1
    return is_one and (first == len(footprints) or footprints[first, 0] > rooms[room, 0])


@inlined
def _first_from(room: IntArray, first: int, end: int, least: int) -> int:
    """Return the first machine of a range, in the order of their rooms, whose room is no less."""
    while first < end:
        middle = (first + end) // 2
        if room[middle] < least:
            first = middle + 1
        else:
            end = middle
    return first


@compiled
def _write_until(
    queries: Queries,
    scratch: LookupScratch,
    rule: tuple[int, int, float, float],
    range_of: tuple[int, int],
    costs: tuple[FloatArray, FloatArray],
) -> None:
    """Write what the mappings of a bucket take on its machines of smaller rooms not done yet.

    `range_of` is the bucket and the room.
    """
    bucket, room = range_of
    first, end = scratch.done[bucket], queries.starts[bucket + 1]
    if first == end or queries.room[first] >= room:
        return
    end = _first_from(queries.room, first, end, room)
    scratch.done[bucket] = end
    if rule[1] == Objective.LATENCY_S:
        write_fastest(queries, scratch, bucket, (first, end), rule[3], costs[0], costs[1])
    else:
        write_best(queries, scratch, rule[1:3], (first, end), costs[0], costs[1])


@compiled
def write_layer(  # noqa: C901, PLR0915 (compiled: tuples of arrays are dear to pass on)
    criteria: Criteria,
    queries: Queries,
    rule: tuple[int, int, float, float],
    costs: tuple[FloatArray, FloatArray],
    scratch: LookupScratch,
) -> None:
    """Write latency and DRAM bits of a layer's best mappings on machines.

    Parameters
    ----------
    criteria
        Of the mappings of a table, by the bits in the first buffer ascending.
    queries
        The machines.
    rule
        How transfers overlap and what is minimised, values of `Transfers` and `Objective`; MACs of
        the layer, scaled to 8 by 8 bits; `dse.cost.time.longest_share` of the slack.
    costs : two of shape (machines,)
        Seconds and bits; inf where nothing fits.
    scratch
        That of `scratch_for`.
    """
    rooms, ratios, kept, counts = queries.rooms, queries.ratios, scratch.kept, scratch.counts
    footprints, buffers, first = criteria.footprint_bits, rooms.shape[1], 0
    for bucket in range(len(counts)):
        counts[bucket], scratch.done[bucket] = 0, queries.starts[bucket]
    for room in range(len(rooms)):
        if room > 0 and _no_more_fit(footprints, first, rooms, room):
            continue
        is_larger = room > 0 and _holds(rooms, room)
        if not is_larger:
            for bucket in range(len(counts)):
                _write_until(queries, scratch, rule, (bucket, room), costs)
                counts[bucket] = 0
            first = 0
        end = first
        while end < len(footprints) and footprints[end, 0] <= rooms[room, 0]:
            end += 1
        for step in range(first, end):
            # the largest first, as they leave few others; then as rooms grow
            row = step if is_larger else end - 1 - step
            if not _fits(footprints, row, rooms, room):
                continue
            if buffers > 1 and is_larger and _fits(footprints, row, rooms, room - 1):
                continue
            bits = criteria.dram_bits[row]
            ends = exposed_transfer(criteria.first_last_bits[row], bits, rule[0])
            for bucket in range(len(counts)):
                count = counts[bucket]
                kept[count, bucket, ENDS] = ends
                kept[count, bucket, DRAM] = bits
                kept[count, bucket, CYCLES] = criteria.compute_cycles[row]
                span = ratios[0, bucket], ratios[1, bucket]
                is_fastest = rule[1] == Objective.LATENCY_S
                if (
                    is_dominated(kept, bucket, count, span, rule[3])
                    if is_fastest
                    else _is_dominated_or_equal(kept, count)
                ):
                    continue
                _write_until(queries, scratch, rule, (bucket, room), costs)
                counts[bucket] = (
                    insert(kept, bucket, count, span, rule[3])
                    if is_fastest
                    else _insert_undominated(kept, count)
                )
        first = end if buffers == 1 else 0
    for bucket in range(len(counts)):
        _write_until(queries, scratch, rule, (bucket, len(rooms)), costs)
