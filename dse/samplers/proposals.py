"""Which designs to cost next: those that a surrogate foretells to improve the front most."""

import math
from collections.abc import Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from dse.arrays import BoolArray, FloatArray, IntArray
from dse.pareto import non_dominated, scale
from dse.samplers.neighbours import (
    all_designs,
    crossed_over,
    improvement,
    most_improving,
    mutated,
    new_rows,
    random_designs,
)
from dse.samplers.surrogate import INACTIVE, Knobs, Surrogate, fit

_TRAINED_DESIGNS = 2000
"""Designs that a surrogate is fitted to, most of them near the front."""

_NEAR_POINTS = 1000
"""Points of the front from which designs are near or far."""

_DRAWN = 1200
"""Candidates drawn in a generation; a space of so many designs is looked at whole."""

_DOUBT = 0.05
"""Share of a limit that the surrogate may err by: a design that should miss it by more is last."""

_DRAWN_RATIO = 6
"""Candidates drawn for each that is asked for, where that is more."""

_GENERATIONS = 2
_PARENTS = 300
_LAST = 1e3


@dataclass(frozen=True, kw_only=True)
class History:
    """The designs that were costed.

    Attributes
    ----------
    places : shape (designs, knobs)
    points : shape (designs, objectives)
        Less is better.
    violations : shape (designs, constraints)
        0 or less where a constraint is met.
    """

    places: IntArray
    points: FloatArray
    violations: FloatArray

    @property
    def is_feasible(self) -> BoolArray:
        """Whether each design meets all constraints, of shape (designs,)."""
        met: BoolArray = np.asarray((self.violations <= 0).all(axis=1))
        return met

    @property
    def front(self) -> IntArray:
        """Rows of the feasible designs that no other dominates."""
        rows = np.flatnonzero(self.is_feasible)
        return rows[non_dominated(self.points[rows])]


def propose(
    knobs: Knobs,
    history: History,
    known: Set[bytes],
    *,
    count: int,
    rng: Generator,
    rates: FloatArray | None = None,
) -> tuple[IntArray, FloatArray]:
    """Return designs to cost next, best first, and the rates of the surrogate that chose them.

    Parameters
    ----------
    history
        At least one design.
    known
        Rows of places, as bytes, that are not to be proposed.
    rates
        Of an earlier call, to begin from.

    Returns
    -------
    shape (at most count, knobs), shape (costs, knobs)
    """
    front = history.front
    chosen = _training_rows(history, front, rng)
    values = np.column_stack([_clipped(history), _softened(history.violations)])
    surrogate = fit(knobs, history.places[chosen], values[chosen], start=rates)
    start = rng.permutation(front)[: 2 * _PARENTS] if len(front) else chosen[:_PARENTS]
    pool = _Pool(history.places[start], values[start], np.empty_like(values[start]))
    pool = replace(pool, residuals=pool.costs - surrogate(pool.places))
    found = _Pool(pool.places[:0], pool.costs[:0], pool.residuals[:0])
    order = np.empty(0, dtype=np.int64)
    for _ in range(_GENERATIONS):
        drawn = _candidates(surrogate, pool, history.places, max(_DRAWN, _DRAWN_RATIO * count), rng)
        found = _joined(found, drawn, known)
        if len(found.places) == 0:  # nearly all designs are known
            continue
        order = _best(found.costs, history.points[front], max(_PARENTS, count))
        pool = found.rows(order[:_PARENTS])
    return found.places[order[:count]], surrogate.rates


@dataclass(frozen=True)
class _Pool:
    """Designs, their costs, foretold or known, and what the surrogate errs by at them."""

    places: IntArray
    costs: FloatArray
    residuals: FloatArray

    def rows(self, rows: IntArray) -> "_Pool":
        return _Pool(self.places[rows], self.costs[rows], self.residuals[rows])


def _joined(one: _Pool, other: _Pool, known: Set[bytes]) -> _Pool:
    both = _Pool(
        np.concatenate([one.places, other.places]),
        np.concatenate([one.costs, other.costs]),
        np.concatenate([one.residuals, other.residuals]),
    )
    return both.rows(new_rows(both.places, known))


def _candidates(
    surrogate: Surrogate, pool: _Pool, templates: IntArray, count: int, rng: Generator
) -> _Pool:
    """Draw designs; at a neighbour the surrogate is taken to err as at its parent."""
    knobs = surrogate.knobs
    if math.prod(knobs.sizes.tolist()) <= _DRAWN and not (templates == INACTIVE).any():
        places, residuals = all_designs(knobs), np.zeros((1, pool.residuals.shape[1]))
    else:
        drawn = rng.integers(len(pool.places), size=count // 2)
        near = mutated(knobs, pool.places[drawn], rng)
        mixed = crossed_over(pool.places, count // 6, rng)
        far = random_designs(knobs, templates, count // 3, rng)
        places = np.concatenate([near, mixed, far])
        residuals = np.zeros((len(places), pool.residuals.shape[1]))
        residuals[: len(near)] = pool.residuals[drawn]
    residuals = np.broadcast_to(residuals, (len(places), pool.residuals.shape[1]))
    return _Pool(places, surrogate(places) + residuals, residuals)


def _best(foretold: FloatArray, front: FloatArray, count: int) -> IntArray:
    """Return the most promising rows, best first."""
    objectives = front.shape[1]
    violation = np.maximum(foretold[:, objectives:], 0).sum(axis=1)
    if len(front) == 0:
        return np.argsort(violation, kind="stable")[:count]
    scaled = scale(foretold[:, :objectives], front)
    return most_improving(
        scaled, scale(front, front), count, violation + _LAST * (violation > _DOUBT)
    )


def _training_rows(history: History, front: IntArray, rng: Generator) -> IntArray:
    """Choose designs, the nearest to the front first; if too many, one in five from anywhere."""
    size = len(history.points)
    shortfall = np.maximum(history.violations, 0).sum(axis=1)
    if len(front):
        best = history.points[front]
        drawn = rng.permutation(len(best))[:_NEAR_POINTS]
        lost = -improvement(scale(history.points, best), scale(best, best)[drawn])
        shortfall = shortfall + np.maximum(lost, 0)
    shuffled = rng.permutation(size)
    near = shuffled[np.argsort(shortfall[shuffled], kind="stable")]
    split = _TRAINED_DESIGNS * 4 // 5
    return np.concatenate([near[:split], rng.permutation(near[split:])[: _TRAINED_DESIGNS - split]])


def _clipped(history: History) -> FloatArray:
    """Bring values far beyond those of feasible designs near: only the front need be foretold."""
    rows = np.flatnonzero(history.is_feasible)
    if len(rows) < 2:
        violation = np.maximum(history.violations, 0).sum(axis=1)
        rows = np.argsort(violation, kind="stable")[: max(2, len(violation) // 2)]
    low, high = history.points[rows].min(axis=0), history.points[rows].max(axis=0)
    return np.clip(history.points, low - (high - low), high + (high - low))


def _softened(violations: FloatArray) -> FloatArray:
    """Take logarithms on both sides of zero, of what may span orders of magnitude."""
    near = np.clip(violations, -10.0, 10.0)
    softened: FloatArray = np.sign(near) * np.log1p(np.abs(near))
    return softened
