"""Rows that no other matches or beats, compiled."""

import numpy as np

from dse.arrays import IntArray
from dse.compiling import allocating
from dse.stopping import check_stop, stop_flag


@allocating
def _first_undominated(points: IntArray, groups: IntArray, stop: IntArray) -> IntArray:
    """Return what `first_undominated` does, or less once `stop` is set."""
    keep = np.empty(points.shape[0], dtype=np.int64)
    known = np.empty(points.shape[0], dtype=np.int64)
    count, first = 0, 0
    for row in range(points.shape[0]):
        if stop[0]:
            break
        if groups[row] != groups[row - 1]:
            first = count  # no earlier row is a rival of this one
        rival = first
        while rival < count:
            other, column = known[rival], 0
            while column < points.shape[1] and points[other, column] <= points[row, column]:
                column += 1
            if column == points.shape[1]:
                break
            rival += 1
        if rival == count:
            known[count] = keep[count] = row
            count += 1
        else:  # forward, so that strong rows are tried first
            nearer = first + (rival - first) // 2
            known[rival], known[nearer] = known[nearer], known[rival]
    return keep[:count]


def first_undominated(points: IntArray, groups: IntArray | None = None) -> IntArray:
    """Return the indices of the undominated rows; of equal rows the first.

    Parameters
    ----------
    points : shape (points, criteria), rows in lexicographic order
        Criteria, less is better. A row is then dominated by earlier rows only.
    groups : shape (points,), ascending
        Only rows of one group are rivals; all are one if None.
    """
    if groups is None:
        groups = np.zeros(len(points), dtype=np.int64)
    index: IntArray = _first_undominated(points, groups, stop_flag())
    check_stop()
    return index
