"""Knobs that no objective makes a trade-off of, found by varying one knob at a time."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dse.arrays import IntArray
from dse.exploration.problem import Costs, Problem
from dse.pareto import minimised
from dse.space import NAME_KNOBS, Space

PROBED_VALUES = 5
"""Values of a knob that are tried, evenly spread over all of them."""


def single_knob_lines(space: Space, bases: IntArray) -> dict[str, IntArray]:
    """Return designs that differ from the bases in one knob.

    Parameters
    ----------
    bases : shape (bases,)
        Indices of designs.

    Returns
    -------
    dict
        Knob name to indices of shape (bases, values tried): up to `PROBED_VALUES` of the knob.
    """
    lines = {}
    for name, values in space.knobs.items():
        count, stride = len(values), space.strides[name]
        place = bases // stride % count
        lines[name] = (bases - place * stride)[:, None] + stride * _spread(count, PROBED_VALUES)
    return lines


def _spread(count: int, most: int) -> IntArray:
    """Return so many of the places of a knob's values, the first and the last among them."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


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
        Knob name to positions in `costs`, of shape (bases, values): designs that differ in it only,
        of all its values or of those that `single_knob_lines` tries.
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
        best = values[_spread(len(values), grid.shape[1])[np.argmax(is_best)]]
        others = (
            "every other value" if grid.shape[1] == len(values) else "all others that were tried"
        )
        is_best_everywhere = f"{best} is at least as good as {others}"
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
