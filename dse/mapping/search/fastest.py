"""Best-first branch and bound for the mappings that are fastest on given machines, compiled.

As `dse.mapping.search.undominated`, but for one shared buffer of known sizes and known ratios of
clock to DRAM rate. Then few mappings count: a box is dropped at each ratio where a mapping found
before, which takes no more room, is faster than all in it. Steps are numbered as in
dse/docs/mapping-tables.md#search.
"""

from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.compiling import compiled, inlined
from dse.cost.time import exposed_transfer, latency_cycles
from dse.mapping.search.archive import set_mapping
from dse.mapping.search.box_bounds import (
    BUFFERS,
    LARGEST,
    NUM_GROUPS,
    POINT_DRAM,
    POINT_ENDS,
    X,
    Y,
    least_cycles,
    least_flat_steps,
    linked,
    open_orders,
    set_bits,
    set_products,
    set_sizes,
)
from dse.mapping.search.mapping_problem import MappingProblem
from dse.mapping.search.queue import (
    BIN,
    BIN_BITS,
    FOUND,
    IS_FULL,
    LEVEL,
    ORDERS,
    SearchScratch,
    SearchState,
    bin_of,
    store_box,
    take_box,
    widest_group,
)
from dse.mapping.search.ratio_buckets import (
    COLUMNS,
    CYCLES,
    DRAM,
    ENDS,
    insert_if_undominated,
    is_slower,
)
from dse.mapping.search.size_tree import FACTORS, LEAST, LEFT, MOST, RIGHT, Trees

BINS = 8 << BIN_BITS
"""Bins of a room: by the least time of a box over the shortest, where that is least. The last bin
is for all that take 2**8 times as long or more."""


class RatioBuckets(NamedTuple):
    """The machines, and the mappings that are fastest on them so far.

    Attributes
    ----------
    transfers
        A value of `dse.hardware.Transfers`.
    longest
        See `dse.cost.time.longest_share`.
    rooms : shape (rooms,), ascending
        Bits that tiles may take.
    ratios : shape (2, buckets)
        The least and the most ratio in each bucket, cycles for each bit of DRAM traffic.
    shortest : shape (buckets,)
        A time that no mapping undercuts at the least ratio. [cycles]
    entries : shape (mappings, buckets, COLUMNS)
        The mappings of each bucket; see `dse.mapping.search.ratio_buckets`.
    counts : shape (buckets,)
        Their number.
    """

    transfers: int
    longest: float
    rooms: IntArray
    ratios: FloatArray
    shortest: FloatArray
    entries: FloatArray
    counts: IntArray


def empty_buckets(
    rule: tuple[int, float],
    rooms: IntArray,
    ratios: FloatArray,
    shortest: FloatArray,
    mappings: int,
) -> RatioBuckets:
    """Return buckets without entries, with space for so many mappings each."""
    buckets = ratios.shape[1]
    entries = np.empty((mappings, buckets, COLUMNS))
    counts = np.zeros(buckets, dtype=np.int64)
    return RatioBuckets(*rule, rooms, ratios, shortest, entries, counts)


@inlined
def _first_room(rooms: IntArray, bits: int) -> int:
    """Return the index of the least room that has so many bits (binary search)."""
    low, high = 0, len(rooms)
    while low < high:
        middle = (low + high) >> 1
        if bits <= rooms[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def _is_dominated(
    entries: FloatArray, bucket: int, count: int, span: tuple[float, float], longest: float
) -> bool:
    """Whether some entry of a bucket is chosen before the one behind the last at every ratio."""
    other = 0
    while other < count and not is_slower(entries, bucket, count, other, span, longest):
        other += 1
    return other < count


@compiled
def find_fastest(  # noqa: C901, PLR0915 (compiled: tuples of arrays are dear to pass on)
    trees: Trees,
    problem: MappingProblem,
    buckets: RatioBuckets,
    state: SearchState,
    scratch: SearchScratch,
) -> bool:
    """Find the mappings that can be fastest; return whether no array was too short.

    Parameters
    ----------
    trees, problem, state, scratch
        As for `dse.mapping.search.undominated.search`, but with `BINS` bins for each room, and
        one buffer.
    buckets
        See `RatioBuckets`.

    Notes
    -----
    Rooms are searched from the smallest, so that mappings found fit into all rooms that follow.
    """
    nodes, factors, steps = trees.nodes, trees.factors, trees.steps
    groups, is_mirrored = problem.open_groups, problem.mirrored[0] > 0
    bounds, loops, variants = problem.bounds, problem.loops, problem.variants
    traffic, ends_of, on_chip = problem.traffic, problem.ends, problem.on_chip
    flat_loops, flat_sizes, floor = problem.flat_loops, problem.flat_sizes, problem.floor
    rooms, ratios, entries, counts = buckets.rooms, buckets.ratios, buckets.entries, buckets.counts
    longest = buckets.longest
    counters, heads = state.counters, state.heads
    box, point, other_factors, totals = (
        scratch.box,
        scratch.point,
        scratch.other_factors,
        scratch.totals,
    )
    other_steps, flat, sizes, number = (
        scratch.other_steps,
        scratch.flat,
        scratch.sizes,
        scratch.number,
    )
    rate = problem.links[2] if len(problem.links) else 0
    flats = flat, problem.flat_of, flat_sizes[:, 1], problem.fill[0], rate
    for group in range(NUM_GROUPS):
        box[group] = problem.roots[group]
    # 1. Put the box of all mappings into the queue, open at every ratio.
    box[ORDERS], box[LEVEL] = (1 << len(variants)) - 1, (1 << ratios.shape[1]) - 1
    store_box(state, box, 0)
    while not counters[IS_FULL] and not state.stop[0]:
        # 2. Take a box of the least room, and there of the least time.
        if not take_box(state, box):
            while counters[BIN] < len(heads) and heads[counters[BIN]] < 0:
                counters[BIN] += 1
            if counters[BIN] == len(heads):
                break
            continue
        # 3. Split it along its widest group; a leaf has one size of every group.
        split = widest_group(nodes, box, groups)
        is_leaf = split < 0
        split = groups[0] if is_leaf else split
        parent, orders, parent_buckets = box[split], box[ORDERS], box[LEVEL]
        set_products(other_factors, factors, box, groups, split)
        has_steps = False
        for half in range(LEFT, RIGHT + 1):
            if not is_leaf:
                box[split] = nodes[parent, half]
            elif half == RIGHT:
                break
            if is_mirrored and nodes[box[Y], LEAST] > nodes[box[X], MOST]:
                continue
            # 4. Bound the half: products of minima, room, DRAM bits of each open loop order.
            row = box[split]
            for column in range(FACTORS):
                totals[column] = other_factors[column] * factors[row, column]
            set_bits(point, totals, ends_of, on_chip, floor)
            room = _first_room(rooms, point[BUFFERS])
            if room == len(rooms):
                continue
            left, best, bits = open_orders(orders, LARGEST, totals, traffic, variants)
            if not left:
                continue
            # 5. Bound its cycles: the least of all assignments of loops to axes.
            if is_leaf or len(flat):
                set_sizes(sizes, nodes, box, loops)
                for axis in range(len(flat)):
                    flat[axis] = least_flat_steps(
                        bounds, sizes, flat_loops, axis, flat_sizes[axis, 0]
                    )
            if not has_steps:
                set_products(other_steps, steps, box, groups, split)
                has_steps = True
            cycles = least_cycles(other_steps, steps, row, flats)
            cycles = linked(cycles, other_steps, steps, row, problem.links)
            ends = exposed_transfer(point[POINT_ENDS], bits, buckets.transfers)
            # 6. Close the buckets in which an entry is faster at every ratio.
            open_buckets, excess = 0, np.inf
            for bucket in range(ratios.shape[1]):
                if not parent_buckets >> bucket & 1:
                    continue
                count, span = counts[bucket], (ratios[0, bucket], ratios[1, bucket])
                entries[count, bucket, ENDS] = ends
                entries[count, bucket, DRAM] = bits
                entries[count, bucket, CYCLES] = cycles
                if _is_dominated(entries, bucket, count, span, longest):
                    continue
                open_buckets |= 1 << bucket
                if is_leaf:
                    counts[bucket] = insert_if_undominated(entries, bucket, count, span, longest)
                    if counts[bucket] == len(entries):
                        counts[bucket] -= 1
                        counters[IS_FULL] = 1
                else:
                    time = latency_cycles(span[0], cycles, ends, bits)
                    excess = min(excess, time / buckets.shortest[bucket])
            if not open_buckets:
                continue
            # 7. A leaf is found, any other half goes back into the queue.
            if is_leaf:
                point[POINT_DRAM] = bits
                set_mapping(state.found[counters[FOUND]], point, cycles, sizes, best)
                counters[FOUND] += 1
                if counters[FOUND] == len(state.found):
                    counters[IS_FULL] = 1
            else:
                box[ORDERS], box[LEVEL] = left, open_buckets
                later = min(bin_of(excess, number), BINS - 1)
                store_box(state, box, room * BINS + max(later, 0))
    return counters[IS_FULL] == 0
