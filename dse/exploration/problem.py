"""What is searched for: a space, its costs, the objectives and the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from dse.arrays import BoolArray, FloatArray
from dse.checks import check_positive
from dse.columns import MAXIMISED, QUANTITIES
from dse.errors import DseError, nearest
from dse.frozen import FrozenDict
from dse.pareto import log_minimised, minimised
from dse.space import Columns, Space

Costs = Mapping[str, FloatArray]
"""Quantity to its values, of shape (designs,)."""

LARGEST_TOLD = 1e9
"""What Optuna is told in place of an infinite value; such a design is infeasible anyway."""


class CostModel(Protocol):
    """What a search needs of a cost model; `dse.evaluation.space_model.SpaceModel` is one."""

    @property
    def space(self) -> Space:
        """The designs."""

    @property
    def has_time_grid(self) -> bool:
        """Whether `time_grid` applies."""

    def costs(self, columns: Columns) -> Mapping[str, FloatArray]:
        """Cost designs; columns and costs are of shape (designs,)."""

    def chip_costs(self, columns: Columns) -> Mapping[str, FloatArray]:
        """Return the costs of designs that do not depend on what runs."""

    def time_grid(self, values: Mapping[str, Any], lines: Columns) -> tuple[FloatArray, BoolArray]:
        """Return cycles of one array for every buffer size and DRAM rate, as `TimeGrid` does."""


def check_objectives(objectives: Sequence[str]) -> tuple[str, ...]:
    """Return the objectives: two to four different names of `QUANTITIES`.

    Raises
    ------
    DseError
        If a name is unknown or repeated, or there are fewer than two or more than four.
    """
    names = tuple(objectives)
    for name in names:
        if name not in QUANTITIES:
            raise DseError(f"objectives must be known quantities, got {name!r}{_hint(name)}")
    if len(set(names)) != len(names) or not 2 <= len(names) <= 4:
        raise DseError(f"objectives must be two to four different ones, got {list(names)}")
    return names


def check_budget(budget: Mapping[str, float | None]) -> dict[str, float]:
    """Return the budgets that are set: a floor for throughput, else ceilings.

    Parameters
    ----------
    budget
        Name of `QUANTITIES` to its limit; None is no budget.

    Raises
    ------
    DseError
        If a name is unknown or a limit is not a positive, finite number.
    """
    for name, limit in budget.items():
        if name not in QUANTITIES:
            raise DseError(f"budget.{name} is not a quantity that is known{_hint(name)}")
        if limit is not None:
            check_positive(f"budget.{name}", limit, integer=False, also=", or null")
    return {name: float(limit) for name, limit in budget.items() if limit is not None}


def _hint(name: object) -> str:
    return nearest(str(name), QUANTITIES)


def relative_violations(costs: Costs, budget: Mapping[str, float]) -> FloatArray:
    """Measure by how much designs violate each budget.

    Returns
    -------
    shape (designs, budgets)
        Share of the limit by which it is missed; 0 or less is within budget, infinite where the
        quantity itself is infinite or NaN.
    """
    size = len(next(iter(costs.values())))
    columns = np.empty((size, len(budget)))
    for place, (name, limit) in enumerate(budget.items()):
        excess = np.asarray(costs[name], np.float64) / limit - 1.0
        columns[:, place] = -excess if name in MAXIMISED else excess
    return np.where(np.isnan(columns), np.inf, columns)


def is_feasible(costs: Costs, objectives: Sequence[str], budget: Mapping[str, float]) -> BoolArray:
    """Mark the designs that meet every budget and have finite objectives.

    Returns
    -------
    shape (designs,)
    """
    within = (relative_violations(costs, budget) <= 0).all(axis=1)
    points = minimised(costs, objectives)
    finite: BoolArray = np.asarray(np.isfinite(points).all(axis=1))
    if "latency_s" in costs:  # where no mapping fits, whatever the objectives are
        finite &= np.isfinite(costs["latency_s"])
    return within & finite


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A space with its cost model, objectives and budget.

    Attributes
    ----------
    model
        The space, and what its designs cost.
    objectives, budget
        As `check_objectives` and `check_budget` return them.
    """

    model: CostModel
    objectives: tuple[str, ...]
    budget: Mapping[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "objectives", check_objectives(self.objectives))
        object.__setattr__(self, "budget", FrozenDict(check_budget(self.budget)))

    @property
    def space(self) -> Space:
        """The designs that are searched."""
        return self.model.space

    def costs(self, columns: Columns) -> dict[str, FloatArray]:
        """Cost designs in one call; columns and costs are of shape (designs,)."""
        return {name: np.asarray(values) for name, values in self.model.costs(columns).items()}

    def told(self, costs: Costs) -> tuple[FloatArray, FloatArray]:
        """Return what Optuna is told: log10 of the objectives, all minimised, and constraints.

        Logarithms, so that a sampler spreads designs over ratios as the hypervolume does.

        Returns
        -------
        shape (designs, objectives), shape (designs, budgets + 1)
            The last constraint is 1 where a design has no finite cost, else 0.
        """
        points = log_minimised(costs, self.objectives)
        unmapped = ~is_feasible(costs, self.objectives, {})
        constraints = np.column_stack([relative_violations(costs, self.budget), unmapped])
        return (
            np.nan_to_num(points, nan=LARGEST_TOLD, posinf=LARGEST_TOLD, neginf=-LARGEST_TOLD),
            np.minimum(constraints, LARGEST_TOLD),
        )
