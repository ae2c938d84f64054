"""Exact enumeration of a space in chunks, and what a whole grid tells about its knobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from dse.arrays import FloatArray, IntArray
from dse.exploration.front.large_grids import can_cut, cut_front
from dse.exploration.front.screen import can_screen, screened
from dse.exploration.problem import Costs, Problem, is_feasible
from dse.pareto import minimised, non_dominated
from dse.space import NAME_KNOBS, Space

CHUNK_DESIGNS = 65_536
"""Designs that are costed in one call; their columns fit a processor's cache."""

SCREENED_AT_ONCE = 2**19
"""Designs that a screen leaves and that are costed in one call."""

CHUNKS = 16
"""Chunks of a small space, so that its progress shows."""

KEPT_DESIGNS = 2_000_000
"""Designs up to which the costs of a whole grid are kept; of more, only those of the front."""


@dataclass(frozen=True, kw_only=True)
class Enumeration:
    """A space that was costed whole.

    Attributes
    ----------
    front : shape (designs of the front,)
        Indices of the feasible designs that no other dominates, rising.
    costs
        Costs of every design in the order of the grid, or None if they were too many to keep.
    front_costs
        Costs of the front, in its order.
    num_costed
        Designs costed; the others were proved to be dominated.
    """

    num_costed: int
    front: IntArray
    front_costs: dict[str, FloatArray]
    costs: dict[str, FloatArray] | None


def enumerate_space(problem: Problem, *, progress: bool) -> Enumeration:
    """Cost every design of the space and keep the exact front.

    Parameters
    ----------
    progress
        Whether to draw a progress bar; it is drawn on a terminal only.
    """
    space = problem.space
    if space.size > KEPT_DESIGNS and can_screen(problem):
        return _enumerate_screened(problem, progress=progress)
    if space.size > KEPT_DESIGNS and can_cut(problem):
        cuts = cut_front(problem, progress=progress)
        costs = _costs_in_chunks(problem, cuts.front)
        return Enumeration(
            num_costed=cuts.num_costed, front=cuts.front, front_costs=costs, costs=None
        )
    return cost_whole_grid(problem, progress=progress)


def cost_whole_grid(problem: Problem, *, progress: bool) -> Enumeration:
    """Cost every design, however many they are; see `enumerate_space`."""
    space = problem.space
    front: IntArray = np.empty(0, np.int64)
    points = np.empty((0, len(problem.objectives)))
    front_costs: dict[str, FloatArray] = {}
    kept: dict[str, FloatArray] | None = {} if space.size <= KEPT_DESIGNS else None
    bar = tqdm(total=space.size, desc="exact", unit="design", disable=None if progress else True)
    with bar:
        for indices in space.chunks(_designs_at_once(space)):
            costs = problem.costs(space.columns(indices))
            if kept is not None:
                _store(kept, costs, indices, space.size)
            candidates = _front_rows(problem, costs)
            fresh = {name: values[candidates] for name, values in costs.items()}
            front = np.concatenate([front, indices[candidates]])
            points = np.concatenate([points, minimised(fresh, problem.objectives)])
            front_costs = {
                name: np.concatenate([front_costs.get(name, values[:0]), values])
                for name, values in fresh.items()
            }
            mask = non_dominated(points)
            front, points = front[mask], points[mask]
            front_costs = {name: values[mask] for name, values in front_costs.items()}
            bar.update(len(indices))
    return Enumeration(num_costed=space.size, front=front, front_costs=front_costs, costs=kept)


def _enumerate_screened(problem: Problem, *, progress: bool) -> Enumeration:
    """Cost the designs that a screen leaves, and keep the exact front."""
    space, num_costed = problem.space, 0
    indices: list[IntArray] = [np.empty(0, np.int64)]
    parts: list[dict[str, FloatArray]] = []
    bar = tqdm(total=space.size, desc="exact", unit="design", disable=None if progress else True)
    with bar:
        for left, num_gone in screened(problem):
            bar.update(num_gone)
            for some in np.array_split(left, -(-len(left) // SCREENED_AT_ONCE) or 1):
                if not len(some):
                    continue
                costs = problem.costs(space.columns(some))
                rows = _front_rows(problem, costs)
                indices.append(some[rows])
                parts.append({name: values[rows] for name, values in costs.items()})
                num_costed += len(some)
                bar.update(len(some))
    names = parts[0] if parts else ()
    joined = {name: np.concatenate([part[name] for part in parts]) for name in names}
    every = np.concatenate(indices)
    mask = non_dominated(minimised(joined, problem.objectives)) if parts else every < 0
    order = np.argsort(every[mask])
    return Enumeration(
        num_costed=num_costed,
        front=every[mask][order],
        front_costs={name: values[mask][order] for name, values in joined.items()},
        costs=None,
    )


def _front_rows(problem: Problem, costs: Costs) -> IntArray:
    """Return the feasible designs that no other dominates."""
    rows = np.flatnonzero(is_feasible(costs, problem.objectives, problem.budget))
    mask: IntArray = rows[non_dominated(minimised(costs, problem.objectives)[rows])]
    return mask


def _designs_at_once(space: Space) -> int:
    """Return how many designs to cost in one call: all that share an array, if those are few."""
    axes = {axis.size for axis in space.accelerator.array} | {"batch"}
    steps = [space.strides[name] for name in space.knobs if name in axes]
    least = min(max(space.size // CHUNKS, 1), CHUNK_DESIGNS)
    together = min(steps, default=1)
    return -(-least // together) * together if together <= CHUNK_DESIGNS else least


def _costs_in_chunks(problem: Problem, indices: IntArray) -> dict[str, FloatArray]:
    """Return the costs of designs of which there may be many."""
    parts = np.array_split(indices, len(indices) // KEPT_DESIGNS + 1)
    costs = [problem.costs(problem.space.columns(part)) for part in parts if len(part)]
    names = costs[0] if costs else ()
    return {name: np.concatenate([part[name] for part in costs]) for name in names}


def _store(
    kept: dict[str, FloatArray], costs: Mapping[str, FloatArray], indices: IntArray, size: int
) -> None:
    for name, values in costs.items():
        if name not in kept:
            kept[name] = np.empty(size, values.dtype)
        kept[name][indices[0] : indices[0] + len(indices)] = values


def single_knob_lines(space: Space, bases: IntArray) -> dict[str, IntArray]:
    """Return the designs that differ from the bases in one knob.

    Parameters
    ----------
    bases : shape (bases,)
        Indices of designs.

    Returns
    -------
    dict
        Knob name to indices of shape (bases, values of the knob).
    """
    lines = {}
    for name, values in space.knobs.items():
        count, stride = len(values), space.strides[name]
        place = bases // stride % count
        lines[name] = (bases - place * stride)[:, None] + stride * np.arange(count)
    return lines


class Finding(NamedTuple):
    """A knob with one value that is never worse than its others."""

    knob: str
    is_degenerate: bool
    text: str


def knobs_without_trade_off(
    problem: Problem, lines: Mapping[str, IntArray], costs: Costs
) -> list[Finding]:
    """Find the knobs that no objective and no budget makes a trade-off of.

    A knob is degenerate if it changes nothing, or if it costs nothing so that a search can only
    turn it up. One that buys nothing, its least value being best, is a finding about the network.

    Parameters
    ----------
    lines
        Knob name to positions in `costs`, of shape (bases, values): designs that differ in it only.
    costs
        Costs of shape (designs,).
    """
    names = dict.fromkeys((*problem.objectives, *problem.budget))
    points = minimised(costs, tuple(names))
    found = []
    for name, positions in lines.items():
        values = problem.space.knobs[name]
        grid = points[positions]  # (bases, values, quantities)
        is_best = (grid == grid.min(axis=1, keepdims=True)).all(axis=(0, 2))
        if len(values) == 1 or not is_best.any():
            continue
        best = values[int(np.argmax(is_best))]
        is_best_everywhere = f"{best} is at least as good as every other value"
        if is_best.all():
            found.append(Finding(name, True, f"{name} changes no objective and no budget"))
        elif name not in NAME_KNOBS and best == min(values):
            text = f"{name} buys nothing in any objective or budget: {is_best_everywhere}"
            found.append(Finding(name, False, text))
        else:
            text = f"{name} costs nothing in any objective or budget: {is_best_everywhere}"
            text += "; fix it, or add an objective that it costs"
            found.append(Finding(name, True, text))
    return found
