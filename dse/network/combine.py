"""What a network takes, from what its layers take, compiled."""

from dse.arrays import FloatArray, IntArray
from dse.compiling import compiled

AT_ONCE = 1024
"""Designs that are combined together: their totals stay in the cache."""


@compiled
def combine(costs: FloatArray, counts: IntArray, launch_s: FloatArray, totals: FloatArray) -> None:
    """Add what all runs of a block of layers take to the totals, in the order of the layers.

    Parameters
    ----------
    costs : shape (layers, quantities, designs)
        What one run of each layer takes; the first quantity is its time. [s, bits]
    counts : shape (layers,)
        How often each layer runs.
    launch_s : shape (layers,)
        Time that a run of each layer takes to start. [s]
    totals : shape (quantities, designs)
        What the layers of earlier blocks take, 0 before the first; is added to.
    """
    for first in range(0, costs.shape[2], AT_ONCE):
        end = min(first + AT_ONCE, costs.shape[2])
        for layer in range(costs.shape[0]):
            count, launch = counts[layer], launch_s[layer]
            if launch > 0:
                for design in range(first, end):
                    totals[0, design] += count * launch
            for quantity in range(costs.shape[1]):
                total, cost = totals[quantity, first:end], costs[layer, quantity, first:end]
                for one in range(end - first):
                    total[one] += count * cost[one]
