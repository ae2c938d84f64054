"""The bucket queue of open boxes of tile sizes, and the arrays that a search fills, compiled."""

from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, Int32Array, IntArray
from dse.compiling import inlined
from dse.mapping.search.mapping_problem import MappingProblem
from dse.mapping.search.size_tree import FACTORS, SPREAD, Trees
from dse.stopping import stop_flag

ORDERS, LEVEL, BOX = 6, 7, 8
"""Columns of a box: the row of each group's tree; open loop orders, level of its least cycles."""

BLOCK = 64
"""Boxes of a bin are stored in blocks of so many."""

BIN, USED, FREE, FOUND, SETTLED, IS_FULL = 0, 1, 2, 3, 4, 5
"""Indices of `SearchState.counters`."""

BIN_BITS = 6
NUM_BINS = 64 << BIN_BITS
"""Bins of the queue: by the least buffer bits of a box, 2**BIN_BITS to an octave. Boxes below the
floor are equal there; they have bins of their own, by least DRAM bits, ahead of all others."""


class SearchState(NamedTuple):
    """Queue of open boxes and archive of mappings.

    Attributes
    ----------
    heads : shape (bins,)
        The last block of each bin, -1 for none; see `NUM_BINS`.
    num_boxes : shape (bins,)
        Boxes in that block.
    boxes : shape (blocks, BLOCK, BOX)
        Boxes; see `ORDERS`.
    next_block : shape (blocks,)
        The next block of the same bin, -1 for none. Free blocks are linked likewise.
    archive : shape (levels, mappings, 2 + buffers)
        Points of the found mappings of at most so many cycles, DRAM bits ascending.
    num_archived : shape (levels,)
        Their number.
    level_rows : shape (levels, mappings, buffers + 3)
        Criteria of the found mappings whose cycles lie from a level to below the next.
    num_level_rows : shape (levels,)
        Their number.
    found : shape (mappings, buffers + loops + 4)
        See `search`.
    candidates : shape (mappings, buffers + loops + 4)
        Mappings of the current bin.
    candidate_order : shape (mappings,)
        Indices that sort them.
    counters : shape (6,)
        Current bin, blocks used, first free block, mappings found, those of them from earlier bins,
        whether an array was too short.
    stop : shape (1,)
        That of `dse.stopping.stop_flag`: not 0 once the search is asked to stop.
    """

    heads: IntArray
    num_boxes: IntArray
    boxes: Int32Array
    next_block: IntArray
    archive: IntArray
    num_archived: IntArray
    level_rows: IntArray
    num_level_rows: IntArray
    found: IntArray
    candidates: IntArray
    candidate_order: IntArray
    counters: IntArray
    stop: IntArray


class SearchScratch(NamedTuple):
    """Scratch arrays for the box being split.

    Attributes
    ----------
    box : shape (BOX,)
        See `ORDERS`.
    point : shape (2 + buffers,)
        See `POINT_DRAM`.
    other_factors, totals : shape (FACTORS,)
        Products of the factors of all groups but one, and of all.
    other_steps : shape (columns of steps,)
        Products of the steps of all groups but one.
    flat : shape (flattened,)
        Least steps of each flattened axis.
    sizes : shape (2, loops)
        Least and most tile size of each loop.
    number : shape (1,)
        A number whose bits are read.
    """

    box: IntArray
    point: IntArray
    other_factors: IntArray
    totals: IntArray
    other_steps: IntArray
    flat: IntArray
    sizes: IntArray
    number: FloatArray


def state_for(problem: MappingProblem, boxes: int, mappings: int, bins: int) -> SearchState:
    """Return the state of a search with so many open boxes, found mappings and bins at most."""
    levels, buffers, loops = len(problem.levels), len(problem.on_chip), len(problem.bounds)
    blocks = boxes // BLOCK + 1
    state = SearchState(
        heads=np.empty(bins, dtype=np.int64),
        num_boxes=np.empty(bins, dtype=np.int64),
        boxes=np.empty((blocks, BLOCK, BOX), dtype=np.int32),
        next_block=np.empty(blocks, dtype=np.int64),
        archive=np.empty((levels, mappings, 2 + buffers), dtype=np.int64),
        num_archived=np.empty(levels, dtype=np.int64),
        level_rows=np.empty((levels, mappings, buffers + 3), dtype=np.int64),
        num_level_rows=np.empty(levels, dtype=np.int64),
        found=np.empty((mappings, buffers + loops + 4), dtype=np.int64),
        candidates=np.empty((mappings, buffers + loops + 4), dtype=np.int64),
        candidate_order=np.empty(mappings, dtype=np.int64),
        counters=np.empty(6, dtype=np.int64),
        stop=stop_flag(),
    )
    empty_state(state)
    return state


def empty_state(state: SearchState) -> None:
    """Empty a state for another search of the same kind."""
    state.heads.fill(-1)
    state.num_boxes.fill(BLOCK)
    state.num_archived.fill(0)
    state.num_level_rows.fill(0)
    state.counters[:] = (0, 0, -1, 0, 0, 0)


def scratch_for(trees: Trees, problem: MappingProblem) -> SearchScratch:
    """Return the scratch arrays of a search."""
    return SearchScratch(
        box=np.empty(BOX, dtype=np.int64),
        point=np.empty(2 + len(problem.on_chip), dtype=np.int64),
        other_factors=np.empty(FACTORS, dtype=np.int64),
        totals=np.empty(FACTORS, dtype=np.int64),
        other_steps=np.empty(trees.steps.shape[1], dtype=np.int64),
        flat=np.empty(len(problem.flat_sizes), dtype=np.int64),
        sizes=np.ones((2, len(problem.bounds)), dtype=np.int64),
        number=np.empty(1),
    )


@inlined
def bin_of(size: float, number: FloatArray) -> int:
    """Return the bin of a positive number: its binary order and the first bits below.

    `number` of shape (1,) holds it as a float, whose bits are read.
    """
    number[0] = size
    return (number.view(np.int64)[0] >> (52 - BIN_BITS)) - (1023 << BIN_BITS)


@inlined
def store_box(state: SearchState, box: IntArray, bin_index: int) -> None:
    """Put a box into a bin."""
    counters, next_block = state.counters, state.next_block
    block = state.heads[bin_index]
    if state.num_boxes[bin_index] == BLOCK:
        fresh = counters[FREE]
        if fresh >= 0:
            counters[FREE] = next_block[fresh]
        else:
            fresh = counters[USED]
            counters[USED] += 1
            if counters[USED] + 2 > len(next_block):  # a box that is taken leaves up to two
                counters[IS_FULL] = 1
        next_block[fresh] = block
        block = fresh
        state.heads[bin_index] = block
        state.num_boxes[bin_index] = 0
    index = state.num_boxes[bin_index]
    for column in range(BOX):
        state.boxes[block, index, column] = box[column]
    state.num_boxes[bin_index] = index + 1


@inlined
def take_box(state: SearchState, box: IntArray) -> bool:
    """Take the last box from the current bin; return whether there was one."""
    counters, bin_index = state.counters, state.counters[BIN]
    block = state.heads[bin_index]
    if block < 0:
        return False
    index = state.num_boxes[bin_index] - 1
    for column in range(BOX):
        box[column] = state.boxes[block, index, column]
    state.num_boxes[bin_index] = index
    if index == 0:
        state.heads[bin_index] = state.next_block[block]
        state.num_boxes[bin_index] = BLOCK
        state.next_block[block] = counters[FREE]
        counters[FREE] = block
    return True


@inlined
def widest_group(nodes: IntArray, box: IntArray, groups: IntArray) -> int:
    """Return the group with the widest range of sizes, -1 if every one has one size."""
    widest, most = -1, 0
    for group in groups:
        spread = nodes[box[group], SPREAD]
        if spread > most:
            widest, most = group, spread
    return widest
