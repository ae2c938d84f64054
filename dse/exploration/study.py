"""One search: the enumeration where the space allows it, and the sampled study."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dse.arrays import IntArray
from dse.checks import check_integer
from dse.errors import DseError
from dse.exploration.front.enumerate import Enumeration, enumerate_space
from dse.exploration.known_samplers import EXACT, build_sampler, check_sampler
from dse.exploration.ledger import Ledger
from dse.exploration.problem import CostModel, Problem, is_feasible
from dse.exploration.result import Study, convergence, frame, front_rows, study_from_designs
from dse.exploration.trade_offs import (
    PROBED_VALUES,
    Finding,
    knobs_without_trade_off,
    single_knob_lines,
)
from dse.space import Space

ENUMERATE_LIMIT = 2_000_000
"""Designs up to which a space is enumerated too, unless set."""

OBJECTIVES = ("throughput_per_s", "area_mm2", "dram_bytes_per_s")

CHECKPOINTS = 100
"""Rows of a study's history at most."""

PROBED_DESIGNS, PROBED_SHARE = 4, 0.1
"""Designs from which one knob at a time is varied: at most so many, and as many as cost no more
than this share of what was costed before, but at least one."""


def run_search(
    model: CostModel,
    *,
    objectives: Sequence[str] = OBJECTIVES,
    budget: Mapping[str, float | None] | None = None,
    sampler: str = "ridge",
    trials: int = 500,
    seed: int = 0,
    enumerate_limit: int = ENUMERATE_LIMIT,
    progress: bool = True,
    options: Mapping[str, Any] | None = None,
    known: Callable[[Study], None] | None = None,
) -> Study:
    """Search a space for the Pareto-optimal designs within a budget.

    Parameters
    ----------
    model
        The space and what its designs cost: a `dse.evaluation.space_model.SpaceModel`.
    objectives
        Two to four of `dse.columns.QUANTITIES`.
    budget
        Hard limits: throughput a floor, all others ceilings; None is no limit.
    sampler
        One of `dse.exploration.SAMPLERS`; ``exact`` enumerates and asks no sampler.
    trials
        Different designs that the sampled study costs.
    seed
        Of the sampler; the same seed gives the same result. 0..2**32-1
    enumerate_limit
        A space of up to so many designs is enumerated too; 0 never.
    progress
        Whether to draw progress bars; they are drawn on a terminal only.
    options
        Of the sampler, and ``batch_size``.
    known
        Called with the exact front, all costs and no history before the sampler begins, if the
        whole space is costed.

    Raises
    ------
    DseError
        If a name is unknown, a number is out of range, a package is missing, or the space is too
        large for ``exact``.
    """
    problem = Problem(
        model=model,
        objectives=tuple(objectives),
        budget={} if budget is None else budget,  # type: ignore[arg-type]
    )
    space = problem.space
    check_sampler(sampler, options)
    check_integer("search", "trials", trials, 1, 10**9)
    check_integer("search", "seed", seed, 0, 2**32 - 1)
    check_integer("search", "enumerate_limit", enumerate_limit, 0, 10**12)
    is_exact = space.size <= enumerate_limit
    if sampler == EXACT and not is_exact:
        raise DseError(
            f"search.sampler = 'exact' needs a space of at most search.enumerate_limit = "
            f"{enumerate_limit} designs, got {space.size}"
        )
    found = enumerate_space(problem, progress=progress) if is_exact else None
    ledger = Ledger(problem, None if found is None else found.costs)
    if sampler != EXACT:
        if known is not None and found is not None and found.costs is not None:
            known(_exact_study(problem, Ledger(problem), found, ()))
        from dse.exploration.sample import sample  # with Optuna, which the front does not wait for

        asked = build_sampler(sampler, seed=seed, options=options or {})
        sample(ledger, asked, trials=trials, label=sampler, progress=progress)
    notes = _stop_notes(ledger, sampler, trials)
    if found is None:
        return _sampled_study(problem, ledger, notes)
    return _exact_study(problem, ledger, found, notes)


def _stop_notes(ledger: Ledger, sampler: str, trials: int) -> tuple[str, ...]:
    wanted = min(trials, ledger.problem.space.size)
    if sampler == EXACT or len(ledger) == wanted:
        return ()
    return (
        f"{sampler} costed {len(ledger)} of {wanted} designs and then asked only for designs "
        f"that it knew",
    )


def _exact_study(
    problem: Problem, ledger: Ledger, found: Enumeration, notes: tuple[str, ...]
) -> Study:
    space = problem.space
    sampled = ledger.costs
    history = _history(ledger, found.front_costs)
    num_costed = len(ledger) or found.num_costed
    if found.costs is not None:
        indices, costs = np.arange(space.size), found.costs
        findings = knobs_without_trade_off(problem, _grid_lines(space), costs)
    else:
        findings, num_probed = _probe(problem, ledger, found.front, num_costed)
        notes = (*notes, *_probe_notes(num_probed if sampled else 0))
        fresh = np.isin(found.front, ledger.indices, invert=True)
        indices = np.concatenate([ledger.indices, found.front[fresh]])
        costs = {
            name: np.concatenate([ledger.costs[name], values[fresh]])
            for name, values in found.front_costs.items()
        }
    share = float(history["hypervolume_share"].iloc[-1]) if sampled and len(found.front) else None
    return _study(
        problem,
        frame(space, indices, costs),
        exact=True,
        hypervolume_share=share,
        num_costed=num_costed,
        history=history,
        findings=findings,
        notes=notes,
    )


def _sampled_study(problem: Problem, ledger: Ledger, notes: tuple[str, ...]) -> Study:
    costs = ledger.costs
    feasible = np.flatnonzero(is_feasible(costs, problem.objectives, problem.budget))
    rows = front_rows(costs, problem.objectives, feasible)
    history = _history(ledger, {name: values[rows] for name, values in costs.items()})
    findings, num_probed = _probe(problem, ledger, ledger.indices[rows], len(ledger))
    return _study(
        problem,
        frame(problem.space, ledger.indices, ledger.costs),
        exact=False,
        num_costed=len(ledger),
        history=history,
        findings=findings,
        notes=(*notes, *_probe_notes(num_probed)),
    )


def _study(
    problem: Problem,
    designs: pd.DataFrame,
    *,
    findings: Sequence[Finding],
    notes: tuple[str, ...],
    **found: Any,
) -> Study:
    return study_from_designs(
        designs,
        space=problem.space,
        objectives=problem.objectives,
        budget=problem.budget,
        costs_of=problem.costs,
        degenerate=tuple(finding.knob for finding in findings if finding.is_degenerate),
        notes=(*notes, *(finding.text for finding in findings)),
        **found,
    )


def _history(ledger: Ledger, front_costs: Mapping[str, Any]) -> pd.DataFrame:
    problem = ledger.problem
    ends = ledger.checkpoints
    kept = np.unique(np.linspace(0, len(ends) - 1, min(len(ends), CHECKPOINTS)).astype(int))
    return convergence(
        ledger.costs,
        problem.objectives,
        problem.budget,
        front=front_costs,
        checkpoints=[ends[place] for place in kept],
    )


def _grid_lines(space: Space) -> dict[str, IntArray]:
    grid = np.arange(space.size).reshape(space.shape)
    return {
        name: np.moveaxis(grid, axis, -1).reshape(-1, space.shape[axis])
        for axis, name in enumerate(space.knobs)
    }


def _probe(
    problem: Problem, ledger: Ledger, front: IntArray, num_costed: int
) -> tuple[list[Finding], int]:
    """Vary one knob at a time from a few designs of the front; return what that finds.

    With it how many designs were costed for that; they are in the ledger.
    """
    of_each = sum(min(count, PROBED_VALUES) for count in problem.space.shape)
    count = min(max(int(PROBED_SHARE * num_costed) // of_each, 1), PROBED_DESIGNS)
    spread = np.linspace(0, max(len(front) - 1, 0), min(len(front), count)).astype(int)
    bases = front[spread] if len(front) else ledger.indices[:count]
    lines = single_knob_lines(problem.space, bases)
    new = ledger.cost(np.concatenate([line.ravel() for line in lines.values()]).tolist())
    position = {index: row for row, index in enumerate(ledger.indices.tolist())}
    rows = {
        name: np.array([[position[index] for index in line] for line in indices.tolist()])
        for name, indices in lines.items()
    }
    return knobs_without_trade_off(problem, rows, ledger.costs), new


def _probe_notes(num_probed: int) -> tuple[str, ...]:
    if not num_probed:
        return ()
    return (
        f"beside search.trials {num_probed} more designs were costed, one knob varied at a time, "
        f"to find knobs without a trade-off",
    )
