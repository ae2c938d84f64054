"""What the next step of each resource would buy, and which budget stands in the way."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import pandas as pd

from dse.columns import MAXIMISED
from dse.hardware.dram_rate import RATE
from dse.pick.steps import CostsOf, Step, evaluate_steps, grid_steps, scaled_steps
from dse.space import Space

EFFECT = 1e-9
"""Relative change of a quantity below which nothing is said to have changed."""

NO_LAYER_WAITS_FOR_DRAM = "no_layer_waits_for_dram"
EVERY_LAYER_WAITS_FOR_DRAM = "every_layer_waits_for_dram"
NO_FEWER_STEPS = "no_fewer_steps"
SAVED_BYTES_DO_NOT_COUNT = "saved_bytes_do_not_count"
NO_BETTER_MAPPING = "no_better_mapping"
"""Why a step changes no objective: codes, worded in `dse.report.pick_words`."""

ALWAYS_SHOWN = (
    "latency_s", "dram_bytes_per_inference", "energy_pj_per_inference", "power_w", "cost_usd"
)  # fmt: skip
"""Quantities of which each step's change is told, asked for or not."""

STEP_KEYS = ("resource", "before", "after", "improves", "gain")
"""What is said of the step that makes a budget bind."""


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
    the next rate), and 10 % more of each axis and memory of the machine, its clock and its DRAM
    rate. Everything else stays; the mapper is free. Each number is a re-evaluation by the cost
    model, none is extrapolated.

    Returns
    -------
    DataFrame
        ``resource``, ``before``, ``after``, ``is_on_grid``, then ``<quantity>_change`` for each
        objective, each budgeted quantity and `ALWAYS_SHOWN` (relative, signed), ``breaks`` (names
        of budgets), ``no_effect`` (why no objective improves, a code such as `NO_FEWER_STEPS`).
    """
    quantities = tuple(dict.fromkeys((*objectives, *budget, *ALWAYS_SHOWN)))
    columns = ["resource", "before", "after", "is_on_grid"]
    columns += [*(f"{name}_change" for name in quantities), "breaks", "no_effect"]
    if costs_of is None:
        return pd.DataFrame(columns=columns)
    grown = scaled_steps(design, space)
    steps = [*(step for step in grid_steps(design, space) if step.is_growth), *grown]
    costed = evaluate_steps(steps, costs_of)
    helps = {
        step.resource: _gain("latency_s", after, before) > EFFECT
        for step, (after, before) in zip(grown, costed[-len(grown) :], strict=True)
    }
    axes = {axis.size for axis in space.accelerator.array}
    rows = []
    for step, (after, before) in zip(steps, costed, strict=True):
        changes = [after[name] / before[name] - 1 if before[name] else 0.0 for name in quantities]
        broken = _broken(after, budget)
        reason = _no_effect(step, after, before, objectives, (helps, axes))
        moved = [step.resource, step.before, step.after, step.is_on_grid]
        rows.append([*moved, *changes, ", ".join(broken), reason])
    return pd.DataFrame(rows, columns=columns)


def _no_effect(
    step: Step,
    after: Mapping[str, float],
    before: Mapping[str, float],
    objectives: Sequence[str],
    machine: tuple[Mapping[str, bool], Set[int | str]],
) -> str:
    """Return why no objective improves, empty if one does.

    `machine` is whether more of each resource lowers the latency, and the sizes of its axes.
    """
    names = tuple(dict.fromkeys((*objectives, "latency_s")))
    if any(_gain(name, after, before) > EFFECT for name in names):
        return ""
    helps, axes = machine
    if step.resource == RATE:
        return NO_LAYER_WAITS_FOR_DRAM
    if step.resource == "clock_hz" or (step.resource in axes and not helps["clock_hz"]):
        return EVERY_LAYER_WAITS_FOR_DRAM
    if step.resource in axes:
        return NO_FEWER_STEPS
    saved = 1 - after["dram_bytes_per_inference"] / before["dram_bytes_per_inference"]
    return SAVED_BYTES_DO_NOT_COUNT if saved > EFFECT else NO_BETTER_MAPPING


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
        ``budget``, ``limit``, ``value``, ``slack`` (share of the limit), ``is_binding``, and of the
        step that would improve an objective most ``resource``, ``before``, ``after``, ``improves``
        and ``gain`` (share); None where the budget does not bind. The least slack first.
    """
    slacks = {}
    for name, limit in budget.items():
        excess = float(design[name]) / limit - 1
        slacks[name] = excess if name in MAXIMISED else -excess
    because: dict[str, dict[str, Any]] = {}
    steps = grid_steps(design, space) if costs_of is not None and budget else []
    costed = evaluate_steps(steps, costs_of) if steps and costs_of is not None else []
    for step, (after, before) in zip(steps, costed, strict=True):
        gains = {name: _gain(name, after, before) for name in objectives}
        best = max(gains, key=lambda name: gains[name])
        if gains[best] <= EFFECT:
            continue
        found = {
            "resource": step.resource,
            "before": step.before,
            "after": step.after,
            "improves": best,
            "gain": gains[best],
        }
        for name in _broken(after, budget):
            if name not in because or gains[best] > because[name]["gain"]:
                because[name] = found
    ordered = sorted(budget, key=lambda name: slacks[name])
    chosen = [name for name in ordered if name in because] or ordered[:1]
    return [
        {
            "budget": name,
            "limit": budget[name],
            "value": float(design[name]),
            "slack": slacks[name],
            "is_binding": name in because,
            **because.get(name, dict.fromkeys(STEP_KEYS)),
        }
        for name in chosen
    ]
