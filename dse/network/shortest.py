"""The best way through a graph of states, for many machines at once: a dynamic program."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray
from dse.network.places import LayerStep, State


class Totals(NamedTuple):
    """What the rest of a network takes from a state, shape (machines,) each.

    Attributes
    ----------
    seconds, bits
        Time and DRAM bits; inf where nothing fits.
    held
        Sum over layers of the bits that are held while they run. [bits]
    """

    seconds: FloatArray
    bits: FloatArray
    held: FloatArray


class Weights(NamedTuple):
    """What is minimised: a weighted sum of time and traffic, shape (machines,) each.

    Attributes
    ----------
    second
        Of a second, in units of 1e-12 (as leakage in W is of pJ).
    bit
        Of a DRAM bit.
    """

    second: FloatArray
    bit: FloatArray

    def of(self, seconds: FloatArray, bits: FloatArray) -> FloatArray:
        """Return the weighted sum, inf where nothing fits."""
        fits = np.isfinite(seconds)
        sums = self.bit * np.where(fits, bits, 0) + self.second * np.where(fits, seconds, 0) * 1e12
        return np.where(fits, sums, np.inf)


class Way(NamedTuple):
    """A step, and the place of its cost."""

    step: LayerStep
    cost: int


def rests(
    ways: Sequence[Sequence[Way]], costs: FloatArray, weights: Weights
) -> list[dict[State, Totals]]:
    """Return what is least from each state before each layer, and after the last.

    Parameters
    ----------
    ways
        Ways to run each layer, the last of which all lead to the state ().
    costs : shape (costs, 2, machines)
        Seconds and bits of the steps.
    weights
        What is minimised; ties go to less time, fewer bits, and less that is held.
    """
    none = np.zeros(costs.shape[2])
    after: dict[State, Totals] = {(): Totals(none, none, none)}
    found = [after]
    for layer in reversed(ways):
        before: dict[State, Totals] = {}
        for way in layer:
            total = _with(way, costs, after)
            known = before.get(way.step.before)
            before[way.step.before] = total if known is None else _less(known, total, weights)
        after = before
        found.append(after)
    return found[::-1]


def _with(way: Way, costs: FloatArray, after: dict[State, Totals]) -> Totals:
    """Return what a step and the rest after it take."""
    rest = after[way.step.after]
    return Totals(
        rest.seconds + costs[way.cost, 0],
        rest.bits + costs[way.cost, 1],
        rest.held + way.step.held_bits,
    )


def _less(first: Totals, second: Totals, weights: Weights) -> Totals:
    """Return the lesser of two totals for each machine; the first where they are equal."""
    pairs = [(weights.of(*second[:2]), weights.of(*first[:2])), *zip(second, first, strict=True)]
    is_less, is_tie = np.zeros(len(first.held), dtype=bool), np.ones(len(first.held), dtype=bool)
    for one, other in pairs:
        is_less |= is_tie & (one < other)
        is_tie &= one == other
    return Totals(*(np.where(is_less, y, x) for x, y in zip(first, second, strict=True)))


def path(
    ways: Sequence[Sequence[Way]], costs: FloatArray, weights: Weights
) -> tuple[LayerStep, ...]:
    """Return the best steps of one machine; ties go to the first of the ways."""
    totals, chosen = rests(ways, costs, weights), []
    state: State = ()
    for layer, after, here in zip(ways, totals[1:], totals, strict=False):
        best = here[state]
        own = [way for way in layer if way.step.before == state]
        way = next(x for x in own if _is_equal(_with(x, costs, after), best))
        chosen.append(way.step)
        state = way.step.after
    return tuple(chosen)


def _is_equal(first: Totals, second: Totals) -> bool:
    return all(bool(x[0] == y[0]) for x, y in zip(first, second, strict=True))
