"""Dominance and hypervolume.

Points are rows of an array of shape (points, objectives); *less is better* in every column.
Equal points do not dominate each other: all of them are kept.
"""

from collections.abc import Mapping, Sequence

import moocore
import numpy as np

from dse.arrays import BoolArray, FloatArray
from dse.columns import MAXIMISED

REFERENCE = 1.1
"""Reference point of the normalised hypervolume, in each objective."""


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
    points = np.array(points, dtype=np.float64)
    if np.isnan(points).any():
        raise ValueError("points must not be NaN")
    if len(points) == 0 or points.shape[1] == 0:
        return np.ones(len(points), dtype=bool)
    if points.shape[1] == 1:
        return np.asarray(points[:, 0] == points[:, 0].min())
    most = np.finfo(np.float64).max
    np.clip(points, -most, most, out=points)  # moocore errs on infinity
    return np.asarray(moocore.is_nondominated(points, keep_weakly=True))


def hypervolume(points: FloatArray, reference: FloatArray) -> float:
    """Measure the part of the box below the reference that the points dominate.

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
    inside = points[(points < reference).all(axis=1)]
    return float(moocore.hypervolume(inside, ref=reference)) if len(inside) else 0.0


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


def minimised(costs: Mapping[str, FloatArray], objectives: Sequence[str]) -> FloatArray:
    """Return the objectives as columns where less is better.

    Parameters
    ----------
    costs
        Column name to values of shape (designs,).
    objectives
        Names of `dse.columns.QUANTITIES`; those of `MAXIMISED` are negated.

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
