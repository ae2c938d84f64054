"""Branch and bound over tile sizes, compiled: the one loop of the model that NumPy cannot cut.

Sizes of b, g, k, c and of y are chosen; for each choice the criteria of all sizes of x are linear
in the factors of x, and most of them are beaten by known mappings before their cycles are counted.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from dse.arrays import IntArray
from dse.mapping.known import added, beaten_by, bin_of, traffic_table

FACTORS = 7
"""Rows of `factors`: tile elements of input, weight, output; input rows; passes of each operand."""


STRONGEST = 64
"""Known points that a point is held against before its cycles are counted."""


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
    levels, corner
        Levels of cycles and range of bins of the table of known mappings; see `traffic_table`.
    """

    model: IntArray
    holds: IntArray
    bounds: IntArray
    flat_loops: IntArray
    flat_sizes: IntArray
    fill: IntArray
    levels: IntArray
    corner: IntArray


@njit(cache=True)
def _slopes(slopes: IntArray, outer: IntArray, y: IntArray, rules: Rules) -> int:
    """Fill in what factors of x multiply in each criterion, and return the constant DRAM bits.

    Parameters
    ----------
    slopes : shape (buffers + 2, 3)
        Bits of each buffer, and first and last bits, by elements of the tiles of input, weight
        and output; DRAM bits by rows of x and its passes of weights and outputs.
    outer, y : shape (FACTORS,)
        Factors of the sizes that are chosen.
    """
    model, holds = rules.model, rules.holds
    buffers = holds.shape[0]
    for operand in range(3):
        elements = outer[operand] * y[operand]
        for buffer in range(buffers):
            slopes[buffer, operand] = holds[buffer, operand] * elements * model[1, operand]
        slopes[buffers, operand] = model[3, operand] * elements * model[0, operand]
    slopes[-1, 0] = model[3, 0] * model[2, 0] * model[0, 0] * y[3] * outer[4]
    slopes[-1, 1] = model[3, 1] * model[2, 1] * model[0, 1] * y[5] * outer[5]
    spills = 2 * model[3, 2] * model[2, 2] * model[1, 2]
    slopes[-1, 2] = spills * y[6] * outer[6]
    return model[3, 2] * model[2, 2] * model[0, 2] - spills


@njit(cache=True)
def _set_sizes(point: IntArray, slopes: IntArray, constant: int, x: IntArray) -> None:
    """Fill in bits of buffers, first and last bits and DRAM bits of one size of x."""
    for size in range(point.shape[0] - 2):
        total = slopes[size, 0] * x[0] + slopes[size, 1] * x[1] + slopes[size, 2] * x[2]
        point[size] = total
    point[-2] = constant + slopes[-1, 0] * x[3] + slopes[-1, 1] * x[5] + slopes[-1, 2] * x[6]


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
def _set_tile(tile: IntArray, sizes: IntArray) -> None:
    """Set the tile sizes that a choice gives; a size of 0 there is left as it is."""
    for loop in range(tile.shape[0]):
        if sizes[loop] > 0:
            tile[loop] = sizes[loop]


@njit(cache=True)
def _below_table(
    slopes: IntArray, constant: int, factors: IntArray, level: IntArray, first: int, kept: IntArray
) -> int:
    """List the sizes of x that no known mapping beats for sure; return how many.

    Parameters
    ----------
    slopes, constant
        As `_slopes` gives them, of one buffer.
    factors : shape (sizes, FACTORS)
        Factors of x.
    level : shape (bins, bins)
        The table of known mappings at a level of cycles; see `traffic_table`.
    first
        Its first bin.
    kept : shape (sizes,)
        Room for the list.
    """
    number = np.empty(1, dtype=np.int64)
    count = 0
    a0, a1, a2 = slopes[0, 0], slopes[0, 1], slopes[0, 2]
    e0, e1, e2 = slopes[1, 0], slopes[1, 1], slopes[1, 2]
    d0, d1, d2 = slopes[2, 0], slopes[2, 1], slopes[2, 2]
    for column in range(factors.shape[0]):
        x0, x1, x2 = factors[column, 0], factors[column, 1], factors[column, 2]
        moved = constant + d0 * factors[column, 3] + d1 * factors[column, 5]
        moved += d2 * factors[column, 6]
        size = bin_of(a0 * x0 + a1 * x1 + a2 * x2, number) - first
        ends = bin_of(max(e0 * x0 + e1 * x1 + e2 * x2, 1), number) - first
        if level[size, ends] > moved:
            kept[count] = column
            count += 1
    return count


@njit(cache=True)
def _is_below(point: IntArray, table: IntArray, rules: Rules) -> bool:
    """Whether the table of known mappings says for sure that one of them beats a point."""
    number = np.empty(1, dtype=np.int64)
    level = np.searchsorted(rules.levels, point[3], side="right") - 1
    size = bin_of(point[0], number) - rules.corner[0]
    ends = bin_of(max(point[1], 1), number) - rules.corner[0]
    return table[level, size, ends] <= point[2]


@njit(cache=True)
def _is_shut(
    known_level: IntArray, outer: IntArray, y: IntArray, x: IntArray, rules: Rules
) -> bool:
    """Whether even the least factors of x, with the fewest cycles of all, are beaten for sure."""
    slopes = np.empty((3, 3), dtype=np.int64)
    constant = _slopes(slopes, outer, y, rules)
    kept = np.empty(1, dtype=np.int64)
    return _below_table(slopes, constant, x, known_level, rules.corner[0], kept) == 0


@njit(cache=True)
def _search_x(
    known: IntArray,
    count: int,
    outer: tuple[Choices, int],
    y: tuple[Choices, int],
    x: Choices,
    least_x: Choices,
    table: IntArray,
    rules: Rules,
) -> tuple[IntArray, int, list[tuple[int, int]], list[IntArray]]:
    """Try all sizes of x with one size of y and one choice of the others; see `search`."""
    places = [(0, 0) for _ in range(0)]
    points = [known[0] for _ in range(0)]
    tile = rules.bounds.copy()
    _set_tile(tile, outer[0].tiles[outer[1]])
    _set_tile(tile, y[0].tiles[y[1]])
    slopes = np.empty((rules.holds.shape[0] + 2, 3), dtype=np.int64)
    constant = _slopes(slopes, outer[0].factors[outer[1]], y[0].factors[y[1]], rules)
    point = np.empty(known.shape[1], dtype=np.int64)
    least, _ = _least_cycles(outer, y, (least_x, 0), tile, rules)
    kept = np.arange(x.tiles.shape[0])
    number = len(kept)
    if len(table):
        level = table[np.searchsorted(rules.levels, least, side="right") - 1]
        number = _below_table(slopes, constant, x.factors, level, rules.corner[0], kept)
    for place in range(number):
        column = int(kept[place])
        _set_sizes(point, slopes, constant, x.factors[column])
        point[-1] = least  # most end here, before their cycles are counted
        if beaten_by(known, min(count, STRONGEST), point):
            continue
        _set_tile(tile, x.tiles[column])
        point[-1], which = _least_cycles(outer, y, (x, column), tile, rules)
        if len(table) and _is_below(point, table, rules):
            continue
        if beaten_by(known, count, point):
            continue
        places.append((column, which))
        points.append(point.copy())
        known, count = added(known, count, point)
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
    least_x: Choices,
    rules: Rules,
) -> tuple[IntArray, IntArray, IntArray, int]:
    """Return the points of one loop order that no known point beats, and the known ones then.

    Parameters
    ----------
    known : shape (room, criteria)
        Criteria of known mappings, of which the first `count` rows count.
    outer, y, x
        Choices of sizes: of b, g, k and c together, of y, of x.
    least_x
        One choice, no larger in any column than all of x.
    rules
        What all mappings share.

    Returns
    -------
    Places of shape (points, 4): choice of outer, y and x, and the assignment; criteria of shape
    (points, criteria); the known points, and how many of their rows count.
    """
    places = [(0, 0, 0, 0) for _ in range(0)]
    points = [known[0] for _ in range(0)]
    table = np.empty((0, 0, 0), dtype=np.int64)
    if len(rules.levels):
        table = traffic_table(known, count, rules.levels, rules.corner)
    for one in range(outer.tiles.shape[0]):
        for row in range(y.tiles.shape[0]):
            if len(table) and _is_shut(
                table[0], outer.factors[one], y.factors[row], least_x.factors, rules
            ):
                continue
            known, count, row_places, row_points = _search_x(
                known, count, (outer, one), (y, row), x, least_x, table, rules
            )
            places.extend([(one, row, p[0], p[1]) for p in row_places])
            points.extend(row_points)
    found, criteria = _stacked(places, points, known.shape[1])
    return found, criteria, known, count
