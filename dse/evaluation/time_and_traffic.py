"""Which schedule of a network is chosen, among the vertices of the hull of time and traffic.

The least weighted sum of time and DRAM bits is exact for any weights, so every vertex can be found.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.mapping.objective import Objective
from dse.network.shortest import Weights

Least = Callable[[IntArray, Weights], tuple[FloatArray, FloatArray]]
"""What returns seconds and bits of some machines, by their numbers, of the least weighted sum."""

ROUNDING = 1e-9
"""Share by which rounding may move a sum, and more."""


class Chosen(NamedTuple):
    """What machines take, and weights under which that is the least sum; shape (machines,)."""

    seconds: FloatArray
    bits: FloatArray
    weights: Weights

    def put(self, where: IntArray, other: "Chosen") -> None:
        """Write what some machines take."""
        self.seconds[where], self.bits[where] = other.seconds, other.bits
        self.weights.second[where], self.weights.bit[where] = other.weights

    def at(self, where: IntArray) -> "Chosen":
        """Return what some machines take."""
        own = Weights(self.weights.second[where], self.weights.bit[where])
        return Chosen(self.seconds[where], self.bits[where], own)


class Energies(NamedTuple):
    """Of each machine: energy of all MACs [pJ], power that flows always [W], pJ of a DRAM bit."""

    macs_pj: FloatArray
    leakage_w: FloatArray
    dram_pj_per_bit: FloatArray

    def edp(self, one: Chosen) -> FloatArray:
        """Return energy times time. [pJ s]."""
        dynamic = self.macs_pj + one.bits * self.dram_pj_per_bit
        return (dynamic + self.leakage_w * one.seconds * 1e12) * one.seconds

    def at(self, where: IntArray) -> "Energies":
        """Return those of some machines."""
        return Energies(*(x[where] for x in self))


def chosen(least: Least, objective: Objective, energies: Energies, longest: float) -> Chosen:
    """Return what machines take under the schedules that they choose.

    Parameters
    ----------
    least
        What finds schedules.
    objective
        What is minimised over the whole network.
    energies
        Of the machines.
    longest
        `dse.cost.time.longest_share` of the slack: with latency asked for, of the vertices within
        this share of the least, the one of the fewest bits.
    """
    size = len(energies.macs_pj)
    ones, zeros, every = np.ones(size), np.zeros(size), np.arange(size)

    def solved(where: IntArray, weights: Weights) -> Chosen:
        return Chosen(*least(where, weights), weights)

    if objective == Objective.ENERGY_PJ:
        return solved(every, Weights(energies.leakage_w.copy(), energies.dram_pj_per_bit.copy()))
    if objective == Objective.DRAM_BYTES:
        return solved(every, Weights(zeros, ones))
    fastest = solved(every, Weights(ones, zeros.copy()))
    if objective == Objective.LATENCY_S and longest == 1:
        return fastest
    leanest = solved(every, Weights(zeros.copy(), ones.copy()))
    if objective == Objective.LATENCY_S:
        _lean_within(solved, fastest, leanest, fastest.seconds * longest)
        return fastest
    for machine in range(size):
        where = np.array([machine])
        fastest.put(where, _least_product(solved, where, (fastest, leanest), energies.at(where)))
    return fastest


def _between(first: Chosen, second: Chosen) -> Weights:
    """Return weights under which two vertices are alike."""
    bits, seconds = first.bits - second.bits, second.seconds - first.seconds
    return Weights(bits / np.maximum(seconds, 1e-300) * 1e-12, np.ones(len(bits)))


def _lean_within(
    solved: Callable[[IntArray, Weights], Chosen],
    fast: Chosen,
    lean: Chosen,
    longest_s: FloatArray,
) -> None:
    """Move `fast` to the vertex of the fewest bits that is no longer than may be."""
    fits = np.flatnonzero(lean.seconds <= longest_s)
    fast.put(fits, lean.at(fits))
    open_ = np.flatnonzero((lean.bits < fast.bits) & (lean.seconds > longest_s))
    while len(open_):
        first, second = fast.at(open_), lean.at(open_)
        middle = solved(open_, _between(first, second))
        gain = middle.weights.of(first.seconds, first.bits)
        is_new = middle.weights.of(middle.seconds, middle.bits) < gain * (1 - ROUNDING)
        is_within = middle.seconds <= longest_s[open_]
        for own, into in ((is_new & is_within, fast), (is_new & ~is_within, lean)):
            into.put(open_[own], middle.at(np.flatnonzero(own)))
        open_ = open_[is_new]


def _least_product(
    solved: Callable[[IntArray, Weights], Chosen],
    where: IntArray,
    ends: tuple[Chosen, Chosen],
    energies: Energies,
) -> Chosen:
    """Return the vertex of one machine with the least energy times time."""
    first, last = (one.at(where) for one in ends)
    found, spans = [first, last], [(first, last)]
    while spans:
        one, other = spans.pop()
        if not (other.bits < one.bits and other.seconds > one.seconds).all():
            continue
        middle = solved(where, _between(one, other))
        line = middle.weights.of(one.seconds, one.bits)
        if (middle.weights.of(middle.seconds, middle.bits) < line * (1 - ROUNDING)).all():
            found.append(middle)
            spans += [(one, middle), (middle, other)]
    return min(found, key=lambda vertex: float(energies.edp(vertex)[0]))
