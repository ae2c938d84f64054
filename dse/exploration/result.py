"""The result of a search: designs, front, and how good the sampled front is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from dse.arrays import FloatArray, IntArray
from dse.errors import DseError
from dse.exploration.problem import Costs, check_budget, check_objectives, relative_violations
from dse.exploration.problem import is_feasible as feasible_mask
from dse.pareto import REFERENCE, log_minimised, minimised, non_dominated, scale
from dse.pareto import hypervolume as volume_below
from dse.pick import CostsOf, Pick, pick
from dse.shown import short_repr
from dse.space import Space

NEAREST_DESIGNS = 5
"""Designs that are shown if none is feasible."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """A finished search.

    Attributes
    ----------
    designs
        Every design that was costed and kept: knobs, costs (units in the names), feasible.
        Of a space of over 2 million designs those of the study and of the front.
    front
        The feasible designs that no other feasible one dominates; equal ones are all kept.
        Sorted by the objectives, best first, then by the order of the space.
    exact
        Whether the front is that of the whole space.
    hypervolume_share
        Hypervolume of the sampled study's front over the exact one (dse/docs/model.md), or
        None where there is no sampled study or no exact front.
    num_costed
        Different designs that the sampled study costed; of the whole space if enumerated only.
    history
        ``num_costed``, ``hypervolume_share`` after each batch; of the sampled study's own front
        where the exact one is not known.
    nearest
        If nothing is feasible, the designs nearest to it and by which share they miss each limit.
    degenerate
        The knobs that no objective and no budget makes a trade-off of; `notes` says why.
    notes
        Plain sentences that a reader should see.
    """

    space: Space
    objectives: tuple[str, ...]
    budget: Mapping[str, float]
    designs: pd.DataFrame
    front: pd.DataFrame
    exact: bool
    hypervolume_share: float | None = None
    num_costed: int = 0
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    nearest: pd.DataFrame = field(default_factory=pd.DataFrame)
    degenerate: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    costs_of: CostsOf | None = field(default=None, repr=False)

    __repr__ = short_repr

    def pick(self, rule: str = "knee", **options: Any) -> Pick:
        """Choose one design of the front; rules and options are those of `dse.pick.pick`.

        Raises
        ------
        DseError
            If nothing is feasible, or the rule or an option is wrong.
        """
        return pick(
            self.front,
            space=self.space,
            objectives=self.objectives,
            budget=self.budget,
            costs_of=self.costs_of,
            rule=rule,
            **options,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the designs with ``on_front``: whether one is among those worth having."""
        knobs = list(self.space.knobs)
        places, best = (pd.MultiIndex.from_frame(x[knobs]) for x in (self.designs, self.front))
        return self.designs.assign(on_front=places.isin(best))

    def with_budget(self, budget: Mapping[str, float | None]) -> "Study":
        """Return the study under another budget; nothing is costed again.

        Raises
        ------
        DseError
            If a budget is wrong.
        """
        return study_from_designs(
            self.designs,
            space=self.space,
            objectives=self.objectives,
            budget=budget,
            exact=self.exact and len(self.designs) == self.space.size,
            costs_of=self.costs_of,
        )


def study_from_designs(
    designs: pd.DataFrame,
    *,
    space: Space,
    objectives: Sequence[str],
    budget: Mapping[str, float | None],
    exact: bool,
    costs_of: CostsOf | None = None,
    **found: Any,
) -> Study:
    """Build a study from designs and their costs, such as those of a run folder.

    Parameters
    ----------
    designs
        One row a design: its knobs and its costs.
    exact
        Whether the designs are the whole space.
    costs_of
        The cost model, for the marginal values of a pick.
    found
        Further fields of `Study`.

    Raises
    ------
    DseError
        If an objective or a budget is unknown or not a column of the designs.
    """
    objectives, limits = check_objectives(objectives), check_budget(budget)
    for name in (*space.knobs, *objectives, *limits):
        if name not in designs.columns:
            raise DseError(f"designs have no column {name!r}, which the search needs")
    designs = designs.drop(columns="feasible", errors="ignore").reset_index(drop=True)
    numbers = [name for name in designs.columns if pd.api.types.is_numeric_dtype(designs[name])]
    costs = {name: designs[name].to_numpy(np.float64) for name in numbers}
    mask = feasible_mask(costs, objectives, limits)
    rows = front_rows(costs, objectives, np.flatnonzero(mask))
    return Study(
        space=space,
        objectives=objectives,
        budget=limits,
        designs=designs.assign(feasible=mask),
        front=_sorted_front(designs.iloc[rows], space, objectives),
        exact=exact,
        nearest=_nearest(designs, costs, limits) if not mask.any() else pd.DataFrame(),
        costs_of=costs_of,
        **{"num_costed": len(designs), **found},
    )


def front_rows(costs: Costs, objectives: Sequence[str], rows: IntArray) -> IntArray:
    """Return which of the rows are Pareto-optimal, in their order.

    Parameters
    ----------
    costs
        Arrays of shape (designs,).
    rows : shape (rows,)
        The designs that may be on the front.
    """
    return rows[non_dominated(minimised(costs, objectives)[rows])]


def _sorted_front(front: pd.DataFrame, space: Space, objectives: Sequence[str]) -> pd.DataFrame:
    """Sort by the objectives, best first, then by the order of the space."""
    place = space.indices({name: front[name].to_numpy() for name in space.knobs})
    points = minimised({name: front[name].to_numpy(np.float64) for name in objectives}, objectives)
    return front.iloc[np.lexsort((place, *points.T[::-1]))].reset_index(drop=True)


def frame(space: Space, indices: IntArray, costs: Costs) -> pd.DataFrame:
    """Return designs as a table: their knobs, then their costs."""
    return pd.DataFrame({**space.columns(indices), **costs})


def hypervolume(points: FloatArray, front: FloatArray) -> float:
    """Return the hypervolume of dse/docs/model.md#designs-search-and-pick.

    Parameters
    ----------
    points, front : shape (designs, objectives)
        As `dse.pareto.log_minimised` returns them; the front gives the scale.
    """
    scaled = scale(points, front)
    return volume_below(scaled, np.full(scaled.shape[1], REFERENCE))


def convergence(
    costs: Costs,
    objectives: Sequence[str],
    budget: Mapping[str, float],
    *,
    front: Costs,
    checkpoints: Sequence[int],
) -> pd.DataFrame:
    """Return the share of the front's hypervolume that the first designs had, as they grew.

    Parameters
    ----------
    costs
        Of the study's designs in the order of costing.
    front
        Costs of the front that the share refers to.
    checkpoints
        Numbers of designs, rising.
    """
    best = log_minimised(front, objectives)
    shares = np.zeros(len(checkpoints))
    if len(best) and checkpoints:
        whole = hypervolume(best, best)
        mask = feasible_mask(costs, objectives, budget)
        feasible = np.flatnonzero(mask)
        points = log_minimised({name: costs[name][feasible] for name in objectives}, objectives)
        for place, count in enumerate(checkpoints):
            first = points[: np.searchsorted(feasible, count)]
            shares[place] = min(1.0, hypervolume(first, best) / whole)
    return pd.DataFrame({"num_costed": list(checkpoints), "hypervolume_share": shares})


def _nearest(designs: pd.DataFrame, costs: Costs, budget: Mapping[str, float]) -> pd.DataFrame:
    violations = np.maximum(relative_violations(costs, budget), 0.0)
    unmapped = ~np.isfinite(costs.get("latency_s", np.zeros(len(designs))))
    total = np.where(unmapped, np.inf, violations.sum(axis=1))
    rows = np.lexsort((np.arange(len(total)), total))[:NEAREST_DESIGNS]
    table = designs.iloc[rows].reset_index(drop=True)
    for place, name in enumerate(budget):
        table[f"{name}_violation"] = violations[rows, place]
    table["is_mapped"] = ~unmapped[rows]
    return table
