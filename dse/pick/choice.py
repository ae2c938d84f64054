"""Choosing one design of a front: knee, lexicographic or weighted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dse.arrays import FloatArray, IntArray
from dse.checks import check_not_negative
from dse.columns import MAXIMISED
from dse.errors import DseError, nearest
from dse.pareto import log_minimised, scale
from dse.pick.marginal import binding_budgets, marginal_values
from dse.pick.steps import CostsOf
from dse.shown import short_repr
from dse.space import Space

DEFAULT_TOLERANCE = 0.02
"""Share by which an objective may miss its best in a lexicographic choice, unless set."""

_TIE_DIGITS = 12
_RUNNERS_UP = 2


_Rule = Callable[..., tuple[IntArray, dict[str, Any]]]
"""A front and options in; all rows, best first, and what the rule looked at, out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pick:
    """One chosen design.

    Attributes
    ----------
    rule
        ``knee``, ``lexicographic`` or ``weighted``.
    design
        Its knobs and costs; units are in the names.
    runners_up
        The two next best designs by the same rule. Designs that equal the pick in every objective
        are in `equals` instead, as long as there are others.
    equals
        Of each design that equals the pick in every objective, the knobs that differ.
    binding
        Budgets that keep a neighbour of the pick from being chosen: ``budget``, ``limit``,
        ``value``, ``slack`` (share of the limit that is left), ``is_binding``, and the step that
        shows it; see `dse.pick.marginal.binding_budgets`. Where none binds, the one with the least
        slack.
    marginal
        One row for the next step of each resource; see `dse.pick.marginal.marginal_values`.
    criterion
        What the rule looked at: ``distance`` of the knee; ``score`` and ``weights``; ``order`` and
        ``tolerance`` of the lexicographic rule.
    num_candidates
        Designs of the front.
    """

    rule: str
    design: dict[str, Any]
    runners_up: pd.DataFrame
    binding: list[dict[str, Any]]
    marginal: pd.DataFrame
    criterion: dict[str, Any]
    num_candidates: int
    equals: tuple[dict[str, Any], ...]

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class _ScaledFront:
    """A front as a rule sees it: scaled logarithms, areas, and the objectives' names."""

    table: pd.DataFrame
    objectives: tuple[str, ...]
    scaled: FloatArray

    @property
    def area(self) -> FloatArray:
        if "area_mm2" not in self.table:
            return np.zeros(len(self.table))
        return self.table["area_mm2"].to_numpy(np.float64)

    def sorted_by(self, score: FloatArray) -> IntArray:
        """Return rows by score; ties by less area, then as the front is sorted."""
        rows = np.arange(len(score))
        order: IntArray = np.lexsort((rows, self.area, score.round(_TIE_DIGITS)))
        return order


def pick(
    front: pd.DataFrame,
    *,
    space: Space,
    objectives: Sequence[str],
    budget: Mapping[str, float],
    costs_of: CostsOf | None = None,
    rule: str = "knee",
    **options: Any,
) -> Pick:
    """Choose one design of a feasible front.

    Knee: objectives as log10, scaled to 0..1 over the front; the least distance to the best
    corner. Weighted: the least weighted sum of the same. Lexicographic: the objectives in order,
    each but the last keeping the designs within a tolerance of the best that is left, the last
    keeping the best. Ties: less area, then the row first in the front.

    Parameters
    ----------
    front
        Feasible Pareto-optimal designs: knobs and costs.
    costs_of
        The cost model; without it there are no marginal values, and a budget binds by slack only.
    options
        ``weights`` (objective to weight, for weighted), ``order`` (objectives, for
        lexicographic), ``tolerance`` (share of the best, or objective to share).

    Raises
    ------
    DseError
        If the front is empty, or the rule or an option is wrong.
    """
    choose, chosen = _chosen_rule(rule, options)
    if front.empty:
        raise DseError("pick needs a feasible design: no design meets the budget")
    names = tuple(objectives)
    points = log_minimised({name: front[name].to_numpy(np.float64) for name in names}, names)
    rows, criterion = choose(
        _ScaledFront(table=front, objectives=names, scaled=scale(points, points)), **chosen
    )
    others, twins = _others(points, rows)
    design = _plain_row(front, int(rows[0]))
    return Pick(
        rule=rule,
        design=design,
        runners_up=front.iloc[others].reset_index(drop=True),
        binding=binding_budgets(
            design, space=space, objectives=names, budget=budget, costs_of=costs_of
        ),
        marginal=marginal_values(
            design, space=space, objectives=names, budget=budget, costs_of=costs_of
        ),
        criterion=criterion,
        num_candidates=len(front),
        equals=tuple(_changed(design, _plain_row(front, row), space) for row in twins),
    )


def _chosen_rule(rule: str, options: Mapping[str, Any]) -> tuple[_Rule, dict[str, Any]]:
    if rule not in _RULES:
        hint = nearest(str(rule), _RULES)
        raise DseError(f"pick.rule must be one of {', '.join(_RULES)}, got {rule!r}{hint}")
    known, choose = _RULES[rule]
    chosen = {key: value for key, value in options.items() if value is not None}
    for key in chosen:
        if key not in known:
            raise DseError(f"pick.{key} is not an option of rule {rule!r}{nearest(key, known)}")
    return choose, chosen


def _others(points: FloatArray, rows: IntArray) -> tuple[list[int], list[int]]:
    """Return the runners-up, and the designs that equal the first in every objective.

    A runner-up differs from the pick and from the other one, as long as there are such.
    """
    seen = {tuple(points[rows[0]])}
    different: list[int] = []
    equal: list[int] = []
    for row in rows[1:].tolist():
        point = tuple(points[row])
        (equal if point in seen else different).append(row)
        seen.add(point)
    twins = [row for row in equal if (points[row] == points[rows[0]]).all()]
    return [*different, *equal][:_RUNNERS_UP], twins


def _knee(front: _ScaledFront) -> tuple[IntArray, dict[str, Any]]:
    distance = np.sqrt((front.scaled**2).sum(axis=1))
    rows = front.sorted_by(distance)
    return rows, {"distance": float(distance[rows[0]])}


def _weighted(
    front: _ScaledFront, weights: Mapping[str, float] | None = None
) -> tuple[IntArray, dict[str, Any]]:
    chosen = dict(weights) if weights else dict.fromkeys(front.objectives, 1.0)
    for name, weight in chosen.items():
        _check_objective("weights", name, front.objectives)
        check_not_negative(f"pick.weights.{name}", weight)
    values = np.array([float(chosen.get(name, 0.0)) for name in front.objectives])
    if not values.any():
        raise DseError("pick.weights must have a weight above 0, got none")
    score = front.scaled @ values
    rows = front.sorted_by(score)
    return rows, {"score": float(score[rows[0]]), "weights": chosen}


def _lexicographic(
    front: _ScaledFront,
    order: Sequence[str] | None = None,
    tolerance: float | Mapping[str, float] = DEFAULT_TOLERANCE,
) -> tuple[IntArray, dict[str, Any]]:
    names = tuple(order) if order else front.objectives
    for name in names:
        _check_objective("order", name, front.objectives)
    if len(set(names)) != len(names):
        raise DseError(f"pick.order must not repeat an objective, got {list(names)}")
    shares = _tolerances(tolerance, names)
    left = np.arange(len(front.table))
    ranking: list[int] = []
    while len(left):
        best = _lexicographic_best(front, names, shares, left)
        ranking.append(best)
        left = left[left != best]
    return np.array(ranking), {"order": list(names), "tolerance": shares}


def _tolerances(tolerance: float | Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    given = tolerance if isinstance(tolerance, Mapping) else dict.fromkeys(names, tolerance)
    for name, share in given.items():
        _check_objective("tolerance", name, names)
        check_not_negative(f"pick.tolerance.{name}", share)
    return {name: float(given.get(name, DEFAULT_TOLERANCE)) for name in names}


def _lexicographic_best(
    front: _ScaledFront, names: Sequence[str], shares: Mapping[str, float], left: IntArray
) -> int:
    for name in names:
        share = shares[name] if name != names[-1] else 0.0
        values = front.table[name].to_numpy(np.float64)[left]
        if name in MAXIMISED:
            left = left[values >= values.max() * (1 - share)]
        else:
            left = left[values <= values.min() * (1 + share)]
    return int(left[np.lexsort((left, front.area[left]))[0]])


_RULES: dict[str, tuple[tuple[str, ...], _Rule]] = {
    "knee": ((), _knee),
    "lexicographic": (("order", "tolerance"), _lexicographic),
    "weighted": (("weights",), _weighted),
}

RULES = tuple(_RULES)


def _check_objective(key: str, name: object, objectives: Sequence[str]) -> None:
    if name not in objectives:
        hint = nearest(str(name), objectives)
        raise DseError(f"pick.{key} must name objectives of the search, got {name!r}{hint}")


def _plain_row(table: pd.DataFrame, row: int) -> dict[str, Any]:
    values = {name: table[name].iloc[row] for name in table.columns}
    return {
        str(name): value.item() if isinstance(value, np.generic) else value
        for name, value in values.items()
    }


def _changed(design: Mapping[str, Any], other: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Return the knobs of another design that differ."""
    return {name: other[name] for name in space.knobs if other[name] != design[name]}
