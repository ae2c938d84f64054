"""What a box of tile sizes costs at least, compiled: bits on chip, DRAM traffic, cycles.

A box is one range of sizes for each group of loops. Rows are addressed in place, as a view of an
array costs more than what is read from it.
"""

from typing import NamedTuple

import numpy as np

from dse.arrays import IntArray
from dse.compiling import inlined
from dse.mapping.search.size_tree import ELEMENTS, LEAST, MOST, PASSES, ROWS

POINT_DRAM, POINT_ENDS, BUFFERS = 0, 1, 2
"""Columns of a point: DRAM bits, first and last bits, bits of each buffer."""

GROUPS, Y, X = 6, 4, 5
"""Groups of loops, and which of them are the spatial ones."""

LARGEST = np.iinfo(np.int64).max


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
    rooms : shape (buffers of the machine,) or (0,)
        Bits that tiles may take in each; any number where nothing is said.
    held : shape (buffers of the machine, 3)
        As `on_chip`, for each.
    most : shape (2,)
        Most DRAM bits, and most cycles, of mappings that are sought.
    once : shape (1,)
        DRAM bits that any mapping moves.
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
    rooms: IntArray
    held: IntArray
    most: IntArray
    once: IntArray


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
def is_too_large(totals: IntArray, held: IntArray, rooms: IntArray) -> bool:
    """Whether tiles take more than the room of a buffer."""
    for buffer in range(len(rooms)):
        bits = 0
        for operand in range(3):
            bits += held[buffer, operand] * totals[ELEMENTS + operand]
        if bits > rooms[buffer]:
            return True
    return False


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
