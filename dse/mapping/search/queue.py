"""Boxes of tile sizes that wait to be halved, and where a search keeps what it knows, compiled."""

from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, Int32Array, IntArray
from dse.compiling import inlined
from dse.mapping.search.box_bounds import Problem
from dse.mapping.search.size_tree import FACTORS, SPREAD, Trees

ORDERS, LEVEL, BOX = 6, 7, 8
"""Columns of a box: the row of each group's tree; open loop orders, level of its least cycles."""

BLOCK = 64
"""Boxes that are kept together."""

BIN, USED, FREE, FOUND, SETTLED, IS_FULL = 0, 1, 2, 3, 4, 5
"""Places of `Room.state`."""

BIN_BITS = 6
NUM_BINS = 64 << BIN_BITS
"""Boxes wait in bins of their least buffer bits, 2**BIN_BITS to an octave. Those that fit below the
floor are equal there, and wait in bins of their least DRAM bits before all others."""


class Room(NamedTuple):
    """Where a search keeps what it knows.

    Attributes
    ----------
    heads : shape (bins,)
        The last block put into each bin, -1 for none; see `NUM_BINS`.
    num_boxes : shape (bins,)
        Boxes in that block.
    boxes : shape (blocks, BLOCK, BOX)
        Boxes; see `ORDERS`.
    below : shape (blocks,)
        The block below each in its bin, -1 for none. Blocks that are free are linked likewise.
    listed : shape (levels, mappings, 2 + buffers)
        Points of known mappings within a level of cycles, DRAM bits ascending.
    num_listed : shape (levels,)
        Their number.
    near : shape (levels, mappings, buffers + 3)
        Criteria of found mappings whose cycles lie from a level to below the next.
    num_near : shape (levels,)
        Their number.
    found : shape (mappings, buffers + loops + 4)
        See `search`.
    waiting : shape (mappings, buffers + loops + 4)
        Mappings of the bin in hand.
    order : shape (mappings,)
        Their order.
    state : shape (6,)
        Bin in hand, blocks used, first free block, mappings found, found in earlier bins, whether
        room was lacking.
    """

    heads: IntArray
    num_boxes: IntArray
    boxes: Int32Array
    below: IntArray
    listed: IntArray
    num_listed: IntArray
    near: IntArray
    num_near: IntArray
    found: IntArray
    waiting: IntArray
    order: IntArray
    state: IntArray


class Desk(NamedTuple):
    """What a search writes for the box in hand.

    Attributes
    ----------
    box : shape (BOX,)
        See `ORDERS`.
    point : shape (2 + buffers,)
        See `POINT_DRAM`.
    others, totals : shape (FACTORS,)
        Products of the factors of all groups but one, and of all.
    other_steps : shape (columns of steps,)
        Products of the steps of all groups but one.
    flat : shape (flattened,)
        Least steps of each flattened axis.
    sizes : shape (2, loops)
        Least and most tile size of each loop.
    number : shape (1,)
        Room for a number whose bits are read.
    """

    box: IntArray
    point: IntArray
    others: IntArray
    totals: IntArray
    other_steps: IntArray
    flat: IntArray
    sizes: IntArray
    number: FloatArray


def room_for(problem: Problem, boxes: int, mappings: int, bins: int) -> Room:
    """Return room for a search of so many boxes at a time, known mappings and bins."""
    levels, buffers, loops = len(problem.levels), len(problem.on_chip), len(problem.bounds)
    blocks = boxes // BLOCK + 1
    room = Room(
        heads=np.empty(bins, dtype=np.int64),
        num_boxes=np.empty(bins, dtype=np.int64),
        boxes=np.empty((blocks, BLOCK, BOX), dtype=np.int32),
        below=np.empty(blocks, dtype=np.int64),
        listed=np.empty((levels, mappings, 2 + buffers), dtype=np.int64),
        num_listed=np.empty(levels, dtype=np.int64),
        near=np.empty((levels, mappings, buffers + 3), dtype=np.int64),
        num_near=np.empty(levels, dtype=np.int64),
        found=np.empty((mappings, buffers + loops + 4), dtype=np.int64),
        waiting=np.empty((mappings, buffers + loops + 4), dtype=np.int64),
        order=np.empty(mappings, dtype=np.int64),
        state=np.empty(6, dtype=np.int64),
    )
    empty_room(room)
    return room


def empty_room(room: Room) -> None:
    """Make room for another search of the same kind."""
    room.heads.fill(-1)
    room.num_boxes.fill(BLOCK)
    room.num_listed.fill(0)
    room.num_near.fill(0)
    room.state[:] = (0, 0, -1, 0, 0, 0)


def desk_for(trees: Trees, problem: Problem) -> Desk:
    """Return what a search writes on."""
    return Desk(
        box=np.empty(BOX, dtype=np.int64),
        point=np.empty(2 + len(problem.on_chip), dtype=np.int64),
        others=np.empty(FACTORS, dtype=np.int64),
        totals=np.empty(FACTORS, dtype=np.int64),
        other_steps=np.empty(trees.steps.shape[1], dtype=np.int64),
        flat=np.empty(len(problem.flat_sizes), dtype=np.int64),
        sizes=np.ones((2, len(problem.bounds)), dtype=np.int64),
        number=np.empty(1),
    )


@inlined
def bin_of(size: float, number: FloatArray) -> int:
    """Return the bin of a positive number: its binary order and the first bits below.

    `number` of shape (1,) is room for it as a float, whose bits are read.
    """
    number[0] = size
    return (number.view(np.int64)[0] >> (52 - BIN_BITS)) - (1023 << BIN_BITS)


@inlined
def store_box(room: Room, box: IntArray, which: int) -> None:
    """Put a box into a bin."""
    state, below = room.state, room.below
    block = room.heads[which]
    if room.num_boxes[which] == BLOCK:
        fresh = state[FREE]
        if fresh >= 0:
            state[FREE] = below[fresh]
        else:
            fresh = state[USED]
            state[USED] += 1
            if state[USED] + 2 > len(below):  # a box that is taken leaves up to two
                state[IS_FULL] = 1
        below[fresh] = block
        block = fresh
        room.heads[which] = block
        room.num_boxes[which] = 0
    place = room.num_boxes[which]
    for column in range(BOX):
        room.boxes[block, place, column] = box[column]
    room.num_boxes[which] = place + 1


@inlined
def take_box(room: Room, box: IntArray) -> bool:
    """Take the last box from the bin in hand; return whether there was one."""
    state, which = room.state, room.state[BIN]
    block = room.heads[which]
    if block < 0:
        return False
    place = room.num_boxes[which] - 1
    for column in range(BOX):
        box[column] = room.boxes[block, place, column]
    room.num_boxes[which] = place
    if place == 0:
        room.heads[which] = room.below[block]
        room.num_boxes[which] = BLOCK
        room.below[block] = state[FREE]
        state[FREE] = block
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
