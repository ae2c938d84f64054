"""Known mappings: whether they beat a point, compiled.

A list holds their criteria. With one buffer a table beside it answers most questions at once: the
least DRAM bits within a size of buffer, of first and last, and within a number of cycles.
"""

import numpy as np
from numba import njit

from dse.arrays import IntArray

LEVELS = np.array([1, 1.01, 1.03, 1.06, 1.1, 1.2, 1.35, 1.6, 2, 2.7, 4, 8, 16])
"""Multiples of the least cycles, for which the tables are kept apart."""

MANTISSA_BITS = 3
"""Sizes are told apart to an eighth of an octave."""


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
def added(known: IntArray, count: int, point: IntArray) -> tuple[IntArray, int]:
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


@njit(cache=True)
def bin_of(value: int, number: IntArray) -> int:
    """Return the bin of a positive size: its binary order and the first bits below.

    Parameters
    ----------
    number : shape (1,)
        Room for the value as a float, whose bits are read.
    """
    number.view(np.float64)[0] = value
    return number[0] >> (52 - MANTISSA_BITS)


@njit(cache=True)
def traffic_table(known: IntArray, count: int, levels: IntArray, corner: IntArray) -> IntArray:
    """Return the least DRAM bits by level of cycles, bin of buffer and bin of first and last.

    A known mapping counts from the bin above its own, so that it is strictly smaller than every
    point that is looked up.

    Parameters
    ----------
    known : shape (room, 4)
        Criteria, of which the first `count` rows count.
    levels : shape (levels,), ascending
        Cycles.
    corner : shape (2,)
        Least and most bin of the table.
    """
    width = corner[1] - corner[0] + 2
    most = np.iinfo(np.int64).max
    table = np.full((len(levels), width, width), most, dtype=np.int64)
    number = np.empty(1, dtype=np.int64)
    for row in range(count):
        level = np.searchsorted(levels, known[row, 3])
        size = bin_of(known[row, 0], number) - corner[0] + 1
        ends = bin_of(max(known[row, 1], 1), number) - corner[0] + 1
        if level < len(levels) and size < width and ends < width:
            place = table[level, size]
            place[ends] = min(place[ends], known[row, 2])
    for level in range(len(levels)):
        if level > 0:
            table[level] = np.minimum(table[level], table[level - 1])
        for size in range(1, width):
            table[level, size] = np.minimum(table[level, size], table[level, size - 1])
        for ends in range(1, width):
            table[level, :, ends] = np.minimum(table[level, :, ends], table[level, :, ends - 1])
    return table
