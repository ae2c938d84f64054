"""What a network takes, from what its layers take, compiled."""

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.compiling import allocating

AT_ONCE = 1024
"""Designs that are combined together: their totals stay in the cache."""


@allocating
def combine(costs: FloatArray, counts: IntArray, launch_s: FloatArray) -> FloatArray:
    """Return what all runs of all layers take: the sum over layers, in their order.

    Parameters
    ----------
    costs : shape (layers, quantities, designs)
        What one run of each layer takes; the first quantity is its time. [s, bits]
    counts : shape (layers,)
        How often each layer runs.
    launch_s : shape (layers,)
        Time that a run of each layer takes to start. [s]

    Returns
    -------
    shape (quantities, designs)
    """
    totals = np.zeros(costs.shape[1:])
    for first in range(0, costs.shape[2], AT_ONCE):
        end = min(first + AT_ONCE, costs.shape[2])
        for layer in range(costs.shape[0]):
            count, launch = counts[layer], launch_s[layer]
            if launch > 0:
                totals[0, first:end] += count * launch
            for quantity in range(costs.shape[1]):
                total, cost = totals[quantity, first:end], costs[layer, quantity, first:end]
                for one in range(end - first):
                    total[one] += count * cost[one]
    return totals
