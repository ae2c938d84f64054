"""Best-first branch and bound for the undominated mappings, compiled.

A box is one range of sizes for each group of loops. Its least factors bound the criteria of every
mapping in it, so that a box that a known mapping beats holds nothing worth having. Boxes leave the
queue by the buffer bits that they need at least: whatever can beat a mapping has left before it.
The method is that of Papadias, Tao, Fu and Seeger, SIGMOD 2003, on boxes that are never listed.

Rows are addressed in place, as a view of an array costs more than what is read from it.
"""

from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, Int32Array, IntArray
from dse.compiling import allocating, compiled, inlined

LEFT, RIGHT, SPREAD, LEAST, MOST, WIDTH = 0, 1, 2, 3, 5, 7
"""Columns of a tree: halves (-1 for none), width, least and most tile size of up to two loops."""

ELEMENTS, ROWS, PASSES, FACTORS = 0, 3, 6, 9
"""Columns of factors: tile elements of input, weight, output; input rows fetched, kept along y,
kept along x; passes of input, weight, output."""

GROUPS, Y, X = 6, 4, 5
"""Groups of loops, and which of them are the spatial ones."""

ORDERS, LEVEL, BOX = 6, 7, 8
"""Columns of a box: the row of each group's tree; open loop orders, level of its least cycles."""

BLOCK = 64
"""Boxes that are kept together."""

POINT_DRAM, POINT_ENDS, BUFFERS = 0, 1, 2
"""Columns of a point: DRAM bits, first and last bits, bits of each buffer."""

BIN, USED, FREE, FOUND, SETTLED, IS_FULL = 0, 1, 2, 3, 4, 5
"""Places of `Room.state`."""

BIN_BITS = 6
NUM_BINS = 64 << BIN_BITS
"""Boxes wait in bins of their least buffer bits, 2**BIN_BITS to an octave. Those that fit below the
floor are equal there, and wait in bins of their least DRAM bits before all others."""

AFTER_CRITERIA = 9
"""Columns of a found mapping after its criteria: tiles of 8 loops, loop order."""

LARGEST = np.iinfo(np.int64).max


class Trees(NamedTuple):
    """The sizes of each group of loops; each row holds the least of its halves.

    Attributes
    ----------
    nodes : shape (rows, WIDTH)
        See `LEFT`.
    factors : shape (rows, FACTORS)
        See `ELEMENTS`.
    steps : shape (rows, assignments, twice with fill, once more with inputs, and two with links)
        Array steps by assignment of the axes, then array passes; flattened axes are left out. Then
        bits that pass between the buffers and the array: those of inputs by assignment, if they
        are limited, and those of partial sums and of weights.
    """

    nodes: IntArray
    factors: IntArray
    steps: IntArray


class Problem(NamedTuple):
    """What all mappings of a layer on an array share.

    Attributes
    ----------
    roots : shape (GROUPS,)
        Rows of the trees' roots.
    open_groups : shape (open groups,)
        Groups with more than one size; the trees of the others have costs of 1. At least one.
    mirrored : shape (1,)
        Whether y and x may change places, so that the smaller output tile may be that of y.
    loops : shape (GROUPS, 2)
        The loops of each group, -1 for none.
    bounds : shape (loops,)
        Loop bounds.
    traffic : shape (4,)
        DRAM bits of inputs for each row that is fetched, of weights, of outputs, and those of
        partial sums that are written and read once.
    ends : shape (3,)
        DRAM bits of an element of each operand.
    on_chip : shape (buffers, 3)
        Bits that an element of each operand takes in each buffer.
    variants : shape (variants, 3)
        Loop orders: stationary operand; rows of the input, as in the factors; operand whose
        irrelevant loops must have one tile, -1 for none.
    flat_loops : shape (flattened, loops)
        Loops of flattened axes, padded with -1.
    flat_sizes : shape (flattened, 2)
        MACs along a flattened axis, and whether it counts in passes.
    flat_of : shape (assignments, axes)
        The flattened axes of each assignment, padded with -1.
    levels : shape (levels,), ascending
        Numbers of cycles, from the fewest: known mappings are listed by them.
    fill : shape (1,)
        Cycles of an array pass.
    links : shape (3,) or (0,)
        Bits of partial sums, of weights and of inputs that pass in a cycle; none if the array never
        waits, 0 of inputs if it never waits for them.
    floor : shape (buffers,)
        Bits up to which mappings count as equally large in each buffer.
    """

    roots: IntArray
    open_groups: IntArray
    mirrored: IntArray
    loops: IntArray
    bounds: IntArray
    traffic: IntArray
    ends: IntArray
    on_chip: IntArray
    variants: IntArray
    flat_loops: IntArray
    flat_sizes: IntArray
    flat_of: IntArray
    levels: IntArray
    fill: IntArray
    links: IntArray
    floor: IntArray


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


@allocating
def first_undominated(points: IntArray) -> IntArray:
    """Return the indices of the undominated rows; of equal rows the first.

    Parameters
    ----------
    points : shape (points, criteria), rows in lexicographic order
        Criteria, less is better. A row is then dominated by earlier rows only.
    """
    keep = np.empty(points.shape[0], dtype=np.int64)
    known = np.empty(points.shape[0], dtype=np.int64)
    count = 0
    for row in range(points.shape[0]):
        rival = 0
        while rival < count:
            column = 0
            while column < points.shape[1] and points[known[rival], column] <= points[row, column]:
                column += 1
            if column == points.shape[1]:
                break
            rival += 1
        if rival == count:
            known[count] = row
            keep[count] = row
            count += 1
        else:  # forward, so that strong rows are tried first
            known[rival], known[rival // 2] = known[rival // 2], known[rival]
    return keep[:count]


@allocating
def _cut(tiles: IntArray, low: int, high: int) -> int:
    """Return where to halve the sorted sizes low..high-1: at the geometric middle."""
    column = 1 if tiles[low, 1] != tiles[high - 1, 1] else 0
    middle = np.sqrt(float(tiles[low, column]) * tiles[high - 1, column])
    place = low + 1
    while place < high - 1 and tiles[place, column] <= middle:
        place += 1
    return place


@allocating
def _set_leaf(node: IntArray, tiles: IntArray) -> None:
    node[LEFT:LEAST] = (-1, -1, 0)
    node[LEAST:MOST] = tiles
    node[MOST:WIDTH] = tiles


@allocating
def _set_parent(node: IntArray, left: IntArray, right: IntArray) -> None:
    wide = 1.0
    for loop in range(2):
        node[LEAST + loop] = min(left[LEAST + loop], right[LEAST + loop])
        node[MOST + loop] = max(left[MOST + loop], right[MOST + loop])
        wide *= node[MOST + loop] / node[LEAST + loop]
    node[SPREAD] = 1 + int(1024 * np.log(wide))


@allocating
def grow_tree(tiles: IntArray, costs: IntArray) -> tuple[IntArray, IntArray]:
    """Return the tree of the sizes of a group, its root in row 0, and the least costs of each row.

    Parameters
    ----------
    tiles : shape (sizes, 2), sorted by the second column, then the first
        Tile sizes of the loops of the group; 1 for a second loop that it does not have.
    costs : shape (sizes, columns)
        Factors, steps and passes of each size.
    """
    size = tiles.shape[0]
    nodes = np.empty((2 * size - 1, WIDTH), dtype=np.int64)
    least = np.empty((2 * size - 1, costs.shape[1]), dtype=np.int64)
    ends = np.empty((2 * size - 1, 2), dtype=np.int64)
    ends[0] = (0, size)
    count = 1
    for row in range(2 * size - 1):
        low, high = ends[row]
        if high - low == 1:
            _set_leaf(nodes[row], tiles[low])
            least[row] = costs[low]
            continue
        middle = _cut(tiles, low, high)
        ends[count] = (low, middle)
        ends[count + 1] = (middle, high)
        nodes[row, LEFT] = count
        nodes[row, RIGHT] = count + 1
        count += 2
    for row in range(2 * size - 2, -1, -1):
        if nodes[row, LEFT] >= 0:
            left, right = nodes[row, LEFT], nodes[row, RIGHT]
            _set_parent(nodes[row], nodes[left], nodes[right])
            least[row] = np.minimum(least[left], least[right])
    return nodes, least


@compiled
def join_tree(trees: Trees, root: int, nodes: IntArray, least: IntArray) -> None:
    """Put the tree of a group among those of all, its root in the given row.

    Parameters
    ----------
    nodes : shape (rows, WIDTH)
        As `grow_tree` returns them.
    least : shape (rows, FACTORS + columns of steps)
        Least costs of each row.
    """
    for row in range(len(nodes)):
        for column in range(WIDTH):
            trees.nodes[root + row, column] = nodes[row, column]
        if nodes[row, LEFT] >= 0:
            trees.nodes[root + row, LEFT] += root
            trees.nodes[root + row, RIGHT] += root
        for column in range(FACTORS):
            trees.factors[root + row, column] = least[row, column]
        for column in range(trees.steps.shape[1]):
            trees.steps[root + row, column] = least[row, FACTORS + column]


@inlined
def bin_of(size: float, number: FloatArray) -> int:
    """Return the bin of a positive number: its binary order and the first bits below.

    `number` of shape (1,) is room for it as a float, whose bits are read.
    """
    number[0] = size
    return (number.view(np.int64)[0] >> (52 - BIN_BITS)) - (1023 << BIN_BITS)


@inlined
def set_products(
    totals: IntArray, costs: IntArray, box: IntArray, groups: IntArray, without: int
) -> None:
    """Fill in the products of the costs of all groups but one."""
    is_first = True
    for group in groups:
        if group != without:
            row = box[group]
            if is_first:
                for column in range(costs.shape[1]):
                    totals[column] = costs[row, column]
            else:
                for column in range(costs.shape[1]):
                    totals[column] *= costs[row, column]
            is_first = False
    if is_first:
        totals[:] = 1


@inlined
def set_sizes(sizes: IntArray, nodes: IntArray, box: IntArray, loops: IntArray) -> None:
    """Fill in the least and the most tile size of each loop in a box, shape (2, loops)."""
    for group in range(GROUPS):
        for place in range(2):
            loop = loops[group, place]
            if loop >= 0:
                sizes[0, loop] = nodes[box[group], LEAST + place]
                sizes[1, loop] = nodes[box[group], MOST + place]


@inlined
def _flat_steps(bounds: IntArray, sizes: IntArray, loops: IntArray, one: int, length: int) -> int:
    """Count the steps of a flattened axis over all tiles, their sizes being settled."""
    number = 0
    while number < loops.shape[1] and loops[one, number] >= 0:
        number += 1
    total = 0
    for edges in range(1 << number):
        count, extent = 1, 1
        for place in range(number):
            bound, tile = bounds[loops[one, place]], sizes[0, loops[one, place]]
            if edges >> place & 1:
                count *= 1 if bound % tile else 0
                extent *= bound % tile
            else:
                count *= bound // tile
                extent *= tile
        if count:
            total += count * -(-extent // length)
    return total


@inlined
def least_flat_steps(
    bounds: IntArray, sizes: IntArray, loops: IntArray, one: int, length: int
) -> int:
    """Bound the steps of a flattened axis from below; exact where the sizes are settled."""
    tiles, whole, full, extent = 1, 1, 1, 1
    is_open = False
    for place in range(loops.shape[1]):
        loop = loops[one, place]
        if loop < 0:
            break
        is_open = is_open or sizes[0, loop] != sizes[1, loop]
        tiles *= -(-bounds[loop] // sizes[1, loop])
        full *= bounds[loop] // sizes[1, loop]
        whole *= bounds[loop]
        extent *= sizes[0, loop]
    if is_open:
        return max(tiles, -(-whole // length), full * -(-extent // length))
    return _flat_steps(bounds, sizes, loops, one, length)


@inlined
def linked(cycles: int, others: IntArray, steps: IntArray, row: int, links: IntArray) -> int:
    """Return cycles of the array with those in which it waits; see `CycleCounter.linked`."""
    if not len(links):
        return cycles
    place = steps.shape[1] - 2
    passing = -(-(others[place] * steps[row, place]) // links[0])
    loading = -(-(others[place + 1] * steps[row, place + 1]) // links[1])
    return max(cycles, passing) + loading


@inlined
def least_cycles(
    others: IntArray,
    steps: IntArray,
    row: int,
    flats: tuple[IntArray, IntArray, IntArray, int, int],
) -> int:
    """Return the least cycles of all assignments, of a row of steps and what others multiply.

    `flats` are the steps of flattened axes, those of each assignment, whether each counts in
    passes, the cycles of a pass, and the bits of inputs that pass in a cycle, 0 for any number.
    """
    flat, flat_of, in_passes, fill, rate = flats
    least = LARGEST
    if not len(flat) and not fill and not rate:
        for one in range(flat_of.shape[0]):
            least = min(least, others[one] * steps[row, one])
        return least
    inputs = steps.shape[1] - 2 - flat_of.shape[0]
    for one in range(flat_of.shape[0]):
        done = others[one] * steps[row, one]
        passes = 0
        if fill:
            passes = others[flat_of.shape[0] + one] * steps[row, flat_of.shape[0] + one]
        for axis in range(flat_of.shape[1]):
            shared = flat_of[one, axis]
            if shared >= 0:
                done *= flat[shared]
                passes *= flat[shared] if in_passes[shared] else 1
        done += fill * passes
        if rate:
            done = max(done, -(-(others[inputs + one] * steps[row, inputs + one]) // rate))
        least = min(least, done)
    return least


@inlined
def set_bits(
    point: IntArray, totals: IntArray, ends: IntArray, on_chip: IntArray, floor: IntArray
) -> int:
    """Fill in first and last bits and the bits of each buffer; return the latter above the floor.

    0 is returned where no buffer needs more than the floor.
    """
    point[POINT_ENDS] = ends[0] * totals[0] + ends[1] * totals[1] + ends[2] * totals[2]
    key, is_floor = 0, True
    for buffer in range(on_chip.shape[0]):
        bits = 0
        for operand in range(3):
            bits += on_chip[buffer, operand] * totals[ELEMENTS + operand]
        point[BUFFERS + buffer] = max(bits, floor[buffer])
        if bits > floor[buffer]:
            is_floor = False
        key += max(bits, floor[buffer])
    return 0 if is_floor else key


@inlined
def _dram_bits(totals: IntArray, traffic: IntArray, variants: IntArray, order: int) -> int:
    """Return the DRAM bits in a loop order; `LARGEST` if the machine does not allow it."""
    stationary, uncut = variants[order, 0], variants[order, 2]
    if uncut >= 0 and totals[PASSES + uncut] > 1:
        return LARGEST
    inputs = traffic[0] * totals[ROWS + variants[order, 1]]
    if stationary != 0:
        inputs *= totals[PASSES]
    weights = traffic[1] if stationary == 1 else traffic[1] * totals[PASSES + 1]
    outputs = traffic[2]
    if stationary != 2:
        outputs += traffic[3] * (totals[PASSES + 2] - 1)
    return inputs + weights + outputs


@inlined
def _level(levels: IntArray, cycles: int, low: int) -> int:
    """Return the highest level of at most so many cycles, which is no lower than a known one."""
    while low + 1 < len(levels) and levels[low + 1] <= cycles:
        low += 1
    return low


@inlined
def _is_within(listed: IntArray, level: int, row: int, point: IntArray) -> bool:
    """Whether a listed mapping is no larger on chip than a point, nor in first and last bits."""
    column = 1
    while column < listed.shape[2] and listed[level, row, column] <= point[column]:
        column += 1
    return column == listed.shape[2]


@inlined
def _first_within(listed: IntArray, level: int, count: int, point: IntArray) -> int:
    """Return the first listed mapping that is no larger on chip than a point, or -1.

    With one buffer, whatever is listed takes no more of it than any point asked for later, and
    first and last bits fall along the list.
    """
    if listed.shape[2] > BUFFERS + 1:
        for row in range(count):
            if _is_within(listed, level, row, point):
                return row
        return -1
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if listed[level, middle, POINT_ENDS] <= point[POINT_ENDS]:
            high = middle
        else:
            low = middle + 1
    return low if low < count else -1


@inlined
def _beaten_from(listed: IntArray, num_listed: IntArray, level: int, point: IntArray) -> int:
    """Return the DRAM bits from which on a listed mapping beats a point.

    It lies in an earlier bin than the point, so that it is smaller in one thing at least: on chip,
    or below the floor in DRAM bits.
    """
    rival = _first_within(listed, level, num_listed[level], point)
    return LARGEST if rival < 0 else listed[level, rival, POINT_DRAM]


@inlined
def open_orders(
    orders: int, beaten: int, totals: IntArray, traffic: IntArray, variants: IntArray
) -> tuple[int, int, int]:
    """Return the orders with less traffic than what is beaten, as bits; the best; its DRAM bits."""
    left, best, least = 0, 0, LARGEST
    for order in range(variants.shape[0]):
        if orders >> order & 1:
            bits = _dram_bits(totals, traffic, variants, order)
            if bits < beaten:
                left |= 1 << order
                if bits < least:
                    least = bits
                    best = order
    return left, best, least


@inlined
def _place(listed: IntArray, level: int, count: int, bits: int) -> int:
    """Return the first listed row of more DRAM bits."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if listed[level, middle, POINT_DRAM] <= bits:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _move(listed: IntArray, level: int, rows: tuple[int, int], target: int) -> None:
    """Move the rows from one to before another to the target, which they may overlap."""
    low, high = rows
    if target < low:
        for row in range(low, high):
            for column in range(listed.shape[2]):
                listed[level, target + row - low, column] = listed[level, row, column]
    elif target > low:
        for row in range(high - 1, low - 1, -1):
            for column in range(listed.shape[2]):
                listed[level, target + row - low, column] = listed[level, row, column]


@inlined
def _is_matched(listed: IntArray, level: int, row: int, point: IntArray) -> bool:
    """Whether a point is no larger than a listed mapping of no fewer DRAM bits.

    With one buffer its bits do not count: from now on points are larger than both.
    """
    last = POINT_ENDS if listed.shape[2] == BUFFERS + 1 else listed.shape[2] - 1
    column = POINT_ENDS
    while column <= last and point[column] <= listed[level, row, column]:
        column += 1
    return column > last


@compiled
def _list(listed: IntArray, level: int, count: int, point: IntArray) -> int:
    """List a mapping unless a listed one is no worse, drop what it matches; return the count."""
    is_falling = listed.shape[2] == BUFFERS + 1
    place = _place(listed, level, count, point[POINT_DRAM])
    for row in range(max(place - 1, 0) if is_falling else 0, place):
        if _is_within(listed, level, row, point):
            return count
    while place > 0 and listed[level, place - 1, POINT_DRAM] == point[POINT_DRAM]:
        place -= 1
    kept, row = place, place
    while row < count:
        if not _is_matched(listed, level, row, point):
            if is_falling:  # the rest have fewer first and last bits, too
                break
            _move(listed, level, (row, row + 1), kept)
            kept += 1
        row += 1
    _move(listed, level, (row, count), kept + 1)
    _move(listed, level, (place, kept), place + 1)
    for column in range(listed.shape[2]):
        listed[level, place, column] = point[column]
    return kept + 1 + count - row


@inlined
def _is_no_worse(one: IntArray, row: int, other: IntArray, first: int) -> bool:
    """Whether a mapping is no larger than another in any criterion from a first one on."""
    column, criteria = first, len(other) - AFTER_CRITERIA
    while column < criteria and one[row, column] <= other[column]:
        column += 1
    return column == criteria


@compiled
def _is_new(room: Room, levels: IntArray, mapping: IntArray, point: IntArray) -> bool:
    """Whether no found mapping is as good as one that those listed within its level do not beat.

    If those listed within the next level do not beat it either, few are left to compare.
    """
    for row in range(room.state[SETTLED], room.state[FOUND]):
        if _is_no_worse(room.found, row, mapping, 0):
            return False
    level = _level(levels, mapping[len(point)], 0)
    if level + 1 < len(levels):
        beaten = _beaten_from(room.listed, room.num_listed, level + 1, point)
        if point[POINT_DRAM] < beaten:
            return True
    first = _first_telling(point)
    for place in range(room.num_near[level] - 1, -1, -1):
        if _is_no_worse(room.near[level], place, mapping, first):
            return False
    return True


@inlined
def _first_telling(point: IntArray) -> int:
    """Return the first criterion that tells mappings of earlier bins from those of later ones.

    With one buffer its bits do not: later mappings take more of it.
    """
    return 1 if len(point) == BUFFERS + 1 else 0


@compiled
def _keep_near(near: IntArray, count: int, mapping: IntArray, first: int) -> int:
    """Add the criteria of a mapping, drop those that it matches; return the count."""
    kept = 0
    for row in range(count):
        column = first
        while column < near.shape[1] and mapping[column] <= near[row, column]:
            column += 1
        if column < near.shape[1]:
            if kept < row:
                for each in range(near.shape[1]):
                    near[kept, each] = near[row, each]
            kept += 1
    for column in range(near.shape[1]):
        near[kept, column] = mapping[column]
    return kept + 1


@compiled
def _sort_rows(rows: IntArray, order: IntArray) -> None:
    """Fill in the order of rows by their columns, the first column first: a Shell sort."""
    for place in range(rows.shape[0]):
        order[place] = place
    for gap in (1750, 701, 301, 132, 57, 23, 10, 4, 1):
        for place in range(gap, rows.shape[0]):
            row, after = order[place], place
            while after >= gap:
                above, column = order[after - gap], 0
                while column < rows.shape[1] - 1 and rows[row, column] == rows[above, column]:
                    column += 1
                if rows[row, column] >= rows[above, column]:
                    break
                order[after] = above
                after -= gap
            order[after] = row


@inlined
def _set_point(point: IntArray, mapping: IntArray) -> None:
    """Fill in the point of a found mapping."""
    buffers = len(point) - BUFFERS
    point[POINT_DRAM] = mapping[buffers + 1]
    point[POINT_ENDS] = mapping[buffers]
    for buffer in range(buffers):
        point[BUFFERS + buffer] = mapping[buffer]


@compiled
def _settle(room: Room, levels: IntArray, count: int, point: IntArray) -> None:
    """Add the waiting mappings to those that are found, but for those that one is as good as.

    Of mappings with equal criteria that with the smaller tiles stays, then that of the earlier loop
    order.
    """
    state, found, waiting, order = room.state, room.found, room.waiting, room.order
    cycles, first = len(point), _first_telling(point)
    _sort_rows(waiting[:count], order)
    for place in range(count):
        one = order[place]
        _set_point(point, waiting[one])
        if _is_new(room, levels, waiting[one], point):
            for column in range(found.shape[1]):
                found[state[FOUND], column] = waiting[one, column]
            state[FOUND] += 1
            if state[FOUND] + 1 == len(found):
                state[IS_FULL] = 1
                return
    for row in range(state[SETTLED], state[FOUND]):
        _set_point(point, found[row])
        level = _level(levels, found[row, cycles], 0)
        count = room.num_near[level]
        room.num_near[level] = _keep_near(room.near[level], count, found[row], first)
        for above in range(level + (levels[level] < found[row, cycles]), len(levels)):
            room.num_listed[above] = _list(room.listed, above, room.num_listed[above], point)
    state[SETTLED] = state[FOUND]


@compiled
def set_mapping(
    mapping: IntArray, point: IntArray, cycles: int, sizes: IntArray, order: int
) -> None:
    """Fill in a row of `search`."""
    buffers = len(point) - BUFFERS
    for buffer in range(buffers):
        mapping[buffer] = point[BUFFERS + buffer]
    mapping[buffers] = point[POINT_ENDS]
    mapping[buffers + 1] = point[POINT_DRAM]
    mapping[buffers + 2] = cycles
    for loop in range(sizes.shape[1]):
        mapping[buffers + 3 + loop] = sizes[0, loop]
    mapping[buffers + 3 + sizes.shape[1]] = order


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


@compiled
def search(trees: Trees, problem: Problem, room: Room, desk: Desk) -> bool:  # noqa: C901, PLR0915
    """Find the undominated mappings; return whether there was room enough.

    Parameters
    ----------
    trees
        Those of all groups, joined.
    problem
        What all mappings share.
    room
        Where they are put: rows of `found` are bits in each buffer, first and last bits, DRAM bits,
        cycles; tile sizes; loop order.
    desk
        What is written for the box in hand.

    Notes
    -----
    One long function on purpose: handing tuples of arrays to parts of it took a third of the time.
    """
    nodes, factors, steps = trees.nodes, trees.factors, trees.steps
    groups, is_mirrored = problem.open_groups, problem.mirrored[0] > 0
    bounds, loops, levels = problem.bounds, problem.loops, problem.levels
    variants, traffic, ends, on_chip = (
        problem.variants,
        problem.traffic,
        problem.ends,
        problem.on_chip,
    )
    flat_loops, flat_sizes, floor = problem.flat_loops, problem.flat_sizes, problem.floor
    state, heads, listed, num_listed, waiting = (
        room.state,
        room.heads,
        room.listed,
        room.num_listed,
        room.waiting,
    )
    box, point, others, totals = desk.box, desk.point, desk.others, desk.totals
    other_steps, flat, sizes = desk.other_steps, desk.flat, desk.sizes
    rate = problem.links[2] if len(problem.links) else 0
    flats = flat, problem.flat_of, flat_sizes[:, 1], problem.fill[0], rate
    num_waiting = 0
    for group in range(GROUPS):
        box[group] = problem.roots[group]
    box[ORDERS], box[LEVEL] = (1 << len(variants)) - 1, 0
    store_box(room, box, 0)
    while not state[IS_FULL]:
        if not take_box(room, box):
            _settle(room, levels, num_waiting, point)
            num_waiting = 0
            while state[BIN] < len(heads) and heads[state[BIN]] < 0:
                state[BIN] += 1
            if state[BIN] == len(heads):
                break
            continue
        split = widest_group(nodes, box, groups)
        is_leaf = split < 0
        split = groups[0] if is_leaf else split
        parent, orders, known = box[split], box[ORDERS], box[LEVEL]
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
            key = set_bits(point, totals, ends, on_chip, floor)
            beaten = _beaten_from(listed, num_listed, known, point)
            left, best, bits = open_orders(orders, beaten, totals, traffic, variants)
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
            level = _level(levels, cycles, known)
            if level > known:
                beaten = _beaten_from(listed, num_listed, level, point)
                left, best, bits = open_orders(left, beaten, totals, traffic, variants)
                if not left:
                    continue
            if is_leaf:
                if num_waiting == len(waiting):
                    state[IS_FULL] = 1
                    break
                point[POINT_DRAM] = bits
                set_mapping(waiting[num_waiting], point, cycles, sizes, best)
                num_waiting += 1
            else:
                box[ORDERS], box[LEVEL] = left, level
                first = NUM_BINS if key else 0
                which = first + bin_of(key if key else bits + 1, desk.number)
                store_box(room, box, which)
    return state[IS_FULL] == 0
