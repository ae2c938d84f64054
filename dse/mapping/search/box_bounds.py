"""Lower bounds of a box of tile sizes, compiled: bits on chip, DRAM traffic, cycles.

A box is one range of sizes for each group of loops. Rows are addressed by index, as a view of an
array costs more than what is read from it.
"""

import numpy as np

from dse.arrays import IntArray
from dse.compiling import inlined
from dse.mapping.search.size_tree import ELEMENTS, LEAST, MOST, PASSES, ROWS

POINT_DRAM, POINT_ENDS, BUFFERS = 0, 1, 2
"""Columns of a point: DRAM bits, first and last bits, bits of each buffer."""

NUM_GROUPS, Y, X = 6, 4, 5
"""Groups of loops, and which of them are the spatial ones."""

LARGEST = np.iinfo(np.int64).max


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
    for group in range(NUM_GROUPS):
        for index in range(2):
            loop = loops[group, index]
            if loop >= 0:
                sizes[0, loop] = nodes[box[group], LEAST + index]
                sizes[1, loop] = nodes[box[group], MOST + index]


@inlined
def _flat_steps(bounds: IntArray, sizes: IntArray, loops: IntArray, axis: int, length: int) -> int:
    """Count the steps of a flattened axis over all tiles, their sizes being settled."""
    number = 0
    while number < loops.shape[1] and loops[axis, number] >= 0:
        number += 1
    total = 0
    for edges in range(1 << number):
        count, extent = 1, 1
        for index in range(number):
            bound, tile = bounds[loops[axis, index]], sizes[0, loops[axis, index]]
            if edges >> index & 1:
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
    bounds: IntArray, sizes: IntArray, loops: IntArray, axis: int, length: int
) -> int:
    """Bound the steps of a flattened axis from below; exact where the sizes are settled."""
    tiles, whole, full, extent = 1, 1, 1, 1
    is_open = False
    for index in range(loops.shape[1]):
        loop = loops[axis, index]
        if loop < 0:
            break
        is_open = is_open or sizes[0, loop] != sizes[1, loop]
        tiles *= -(-bounds[loop] // sizes[1, loop])
        full *= bounds[loop] // sizes[1, loop]
        whole *= bounds[loop]
        extent *= sizes[0, loop]
    if is_open:
        return max(tiles, -(-whole // length), full * -(-extent // length))
    return _flat_steps(bounds, sizes, loops, axis, length)


@inlined
def linked(cycles: int, others: IntArray, steps: IntArray, row: int, links: IntArray) -> int:
    """Add the cycles in which the array waits for its buffers; see `CycleCounter.linked`."""
    if not len(links):
        return cycles
    index = steps.shape[1] - 2
    passing = -(-(others[index] * steps[row, index]) // links[0])
    loading = -(-(others[index + 1] * steps[row, index + 1]) // links[1])
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
        for column in range(flat_of.shape[0]):
            least = min(least, others[column] * steps[row, column])
        return least
    inputs = steps.shape[1] - 2 - flat_of.shape[0]
    for column in range(flat_of.shape[0]):
        done = others[column] * steps[row, column]
        passes = 0
        if fill:
            passes = others[flat_of.shape[0] + column] * steps[row, flat_of.shape[0] + column]
        for axis in range(flat_of.shape[1]):
            shared = flat_of[column, axis]
            if shared >= 0:
                done *= flat[shared]
                passes *= flat[shared] if in_passes[shared] else 1
        done += fill * passes
        if rate:
            done = max(done, -(-(others[inputs + column] * steps[row, inputs + column]) // rate))
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
    orders: int, bound: int, totals: IntArray, traffic: IntArray, variants: IntArray
) -> tuple[int, int, int]:
    """Return the orders with less traffic than a bound, as bits; the best order; its DRAM bits."""
    left, best, least = 0, 0, LARGEST
    for order in range(variants.shape[0]):
        if orders >> order & 1:
            bits = _dram_bits(totals, traffic, variants, order)
            if bits < bound:
                left |= 1 << order
                if bits < least:
                    least = bits
                    best = order
    return left, best, least
