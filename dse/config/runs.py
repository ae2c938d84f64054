"""What a run is asked for beside its workload, accelerator and space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dse.checks import check_switch
from dse.columns import QUANTITIES
from dse.config.checks import integer, mapping, number, one_of, texts
from dse.cost.time import longest_share
from dse.errors import DseError
from dse.exploration.problem import check_budget, check_objectives
from dse.mapping.objective import MAPPER_OBJECTIVES
from dse.pick import RULES
from dse.report.levels import LEVELS

TASKS = ("search", "evaluate", "import", "pick", "report", "compare")


@dataclass(frozen=True, kw_only=True)
class PickSettings:
    """How one design is chosen from the front.

    Attributes
    ----------
    rule
        One of `RULES`.
    order
        Objectives, the most important first, for ``lexicographic``; empty for their own order.
    tolerance
        Share of its best by which an objective may be missed, for ``lexicographic``.
    weights
        Objective to weight, for ``weighted``; empty for equal weights.
    is_required
        Whether a search without a pick ends with a status of its own.
    """

    rule: str = "knee"
    order: tuple[str, ...] = ()
    tolerance: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    is_required: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """What the rule is given, beside the front."""
        if self.rule == "lexicographic":
            return {"order": self.order or None, "tolerance": self.tolerance}
        return {"weights": dict(self.weights) or None} if self.rule == "weighted" else {}


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
    mapper_slack
        Share of the least latency that a mapping may lose to move fewer bits.
    runs
        Finished run folders, for ``pick``, ``report`` and ``compare``.
    report
        One of `LEVELS`.
    """

    task: str
    seed: int
    objectives: tuple[str, ...]
    budget: Mapping[str, float]
    pick: PickSettings
    mapper_objective: str
    mapper_slack: float
    runs: tuple[Path, ...]
    report: str


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
    task = one_of("task.name", mapping("task", values["task"], ("name",))["name"], TASKS)
    mapping("mapper", values["mapper"], ("objective", "slack"))
    return Settings(
        task=task,
        seed=_seed(values["seed"]),
        objectives=objectives_from(values["objectives"]),
        budget=budget_from(values["budget"]),
        pick=pick_from(values["pick"]),
        mapper_objective=one_of(
            "mapper.objective", values["mapper"]["objective"], MAPPER_OBJECTIVES
        ),
        mapper_slack=_slack(values["mapper"]["slack"]),
        runs=_runs(task, values["run"]),
        report=one_of("report", values.get("report", "full"), LEVELS),
    )


def _slack(value: Any) -> float:
    longest_share(value)  # its errors name the key and the rule
    return float(value)


def _seed(value: object) -> int:
    seed = integer("seed", value, least=0)
    if seed >= 2**32:
        raise DseError(f"seed must be a whole number below 2**32, got {value!r}")
    return seed


def objectives_from(names: object) -> tuple[str, ...]:
    """Return the objectives: two to four different columns of costs."""
    if not isinstance(names, Sequence) or isinstance(names, str):
        raise DseError(f"objectives must be a list such as [latency_s,area_mm2], got {names!r}")
    return check_objectives([str(name) for name in names])


def budget_from(values: object) -> dict[str, float]:
    """Return the budgets; null removes one."""
    if values is not None and not isinstance(values, Mapping):
        raise DseError(f"budget must be a mapping such as {{area_mm2: 8}}, got {values!r}")
    return check_budget(values or {})


def pick_from(values: Mapping[str, Any]) -> PickSettings:
    """Return how the pick is made."""
    mapping("pick", values, ("rule", "order", "tolerance", "weights", "require"))
    order = texts("pick.order", values.get("order") or ())
    weights = mapping("pick.weights", values.get("weights") or {}, QUANTITIES)
    tolerance = values.get("tolerance")
    for name in order:
        one_of("pick.order", name, QUANTITIES)
    is_required = values.get("require", True)
    check_switch("pick", "require", is_required)
    return PickSettings(
        is_required=is_required,
        rule=one_of("pick.rule", values["rule"], RULES),
        order=order,
        tolerance=None if tolerance is None else number("pick.tolerance", tolerance),
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
