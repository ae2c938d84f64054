"""Branch and bound over tile sizes, compiled: the one loop of the model that NumPy cannot cut.

Sizes of the groups are chosen one group after the other. After each choice the rest is bounded
from below, factor by factor, and the whole branch is left if a known mapping beats the bound.
"""

from typing import Any

import numpy as np
from numba import njit

from dse.arrays import IntArray

FACTORS = 7
"""Rows of `factors`: tile elements of input, weight, output; input rows; passes of each operand."""


STRONGEST = 64
"""Known points that a branch is held against before it is entered."""


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
def _criteria(product: IntArray, model: IntArray, holds: IntArray, point: IntArray) -> None:
    """Fill sizes and DRAM bits of a point; `model` is as `search` describes."""
    buffers = holds.shape[0]
    ends = 0
    for buffer in range(buffers):
        total = 0
        for operand in range(3):
            if holds[buffer, operand]:
                total += product[operand] * model[1, operand]
        point[buffer] = total
    moved = 0
    for operand in range(3):
        if model[3, operand]:
            ends += product[operand] * model[0, operand]
            if operand == 0:
                moved += model[2, 0] * product[3] * product[4] * model[0, 0]
            elif operand == 1:
                moved += model[2, 1] * product[5] * model[0, 1]
            else:
                moved += model[2, 2] * (model[0, 2] + 2 * model[1, 2] * (product[6] - 1))
    point[buffers] = ends
    point[buffers + 1] = moved


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
def _least_cycles(
    steps: IntArray,
    passes: IntArray,
    tile: IntArray,
    bounds: IntArray,
    flat_loops: IntArray,
    flat_sizes: IntArray,
    fill: int,
) -> tuple[int, int]:
    """Return the least cycles of all assignments and the first that reaches them."""
    least = np.iinfo(np.int64).max
    which = 0
    for one in range(steps.shape[0]):
        work = steps[one]
        trips = passes[one]
        for flat in range(flat_sizes.shape[1]):
            if flat_sizes[one, flat] == 0:
                break
            most = abs(flat_sizes[one, flat])
            whole = 1
            for place in range(flat_loops.shape[2]):
                if flat_loops[one, flat, place] >= 0:
                    whole *= bounds[flat_loops[one, flat, place]]
            if work * -(-whole // most) >= least:  # uncut it takes the fewest steps
                work = least
                break
            count = _flattened(tile, bounds, flat_loops[one, flat], abs(flat_sizes[one, flat]))
            work *= count
            if flat_sizes[one, flat] > 0:
                trips *= count
        work += fill * trips
        if work < least:
            least = work
            which = one
    return least, which


@njit(cache=True)
def search(
    known: IntArray,
    number_known: int,
    lengths: IntArray,
    factors: IntArray,
    step_factors: IntArray,
    pass_factors: IntArray,
    fixed: IntArray,
    tiles: IntArray,
    loops_of_group: IntArray,
    bounds: IntArray,
    flat_loops: IntArray,
    flat_sizes: IntArray,
    fill: int,
    model: IntArray,
    holds: IntArray,
) -> tuple[IntArray, IntArray, Any]:
    """Return the points of one loop order that no known point beats, and the known ones then.

    Parameters
    ----------
    known : shape (room, criteria)
        Criteria of known mappings, of which the first `number_known` rows count.
    lengths : shape (groups,)
        Sizes of each group.
    factors : shape (groups, sizes, FACTORS)
        What each size multiplies.
    step_factors, pass_factors : shape (groups, sizes, assignments)
        What each size multiplies in array steps and passes.
    fixed : shape (2, assignments)
        Steps and passes of loops that no size changes.
    tiles : shape (loops, sizes), loops_of_group : shape (groups, 2)
        Tile size of each loop, and the loops of each group (-1: none).
    bounds : shape (loops,)
        Loop bounds.
    flat_loops, flat_sizes : shape (assignments, flattened, loops) and (assignments, flattened)
        Flattened axes; a negative size is one that does not count in passes.
    fill
        Cycles of a pass.
    model : shape (4, 3)
        Bits of an element in DRAM; on chip; elements of an operand (of the input without rows);
        whether the DRAM carries it.
    holds : shape (buffers, 3)
        Whether a buffer holds an operand.

    Returns
    -------
    Indices of shape (points, groups + 1), the last the assignment; criteria of shape
    (points, criteria); and how many rows of `known` count.
    """
    groups = lengths.shape[0]
    assignments = fixed.shape[1]
    buffers = holds.shape[0]
    width = buffers + 3
    least = np.ones((groups + 1, FACTORS), dtype=np.int64)
    least_steps = np.ones((groups + 1, assignments), dtype=np.int64)
    least_passes = np.ones((groups + 1, assignments), dtype=np.int64)
    for group in range(groups - 1, -1, -1):
        length = lengths[group]
        for factor in range(FACTORS):
            smallest = factors[group, :length, factor].min()
            least[group, factor] = least[group + 1, factor] * smallest
        for one in range(assignments):
            smallest = step_factors[group, :length, one].min()
            least_steps[group, one] = least_steps[group + 1, one] * smallest
            smallest = pass_factors[group, :length, one].min()
            least_passes[group, one] = least_passes[group + 1, one] * smallest

    product = np.ones((groups + 1, FACTORS), dtype=np.int64)
    steps = np.ones((groups + 1, assignments), dtype=np.int64)
    passes = np.ones((groups + 1, assignments), dtype=np.int64)
    steps[0] = fixed[0]
    passes[0] = fixed[1]
    tile = bounds.copy()
    index = np.full(groups, -1, dtype=np.int64)
    bound_product = np.ones(FACTORS, dtype=np.int64)
    bound_steps = np.ones(assignments, dtype=np.int64)
    bound_passes = np.ones(assignments, dtype=np.int64)
    point = np.zeros(width, dtype=np.int64)
    found = np.empty((1024, groups + 1), dtype=np.int64)
    criteria = np.empty((1024, width), dtype=np.int64)
    number = 0
    depth = 0
    branch_cycles = 0
    while depth >= 0:
        index[depth] += 1
        if index[depth] == lengths[depth]:
            index[depth] = -1
            for place in range(2):
                loop = loops_of_group[depth, place]
                if loop >= 0:
                    tile[loop] = bounds[loop]
            depth -= 1
            continue
        here = index[depth]
        is_leaf = depth == groups - 1
        now = factors[depth, here]
        above, below = product[depth], product[depth + 1]
        rest = least[depth + 1]
        for factor in range(FACTORS):
            below[factor] = above[factor] * now[factor]
            bound_product[factor] = below[factor] * rest[factor]
        _criteria(bound_product, model, holds, point)
        if is_leaf:  # most end here, before their cycles are counted
            point[width - 1] = branch_cycles
            if beaten_by(known, number_known, point):
                continue
        for one in range(assignments):
            steps[depth + 1, one] = steps[depth, one] * step_factors[depth, here, one]
            bound_steps[one] = steps[depth + 1, one] * least_steps[depth + 1, one]
        if fill:
            for one in range(assignments):
                passes[depth + 1, one] = passes[depth, one] * pass_factors[depth, here, one]
                bound_passes[one] = passes[depth + 1, one] * least_passes[depth + 1, one]
        for place in range(2):
            loop = loops_of_group[depth, place]
            if loop >= 0:
                tile[loop] = tiles[loop, here]
        point[width - 1], which = _least_cycles(
            bound_steps, bound_passes, tile, bounds, flat_loops, flat_sizes, fill
        )
        tried = number_known if is_leaf else min(number_known, STRONGEST)
        if beaten_by(known, tried, point):
            continue
        if not is_leaf:
            branch_cycles = point[width - 1]
            depth += 1
            continue
        if number == found.shape[0]:
            found = np.concatenate((found, np.empty_like(found)))
            criteria = np.concatenate((criteria, np.empty_like(criteria)))
        found[number, :groups] = index
        found[number, groups] = which
        criteria[number] = point
        number += 1
        known, number_known = _added(known, number_known, point)
    return found[:number], criteria[:number], (known, number_known)


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
