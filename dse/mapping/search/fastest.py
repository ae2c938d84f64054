"""Best-first branch and bound for the mappings that are fastest on given machines, compiled.

As `dse.mapping.search.undominated`, but for one shared buffer of known sizes and known ratios of
clock to DRAM rate. Then few mappings count, and a box is cut for each ratio at which a known
mapping that takes no more room is faster than all in it.
"""

from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.compiling import compiled, inlined
from dse.cost.time import exposed_transfer, latency_cycles
from dse.mapping.search.archive import set_mapping
from dse.mapping.search.box_bounds import (
    BUFFERS,
    GROUPS,
    LARGEST,
    POINT_DRAM,
    POINT_ENDS,
    Problem,
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
from dse.mapping.search.queue import (
    BIN,
    BIN_BITS,
    FOUND,
    IS_FULL,
    LEVEL,
    ORDERS,
    Desk,
    Room,
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
    is_slower,
    joined,
)
from dse.mapping.search.size_tree import FACTORS, LEAST, LEFT, MOST, RIGHT, Trees

MOST_RATIOS = 31
"""Buckets of ratios: a box notes in as many bits for which of them it is open."""

BINS = 8 << BIN_BITS
"""Boxes of a room wait in bins of their least time over the shortest, where that is least; the last
bin is for all that take 2**8 times as long or more."""


class Fastest(NamedTuple):
    """The machines, and what is known of them.

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
    kept : shape (mappings, buckets, COLUMNS)
        The mappings so far of each bucket; see `dse.mapping.search.ratio_buckets`.
    counts : shape (buckets,)
        Their number.
    """

    transfers: int
    longest: float
    rooms: IntArray
    ratios: FloatArray
    shortest: FloatArray
    kept: FloatArray
    counts: IntArray


def nothing_known(
    rule: tuple[int, float],
    rooms: IntArray,
    ratios: FloatArray,
    shortest: FloatArray,
    mappings: int,
) -> Fastest:
    """Return what a search begins with that keeps up to so many mappings of a bucket."""
    buckets = ratios.shape[1]
    kept = np.empty((mappings, buckets, COLUMNS))
    counts = np.zeros(buckets, dtype=np.int64)
    return Fastest(*rule, rooms, ratios, shortest, kept, counts)


@inlined
def _room_of(rooms: IntArray, bits: int) -> int:
    """Return the place of the least room that has so many bits."""
    low, high = 0, len(rooms)
    while low < high:
        middle = (low + high) >> 1
        if bits <= rooms[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def _is_beaten(
    kept: FloatArray, each: int, count: int, span: tuple[float, float], longest: float
) -> bool:
    """Whether a mapping of a bucket leaves no ratio to what lies behind the last one."""
    other = 0
    while other < count and not is_slower(kept, each, count, other, span, longest):
        other += 1
    return other < count


@compiled
def find_fastest(  # noqa: C901, PLR0915 (compiled: tuples of arrays are dear to pass on)
    trees: Trees, problem: Problem, known: Fastest, room: Room, desk: Desk
) -> bool:
    """Find the mappings that can be fastest; return whether there was room enough.

    Parameters
    ----------
    trees, problem, room, desk
        As for `dse.mapping.search.undominated.search`, but with `BINS` bins for each room, and
        one buffer.
    known
        See `Fastest`.

    Notes
    -----
    Rooms are searched from the smallest, so that what is known fits into all that follow.
    """
    nodes, factors, steps = trees.nodes, trees.factors, trees.steps
    groups, is_mirrored = problem.open_groups, problem.mirrored[0] > 0
    bounds, loops, variants = problem.bounds, problem.loops, problem.variants
    traffic, ends_of, on_chip = problem.traffic, problem.ends, problem.on_chip
    flat_loops, flat_sizes, floor = problem.flat_loops, problem.flat_sizes, problem.floor
    rooms, ratios, kept, counts = known.rooms, known.ratios, known.kept, known.counts
    longest = known.longest
    state, heads = room.state, room.heads
    box, point, others, totals = desk.box, desk.point, desk.others, desk.totals
    other_steps, flat, sizes, number = desk.other_steps, desk.flat, desk.sizes, desk.number
    rate = problem.links[2] if len(problem.links) else 0
    flats = flat, problem.flat_of, flat_sizes[:, 1], problem.fill[0], rate
    for group in range(GROUPS):
        box[group] = problem.roots[group]
    box[ORDERS], box[LEVEL] = (1 << len(variants)) - 1, (1 << ratios.shape[1]) - 1
    store_box(room, box, 0)
    while not state[IS_FULL]:
        if not take_box(room, box):
            while state[BIN] < len(heads) and heads[state[BIN]] < 0:
                state[BIN] += 1
            if state[BIN] == len(heads):
                break
            continue
        split = widest_group(nodes, box, groups)
        is_leaf = split < 0
        split = groups[0] if is_leaf else split
        parent, orders, asked = box[split], box[ORDERS], box[LEVEL]
        set_products(others, factors, box, groups, split)
        has_steps = False
        for half in range(LEFT, RIGHT + 1):
            if not is_leaf:
                box[split] = nodes[parent, half]
            elif half == RIGHT:
                break
            if is_mirrored and nodes[box[Y], LEAST] > nodes[box[X], MOST]:
                continue
            row = box[split]
            for column in range(FACTORS):
                totals[column] = others[column] * factors[row, column]
            set_bits(point, totals, ends_of, on_chip, floor)
            place = _room_of(rooms, point[BUFFERS])
            if place == len(rooms):
                continue
            left, best, bits = open_orders(orders, LARGEST, totals, traffic, variants)
            if not left:
                continue
            if is_leaf or len(flat):
                set_sizes(sizes, nodes, box, loops)
                for one in range(len(flat)):
                    flat[one] = least_flat_steps(bounds, sizes, flat_loops, one, flat_sizes[one, 0])
            if not has_steps:
                set_products(other_steps, steps, box, groups, split)
                has_steps = True
            cycles = least_cycles(other_steps, steps, row, flats)
            cycles = linked(cycles, other_steps, steps, row, problem.links)
            ends = exposed_transfer(point[POINT_ENDS], bits, known.transfers)
            still, longer = 0, np.inf
            for each in range(ratios.shape[1]):
                if not asked >> each & 1:
                    continue
                count, span = counts[each], (ratios[0, each], ratios[1, each])
                kept[count, each, ENDS] = ends
                kept[count, each, DRAM] = bits
                kept[count, each, CYCLES] = cycles
                if _is_beaten(kept, each, count, span, longest):
                    continue
                still |= 1 << each
                if is_leaf:
                    counts[each] = joined(kept, each, count, span, longest)
                    if counts[each] == len(kept):
                        counts[each] -= 1
                        state[IS_FULL] = 1
                else:
                    time = latency_cycles(span[0], cycles, ends, bits)
                    longer = min(longer, time / known.shortest[each])
            if not still:
                continue
            if is_leaf:
                point[POINT_DRAM] = bits
                set_mapping(room.found[state[FOUND]], point, cycles, sizes, best)
                state[FOUND] += 1
                if state[FOUND] == len(room.found):
                    state[IS_FULL] = 1
            else:
                box[ORDERS], box[LEVEL] = left, still
                later = min(bin_of(longer, number), BINS - 1)
                store_box(room, box, place * BINS + max(later, 0))
    return state[IS_FULL] == 0
