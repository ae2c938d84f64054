"""Dominance: which of many points no other point matches or beats in every criterion."""

from collections.abc import Sequence

import numpy as np

from dse.arrays import BoolArray, IntArray

BLOCK = 64


def undominated(columns: Sequence[IntArray]) -> BoolArray:
    """Mark the points that no other point matches or beats in every column.

    Of points that are equal in every column the first is kept.

    Parameters
    ----------
    columns : each of shape (points,)
        Criteria, less is better.

    Returns
    -------
    shape (points,)
        True where the point stays.
    """
    points = np.stack([np.asarray(column, dtype=np.int64) for column in columns], axis=1)
    keep = np.zeros(len(points), dtype=bool)
    # A point is dominated only by points with no larger sum of ranks, so that it is enough to
    # settle points in that order. Ranks, as sums of the values themselves could overflow.
    ranks = [np.unique(column, return_inverse=True)[1] for column in columns]
    order = np.lexsort((np.arange(len(points)), np.sum(ranks, axis=0)))
    rest = points[order]
    while len(rest):
        block, places = rest[:BLOCK], order[:BLOCK]
        beaten = _beaten(block, block, earlier_only=True)
        block, places = block[~beaten], places[~beaten]
        keep[places] = True
        rest, order = rest[BLOCK:], order[BLOCK:]
        stays = ~_beaten(rest, block, earlier_only=False)
        rest, order = rest[stays], order[stays]
    return keep


def _beaten(points: IntArray, rivals: IntArray, *, earlier_only: bool) -> BoolArray:
    """Mark the points (n, d) that some rival (m, d) matches or beats in every column."""
    no_worse = np.ones((len(points), len(rivals)), dtype=bool)
    for column in range(points.shape[1]):
        no_worse &= rivals[None, :, column] <= points[:, None, column]
    if earlier_only:  # points and rivals are the same list: only those before count
        no_worse &= np.tri(len(points), k=-1, dtype=bool)
    return np.any(no_worse, axis=1)


def beaten_by_previous(columns: Sequence[IntArray]) -> BoolArray:
    """Mark the points that the point just before matches or beats in every column.

    A cheap and lossless first cut of long ordered lists, as dominance is transitive.

    Parameters
    ----------
    columns : each of shape (points,)
        Criteria, less is better.
    """
    beaten = np.ones(len(columns[0]), dtype=bool)
    beaten[:1] = False
    for column in columns:
        beaten[1:] &= column[:-1] <= column[1:]
    return beaten


def thinned(columns: Sequence[IntArray]) -> IntArray:
    """Return the ascending indices of the undominated points of an ordered list."""
    index = np.flatnonzero(~beaten_by_previous(columns))
    return index[undominated([column[index] for column in columns])]
