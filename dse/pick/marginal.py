"""What the next step of each resource would buy, and which budget stands in the way."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dse.columns import MAXIMISED
from dse.pick.steps import RATE, CostsOf, Step, evaluate_steps, grid_steps, scaled_steps
from dse.space import Space

EFFECT = 1e-9
"""Relative change of a quantity below which nothing is said to have changed."""

_ARRAY_KNOBS = ("array_rows", "array_columns", "macs")


def _gain(name: str, after: Mapping[str, float], before: Mapping[str, float]) -> float:
    """Return by which share a quantity improves; negative where it becomes worse."""
    change = after[name] / before[name] - 1 if before[name] else 0.0
    return change if name in MAXIMISED else -change


def _broken(costs: Mapping[str, float], budget: Mapping[str, float]) -> list[str]:
    return [
        name
        for name, limit in budget.items()
        if (costs[name] < limit if name in MAXIMISED else costs[name] > limit)
    ]


def marginal_values(
    design: Mapping[str, Any],
    *,
    space: Space,
    objectives: Sequence[str],
    budget: Mapping[str, float],
    costs_of: CostsOf | None,
) -> pd.DataFrame:
    """Return what the next step of each resource would buy.

    The steps are the next larger grid value of each knob (the DRAM part and its channels step to
    the next rate), and 10 % more buffer, clock and DRAM rate. Everything else stays; the mapper
    is free. Each number is a re-evaluation by the cost model, none is extrapolated.

    Returns
    -------
    DataFrame
        ``resource``, ``change``, then ``<quantity>_change`` for latency, DRAM bytes, each
        objective and each budgeted quantity (relative, signed), ``breaks`` (budgets), ``effect``.
    """
    quantities = tuple(
        dict.fromkeys((*objectives, *budget, "latency_s", "dram_bytes_per_inference"))
    )
    columns = ["resource", "change", *(f"{name}_change" for name in quantities), "breaks", "effect"]
    if costs_of is None:
        return pd.DataFrame(columns=columns)
    grown = scaled_steps(design, space)
    steps = [*(step for step in grid_steps(design, space) if step.is_growth), *grown]
    costed = evaluate_steps(steps, costs_of)
    helps = {
        step.resource: _gain("latency_s", after, before) > EFFECT
        for step, (after, before) in zip(grown, costed[-len(grown) :], strict=True)
    }
    rows = []
    for step, (after, before) in zip(steps, costed, strict=True):
        changes = [after[name] / before[name] - 1 if before[name] else 0.0 for name in quantities]
        broken = _broken(after, budget)
        effect = _effect(step, after, before, objectives, helps)
        rows.append([step.resource, step.change, *changes, ", ".join(broken), effect])
    return pd.DataFrame(rows, columns=columns)


def _effect(
    step: Step,
    after: Mapping[str, float],
    before: Mapping[str, float],
    objectives: Sequence[str],
    helps: Mapping[str, bool],
) -> str:
    names = tuple(dict.fromkeys((*objectives, "latency_s")))
    gains = {name: _gain(name, after, before) for name in names}
    if any(gain > EFFECT for gain in gains.values()):
        return ", ".join(
            f"{name} {100 * (after[name] / before[name] - 1):+.3g} %"
            for name in objectives
            if abs(gains[name]) > EFFECT
        )
    return f"no effect, because {_why_nothing(step.resource, after, before, helps)}"


def _why_nothing(
    resource: str,
    after: Mapping[str, float],
    before: Mapping[str, float],
    helps: Mapping[str, bool],
) -> str:
    if resource == RATE:
        return "no layer waits for the DRAM"
    if resource == "clock_hz" or (resource in _ARRAY_KNOBS and not helps["clock_hz"]):
        return "every layer waits for the DRAM, so faster computation saves nothing"
    if resource in _ARRAY_KNOBS:
        return "no layer that waits for the array needs fewer steps on a larger one"
    saved = 1 - after["dram_bytes_per_inference"] / before["dram_bytes_per_inference"]
    if saved > EFFECT:
        return f"it saves {100 * saved:.3g} % of the DRAM bytes, but no layer waits for those"
    return "no mapping that it allows moves fewer DRAM bytes or takes fewer cycles"


def binding_budgets(
    design: Mapping[str, Any],
    *,
    space: Space,
    objectives: Sequence[str],
    budget: Mapping[str, float],
    costs_of: CostsOf | None,
) -> list[dict[str, Any]]:
    """Return the budgets that bind at a design.

    A budget binds if one step of one knob, to the next larger or smaller value of the grid,
    would improve an objective and break that budget. Where none binds (a knee lies within the
    budgets), the budget with the least slack is returned, with ``is_binding`` false.

    Returns
    -------
    list of dict
        ``budget``, ``limit``, ``value``, ``slack`` (share of the limit), ``is_binding``,
        ``because``; the least slack first.
    """
    slacks = {}
    for name, limit in budget.items():
        excess = float(design[name]) / limit - 1
        slacks[name] = excess if name in MAXIMISED else -excess
    because: dict[str, tuple[float, str]] = {}
    steps = grid_steps(design, space) if costs_of is not None and budget else []
    costed = evaluate_steps(steps, costs_of) if steps and costs_of is not None else []
    for step, (after, before) in zip(steps, costed, strict=True):
        gains = {name: _gain(name, after, before) for name in objectives}
        best = max(gains, key=lambda name: gains[name])
        if gains[best] <= EFFECT:
            continue
        text = f"{step.change} would improve {best} by {100 * gains[best]:.3g} %"
        for name in _broken(after, budget):
            if name not in because or gains[best] > because[name][0]:
                because[name] = (gains[best], text)
    ordered = sorted(budget, key=lambda name: slacks[name])
    chosen = [name for name in ordered if name in because] or ordered[:1]
    return [
        {
            "budget": name,
            "limit": budget[name],
            "value": float(design[name]),
            "slack": slacks[name],
            "is_binding": name in because,
            "because": because[name][1]
            if name in because
            else "the least slack; no step breaks it",
        }
        for name in chosen
    ]
