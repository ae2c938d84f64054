"""Branch and bound over tile sizes, compiled: the one loop of the model that NumPy cannot cut.

All sizes of b, g, k and c are tried together; those of y and of x in blocks of sizes that are
alike. A block is bounded from below, factor by factor, and left if a known mapping beats the bound.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from dse.arrays import IntArray

FACTORS = 7
"""Rows of `factors`: tile elements of input, weight, output; input rows; passes of each operand."""


STRONGEST = 64
"""Known points that a block is held against before it is entered."""


class Choices(NamedTuple):
    """Choices of sizes of some loops, and what each multiplies.

    Attributes
    ----------
    factors : shape (choices, FACTORS)
        See `FACTORS`.
    steps, passes : shape (choices, assignments)
        Array steps of plain loops, and array passes.
    tiles : shape (choices, loops)
        Tile sizes; 0 for the loops of other choices.
    """

    factors: IntArray
    steps: IntArray
    passes: IntArray
    tiles: IntArray


class Rules(NamedTuple):
    """What all mappings of a layer in one loop order share.

    Attributes
    ----------
    model : shape (4, 3)
        Bits of an element in DRAM; on chip; elements of an operand (of the input without rows);
        whether the DRAM carries it.
    holds : shape (buffers, 3)
        Whether a buffer holds an operand.
    bounds : shape (loops,)
        Loop bounds.
    flat_loops, flat_sizes : shape (assignments, flattened, loops), (assignments, flattened)
        Flattened axes, loops padded with -1; a negative size does not count in passes, 0 is none.
    fill : shape (1,)
        Cycles of a pass.
    """

    model: IntArray
    holds: IntArray
    bounds: IntArray
    flat_loops: IntArray
    flat_sizes: IntArray
    fill: IntArray


@njit(cache=True)
def beaten_by(known: IntArray, count: int, point: IntArray) -> bool:
    """Whether one of the known points is no larger in all criteria and smaller in one.

    The one that is found moves a place forward, so that strong points are tried first.
    """
    width = point.shape[0]
    for row in range(count):
        smaller = False
        larger = False
        for column in range(width):
            difference = known[row, column] - point[column]
            if difference > 0:
                larger = True
                break
            if difference < 0:
                smaller = True
        if smaller and not larger:
            if row > 0:
                for column in range(known.shape[1]):
                    value = known[row, column]
                    known[row, column] = known[row // 2, column]
                    known[row // 2, column] = value
            return True
    return False


@njit(cache=True)
def _dram_bits(outer: IntArray, y: IntArray, x: IntArray, model: IntArray) -> int:
    """Count DRAM bits from three rows of factors."""
    moved = 0
    if model[3, 0]:
        moved += model[2, 0] * y[3] * x[3] * outer[4] * model[0, 0]
    if model[3, 1]:
        moved += model[2, 1] * outer[5] * y[5] * x[5] * model[0, 1]
    if model[3, 2]:
        spills = outer[6] * y[6] * x[6] - 1
        moved += model[2, 2] * (model[0, 2] + 2 * model[1, 2] * spills)
    return moved


@njit(cache=True)
def _set_sizes(point: IntArray, outer: IntArray, y: IntArray, x: IntArray, rules: Rules) -> None:
    """Fill in bits of buffers, first and last bits and DRAM bits from three rows of factors."""
    model, holds = rules.model, rules.holds
    buffers = holds.shape[0]
    point[: buffers + 1] = 0
    for operand in range(3):
        elements = outer[operand] * y[operand] * x[operand]
        for buffer in range(buffers):
            point[buffer] += holds[buffer, operand] * elements * model[1, operand]
        point[buffers] += model[3, operand] * elements * model[0, operand]
    point[buffers + 1] = _dram_bits(outer, y, x, model)


@njit(cache=True)
def _flattened(tile: IntArray, bounds: IntArray, loops: IntArray, size: int) -> int:
    """Count the steps of a flattened axis over all tiles; `loops` ends with -1."""
    number = 0
    while number < loops.shape[0] and loops[number] >= 0:
        number += 1
    total = 0
    for edges in range(1 << number):
        count = 1
        extent = 1
        for place in range(number):
            loop = loops[place]
            rest = bounds[loop] % tile[loop]
            if edges >> place & 1:
                count *= 1 if rest else 0
                extent *= rest
            else:
                count *= bounds[loop] // tile[loop]
                extent *= tile[loop]
        if count:
            total += count * -(-extent // size)
    return total


@njit(cache=True)
def _with_flattened(
    one: int, steps: int, passes: int, least: int, tile: IntArray, rules: Rules
) -> int:
    """Return the cycles of an assignment, or `least` as soon as they cannot be fewer."""
    for flat in range(rules.flat_sizes.shape[1]):
        size = rules.flat_sizes[one, flat]
        if size == 0 or steps >= least:  # each flattened axis takes at least one step
            break
        count = _flattened(tile, rules.bounds, rules.flat_loops[one, flat], abs(size))
        steps *= count
        if size > 0:
            passes *= count
    return steps + rules.fill[0] * passes


@njit(cache=True)
def _least_cycles(
    outer: tuple[Choices, int],
    y: tuple[Choices, int],
    x: tuple[Choices, int],
    tile: IntArray,
    rules: Rules,
) -> tuple[int, int]:
    """Return the least cycles of all assignments and the first that reaches them."""
    least = np.iinfo(np.int64).max
    which = 0
    for one in range(rules.flat_sizes.shape[0]):
        steps = outer[0].steps[outer[1], one] * y[0].steps[y[1], one] * x[0].steps[x[1], one]
        passes = 1
        if rules.fill[0]:
            passes = outer[0].passes[outer[1], one]
            passes *= y[0].passes[y[1], one] * x[0].passes[x[1], one]
        cycles = _with_flattened(one, steps, passes, least, tile, rules)
        if cycles < least:
            least = cycles
            which = one
    return least, which


@njit(cache=True)
def _set_tile(tile: IntArray, sizes: IntArray, rules: Rules) -> None:
    """Set the tile sizes that a choice gives; a size of 0 there is left as it is."""
    for loop in range(tile.shape[0]):
        if sizes[loop] > 0:
            tile[loop] = sizes[loop]


@njit(cache=True)
def _is_open(
    known: IntArray,
    count: int,
    outer: tuple[Choices, int],
    y: tuple[Choices, int],
    x: tuple[Choices, int],
    rules: Rules,
) -> int:
    """Return a lower bound on the cycles of a block, or -1 if a known point beats the block."""
    point = np.empty(known.shape[1], dtype=np.int64)
    tile = rules.bounds.copy()
    _set_tile(tile, outer[0].tiles[outer[1]], rules)
    _set_sizes(point, outer[0].factors[outer[1]], y[0].factors[y[1]], x[0].factors[x[1]], rules)
    cycles, _ = _least_cycles(outer, y, x, tile, rules)
    point[-1] = cycles
    return -1 if beaten_by(known, min(count, STRONGEST), point) else cycles


@njit(cache=True)
def _search_block(
    known: IntArray,
    count: int,
    least_cycles: int,
    outer: tuple[Choices, int],
    y: tuple[Choices, int, int],
    x: tuple[Choices, int, int],
    rules: Rules,
) -> tuple[IntArray, int, list[tuple[int, int, int]], list[IntArray]]:
    """Try the sizes of one block of y and one of x; see `search`."""
    places = [(0, 0, 0) for _ in range(0)]
    points = [known[0] for _ in range(0)]
    point = np.empty(known.shape[1], dtype=np.int64)
    tile = rules.bounds.copy()
    _set_tile(tile, outer[0].tiles[outer[1]], rules)
    factors = outer[0].factors[outer[1]]
    for row in range(y[1], y[2]):
        _set_tile(tile, y[0].tiles[row], rules)
        for column in range(x[1], x[2]):
            _set_sizes(point, factors, y[0].factors[row], x[0].factors[column], rules)
            point[-1] = least_cycles  # most end here, before their cycles are counted
            if beaten_by(known, count, point):
                continue
            _set_tile(tile, x[0].tiles[column], rules)
            point[-1], which = _least_cycles(outer, (y[0], row), (x[0], column), tile, rules)
            if beaten_by(known, count, point):
                continue
            places.append((row, column, which))
            points.append(point.copy())
            known, count = _added(known, count, point)
    return known, count, places, points


@njit(cache=True)
def _stacked(
    places: list[tuple[int, int, int, int]], points: list[IntArray], width: int
) -> tuple[IntArray, IntArray]:
    """Return lists of places and of criteria as arrays, also where they are empty."""
    found = np.empty((len(places), 4), dtype=np.int64)
    criteria = np.empty((len(points), width), dtype=np.int64)
    for number in range(len(places)):
        for column in range(4):
            found[number, column] = places[number][column]
        criteria[number] = points[number]
    return found, criteria


@njit(cache=True)
def search(
    known: IntArray,
    count: int,
    outer: Choices,
    y: Choices,
    x: Choices,
    blocks: tuple[IntArray, Choices, IntArray, Choices],
    rules: Rules,
) -> tuple[IntArray, IntArray, IntArray, int]:
    """Return the points of one loop order that no known point beats, and the known ones then.

    Parameters
    ----------
    known : shape (room, criteria)
        Criteria of known mappings, of which the first `count` rows count.
    outer, y, x
        Choices of sizes: of b, g, k and c together, of y, of x.
    blocks
        Begins of the blocks of y, with the end; a lower bound of each block, as choices, the last
        one of all sizes together; the same for x.
    rules
        What all mappings share.

    Returns
    -------
    Places of shape (points, 4): choice of outer, y and x, and the assignment; criteria of shape
    (points, criteria); the known points, and how many of their rows count.
    """
    y_begins, y_least, x_begins, x_least = blocks
    all_y, all_x = len(y_begins) - 1, len(x_begins) - 1
    places = [(0, 0, 0, 0) for _ in range(0)]
    points = [known[0] for _ in range(0)]
    for one in range(outer.tiles.shape[0]):
        here = (outer, one)
        if _is_open(known, count, here, (y_least, all_y), (x_least, all_x), rules) < 0:
            continue
        for row in range(all_y):
            if _is_open(known, count, here, (y_least, row), (x_least, all_x), rules) < 0:
                continue
            for column in range(all_x):
                least = _is_open(known, count, here, (y_least, row), (x_least, column), rules)
                if least < 0:
                    continue
                known, count, block_places, block_points = _search_block(
                    known,
                    count,
                    least,
                    here,
                    (y, y_begins[row], y_begins[row + 1]),
                    (x, x_begins[column], x_begins[column + 1]),
                    rules,
                )
                places.extend([(one, p[0], p[1], p[2]) for p in block_places])
                points.extend(block_points)
    found, criteria = _stacked(places, points, known.shape[1])
    return found, criteria, known, count


@njit(cache=True)
def _added(known: IntArray, count: int, point: IntArray) -> tuple[IntArray, int]:
    """Add a point to the known ones and drop those that it matches or beats."""
    width = point.shape[0]
    kept = 0
    for row in range(count):
        beats = True
        for column in range(width):
            if point[column] > known[row, column]:
                beats = False
                break
        if not beats:
            if kept < row:
                known[kept] = known[row]
            kept += 1
    if kept == known.shape[0]:
        known = np.concatenate((known, np.empty_like(known)))
    known[kept] = point
    return known, kept + 1


@njit(cache=True)
def first_undominated(points: IntArray) -> IntArray:
    """Return the indices of the undominated rows; of equal rows the first.

    Parameters
    ----------
    points : shape (points, criteria), rows in lexicographic order
        Criteria, less is better. A row is then dominated by earlier rows only.
    """
    keep = np.empty(points.shape[0], dtype=np.int64)
    known = np.empty_like(points)
    count = 0
    number = 0
    for row in range(points.shape[0]):
        dominated = False
        for rival in range(count):
            no_worse = True
            for column in range(points.shape[1]):
                if known[rival, column] > points[row, column]:
                    no_worse = False
                    break
            if no_worse:
                dominated = True
                other = rival // 2
                for column in range(points.shape[1]):
                    value = known[rival, column]
                    known[rival, column] = known[other, column]
                    known[other, column] = value
                break
        if not dominated:
            known[count] = points[row]
            count += 1
            keep[number] = row
            number += 1
    return keep[:number]
