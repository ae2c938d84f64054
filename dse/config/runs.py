"""What a run is asked for beside its workload, accelerator and space."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dse.config.checks import check_keys, nearest
from dse.errors import DseError
from dse.pareto import QUANTITIES

TASKS = ("search", "evaluate", "pick", "report", "compare")
MAPPER_OBJECTIVES = ("latency_s", "dram_bytes", "energy_pj", "edp")
PICK_RULES = ("knee", "lexicographic", "weighted")


@dataclass(frozen=True, kw_only=True)
class PickSettings:
    """How one design is chosen from the front.

    Attributes
    ----------
    rule
        One of `PICK_RULES`.
    order
        Objectives, the most important first, for ``lexicographic``; empty for their own order.
    weights
        Objective to weight, for ``weighted``; empty for equal weights.
    """

    rule: str = "knee"
    order: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """What the rule is given, beside the front."""
        if self.rule == "lexicographic" and self.order:
            return {"order": self.order}
        if self.rule == "weighted" and self.weights:
            return {"weights": dict(self.weights)}
        return {}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run is asked for.

    Attributes
    ----------
    task
        One of `TASKS`.
    seed
        Of every random choice.
    objectives
        Two to four columns of costs.
    budget
        Column of costs to its floor (throughput) or ceiling (all others), in the column's unit.
    mapper_objective
        What each layer's mapping minimises.
    runs
        Finished run folders, for ``pick``, ``report`` and ``compare``.
    """

    task: str
    seed: int
    objectives: tuple[str, ...]
    budget: Mapping[str, float]
    pick: PickSettings
    mapper_objective: str
    runs: tuple[Path, ...]


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Return the settings of a composed configuration.

    Parameters
    ----------
    values
        The configuration as a plain dict.

    Raises
    ------
    DseError
        If a value is outside its range, or names what does not exist.
    """
    task = one_of("task.name", values["task"]["name"], TASKS)
    check_keys("mapper", values["mapper"], ("objective",))
    return Settings(
        task=task,
        seed=integer("seed", values["seed"], least=0, most=2**32 - 1),
        objectives=objectives_from(values["objectives"]),
        budget=budget_from(values["budget"]),
        pick=pick_from(values["pick"]),
        mapper_objective=one_of(
            "mapper.objective", values["mapper"]["objective"], MAPPER_OBJECTIVES
        ),
        runs=_runs(task, values["run"]),
    )


def objectives_from(names: object) -> tuple[str, ...]:
    """Return the objectives: two to four different columns of costs."""
    if not isinstance(names, Sequence) or isinstance(names, str):
        raise DseError(f"objectives must be a list such as [latency_s,area_mm2], got {names!r}")
    for name in names:
        one_of("objectives", name, QUANTITIES)
    if not 2 <= len(set(names)) == len(names) <= 4:
        raise DseError(f"objectives must be two to four different names, got {list(names)}")
    return tuple(names)


def budget_from(values: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the budgets; null removes one."""
    budget = {}
    for name, limit in (values or {}).items():
        if name not in QUANTITIES:
            raise DseError(
                f"budget.{name} is on a quantity that does not exist"
                f"{nearest(str(name), QUANTITIES)}"
            )
        if limit is not None:
            budget[str(name)] = number(f"budget.{name}", limit)
    return budget


def pick_from(values: Mapping[str, Any]) -> PickSettings:
    """Return how the pick is made."""
    check_keys("pick", values, ("rule", "order", "weights"))
    order, weights = values.get("order") or (), values.get("weights") or {}
    if isinstance(order, str) or not isinstance(weights, Mapping):
        raise DseError(
            f"pick.order must be a list and pick.weights a mapping of objectives, "
            f"got {order!r} and {weights!r}"
        )
    for name in (*order, *weights):
        one_of("pick objective", name, QUANTITIES)
    return PickSettings(
        rule=one_of("pick.rule", values["rule"], PICK_RULES),
        order=tuple(order),
        weights={name: number(f"pick.weights.{name}", x) for name, x in weights.items()},
    )


def _runs(task: str, value: object) -> tuple[Path, ...]:
    given = [value] if isinstance(value, str) else value
    if given is None:
        given = []
    if not isinstance(given, Sequence) or not all(isinstance(x, str) for x in given):
        raise DseError(f"run must be a run folder or a list of them, got {value!r}")
    if task in ("pick", "report") and len(given) != 1:
        raise DseError(
            f"task={task} needs one finished run folder, run=outputs/<run>, got {value!r}"
        )
    if task == "compare" and len(given) < 2:
        raise DseError(
            f"task=compare needs two or more run folders, 'run=[outputs/<a>,outputs/<b>]', "
            f"got {value!r}"
        )
    return tuple(Path(x) for x in given)


def one_of(key: str, value: object, known: Sequence[str]) -> str:
    """Return a value that must be one of the known names."""
    if not isinstance(value, str) or value not in known:
        hint = nearest(str(value), known)
        hint = hint if "did you mean" in hint else ""
        raise DseError(f"{key} must be one of {', '.join(known)}, got {value!r}{hint}")
    return value


def number(key: str, value: object) -> float:
    """Return a value that must be a finite number above 0."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 < value < math.inf:  # type: ignore[operator]
        raise DseError(f"{key} must be a finite number above 0, got {value!r}")
    return float(value)  # type: ignore[arg-type]


def integer(key: str, value: object, *, least: int, most: int) -> int:
    """Return a value that must be an integer between two limits."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise DseError(f"{key} must be an integer from {least} to {most}, got {value!r}")
    return value
