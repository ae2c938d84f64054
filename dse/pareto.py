"""Dominance and hypervolume, and which way each quantity is better. Plain NumPy.

Points are rows of an array of shape (points, objectives); *less is better* in every column.
Equal points do not dominate each other: all of them are kept.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

import numpy as np

from dse.arrays import BoolArray, FloatArray, IntArray

QUANTITIES = (
    "throughput_per_s",
    "latency_s",
    "dram_bytes_per_inference",
    "energy_pj_per_inference",
    "area_mm2",
    "power_w",
    "dram_bytes_per_s",
    "cost_usd",
)
"""What may be an objective or a budget; the names are columns of costs."""

MAXIMISED = frozenset({"throughput_per_s"})
"""The quantities that are better when larger; as budgets they are floors."""

REFERENCE = 1.1
"""Reference point of the normalised hypervolume, in each objective."""

_KILLERS = 64
_BLOCK_POINTS = 512


def minimised(costs: Mapping[str, FloatArray], objectives: Sequence[str]) -> FloatArray:
    """Return the objectives as columns where less is better.

    Parameters
    ----------
    costs
        Column name to values of shape (designs,).
    objectives
        Names of `QUANTITIES`; those of `MAXIMISED` are negated.

    Returns
    -------
    shape (designs, objectives)
    """
    columns = [
        np.negative(costs[name]) if name in MAXIMISED else np.asarray(costs[name], np.float64)
        for name in objectives
    ]
    return np.column_stack(columns).astype(np.float64, copy=False)


def log_minimised(costs: Mapping[str, FloatArray], objectives: Sequence[str]) -> FloatArray:
    """Return log10 of the objectives, negated after the logarithm where more is better.

    Parameters and result are those of `minimised`; zero counts as the smallest positive number.
    """
    least = np.finfo(np.float64).tiny
    logs = {name: np.log10(np.maximum(costs[name], least)) for name in objectives}
    return minimised(logs, objectives)


def non_dominated(points: FloatArray) -> BoolArray:
    """Mark the points that no other point dominates.

    A point dominates another if it is no larger in any objective and smaller in at least one;
    so equal points are all kept or all dropped. Exact for any number of objectives.

    Parameters
    ----------
    points : shape (points, objectives)
        Less is better; infinite is allowed, NaN is not.

    Returns
    -------
    shape (points,)
    """
    points = np.asarray(points, dtype=np.float64)
    if np.isnan(points).any():
        raise ValueError("points must not be NaN")
    mask = np.ones(len(points), dtype=bool)
    if len(points) == 0 or points.shape[1] == 0:
        return mask
    points = points[:, (points != points[0]).any(axis=0)]  # a constant column decides nothing
    if points.shape[1] == 0:
        return mask
    alive = _survivors_of_strong_points(points)
    mask[:] = False
    mask[alive[_filter(points[alive])]] = True
    return mask


def _filter(points: FloatArray) -> BoolArray:
    objectives = points.shape[1]
    if objectives == 1:
        return points[:, 0] == points[:, 0].min()
    order = np.lexsort(points.T[::-1])
    by_count = {2: _sweep_plane, 3: _sweep_staircase}
    mask = np.empty(len(points), dtype=bool)
    mask[order] = by_count.get(objectives, _compare_blocks)(points[order])
    return mask


def _survivors_of_strong_points(points: FloatArray) -> IntArray:
    """Return indices that are left after a few points of least scaled sum dominated the rest.

    Only a cheap filter: what it drops is dominated, what it leaves may be.
    """
    alive = np.arange(len(points))
    if len(points) <= 4 * _KILLERS:
        return alive
    is_finite = np.isfinite(points).all(axis=1)
    if not is_finite.any():
        return alive
    finite = points[is_finite]
    total = scale(finite, finite).sum(axis=1)
    strong = np.argpartition(total, min(_KILLERS, len(total) - 1))[:_KILLERS]
    for point in finite[strong[np.argsort(total[strong], kind="stable")]]:
        rest = points[alive]
        beaten = (point <= rest).all(axis=1) & (point < rest).any(axis=1)
        alive = alive[~beaten]
    return alive


def _sweep_plane(points: FloatArray) -> BoolArray:
    """Two objectives, sorted by the first, then the second."""
    first, second = points.T
    start_of_group = np.searchsorted(first, first, side="left")
    least_before = np.concatenate([[np.inf], np.minimum.accumulate(second)])[start_of_group]
    none_before = start_of_group == 0
    least_in_group = second[start_of_group]
    mask: BoolArray = (second == least_in_group) & (none_before | (second < least_before))
    return mask


def _sweep_staircase(points: FloatArray) -> BoolArray:
    """Three objectives, sorted: keep the front of the last two seen so far as a staircase."""
    mask = np.zeros(len(points), dtype=bool)
    xs: list[float] = []  # the second objective, rising; the third falls along with it
    ys: list[float] = []
    previous: tuple[float, float, float] | None = None
    for row, (first, x, y) in enumerate(points.tolist()):
        if previous == (first, x, y):
            mask[row] = mask[row - 1]
            continue
        previous = (first, x, y)
        at = bisect_right(xs, x)
        if at and ys[at - 1] <= y:
            continue
        mask[row] = True
        start = end = bisect_left(xs, x)
        while end < len(xs) and ys[end] >= y:
            end += 1
        xs[start:end], ys[start:end] = [x], [y]
    return mask


def _compare_blocks(points: FloatArray) -> BoolArray:
    """Any number of objectives, sorted: a point is dominated by earlier ones only."""
    mask = np.zeros(len(points), dtype=bool)
    front = points[:0]
    for start in range(0, len(points), _BLOCK_POINTS):
        block = points[start : start + _BLOCK_POINTS]
        kept = np.ones(len(block), dtype=bool)
        for part in range(0, len(front), _BLOCK_POINTS):
            kept &= ~_dominated_by(front[part : part + _BLOCK_POINTS], block)
        survivors = np.flatnonzero(kept)
        kept[survivors] = ~_dominated_by(block[survivors], block[survivors])
        mask[start : start + len(block)] = kept
        front = np.concatenate([front, block[kept]])
    return mask


def _dominated_by(strong: FloatArray, weak: FloatArray) -> BoolArray:
    no_worse = np.ones((len(weak), len(strong)), dtype=bool)
    better = np.zeros((len(weak), len(strong)), dtype=bool)
    for column in range(strong.shape[1]):
        no_worse &= strong[None, :, column] <= weak[:, None, column]
        better |= strong[None, :, column] < weak[:, None, column]
    dominated: BoolArray = np.asarray((no_worse & better).any(axis=1))
    return dominated


def hypervolume(points: FloatArray, reference: FloatArray) -> float:
    """Measure the part of the box below the reference that the points dominate.

    Exact, by slicing along the last objective; slow with many points in four objectives.

    Parameters
    ----------
    points : shape (points, objectives)
        Less is better; points that are not below the reference count nothing.
    reference : shape (objectives,)

    Returns
    -------
    float
        In the product of the units of the objectives.
    """
    points = np.asarray(points, dtype=np.float64)
    reference = np.asarray(reference, dtype=np.float64)
    points = points[(points < reference).all(axis=1)]
    if len(points) == 0:
        return 0.0
    return _slice(points, reference)


def _slice(points: FloatArray, reference: FloatArray) -> float:
    if points.shape[1] == 1:
        return float(reference[0] - points[:, 0].min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    if points.shape[1] == 2:
        least = np.minimum.accumulate(points[:, 0])
        heights = np.diff(np.append(points[:, 1], reference[1]))
        return float(((reference[0] - least) * heights).sum())
    levels = np.unique(points[:, -1])
    heights = np.diff(np.append(levels, reference[-1]))
    ends = np.searchsorted(points[:, -1], levels, side="right")
    slabs = [_slice(points[:end, :-1], reference[:-1]) for end in ends]
    return float((np.array(slabs) * heights).sum())


def scale(points: FloatArray, front: FloatArray) -> FloatArray:
    """Scale points so that the front spans 0..1 in each objective.

    An objective in which the front is constant is shifted to 0 and not stretched.

    Parameters
    ----------
    points : shape (points, objectives)
    front : shape (designs of the front, objectives)
        At least one.

    Returns
    -------
    shape (points, objectives)
    """
    low, high = front.min(axis=0), front.max(axis=0)
    scaled: FloatArray = (points - low) / np.where(high > low, high - low, 1.0)
    return scaled
