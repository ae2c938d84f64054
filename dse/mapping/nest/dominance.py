"""Rows that no other matches or beats, compiled."""

import numpy as np

from dse.arrays import IntArray
from dse.compiling import allocating
from dse.stopping import check_stop, stop_flag


@allocating
def _first_undominated(points: IntArray, stop: IntArray) -> IntArray:
    """Return what `first_undominated` does, or less once `stop` is set."""
    keep = np.empty(points.shape[0], dtype=np.int64)
    known = np.empty(points.shape[0], dtype=np.int64)
    count = 0
    for row in range(points.shape[0]):
        if stop[0]:
            break
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


def first_undominated(points: IntArray) -> IntArray:
    """Return the indices of the undominated rows; of equal rows the first.

    Parameters
    ----------
    points : shape (points, criteria), rows in lexicographic order
        Criteria, less is better. A row is then dominated by earlier rows only.
    """
    index: IntArray = _first_undominated(points, stop_flag())
    check_stop()
    return index
