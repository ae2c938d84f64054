"""The quantities that a design is judged by, and which way each is better."""

from collections.abc import Mapping, Sequence

import numpy as np

from dse.arrays import FloatArray

QUANTITIES = (
    "throughput_per_s",
    "latency_s",
    "dram_bytes_per_inference",
    "energy_pj_per_inference",
    "area_mm2",
    "power_w",
    "dram_bytes_per_s",
    "cost_usd",
)
"""What may be an objective or a budget; the names are columns of costs."""

MAXIMISED = frozenset({"throughput_per_s"})
"""The quantities that are better when larger; as budgets they are floors."""


def minimised(costs: Mapping[str, FloatArray], objectives: Sequence[str]) -> FloatArray:
    """Return the objectives as columns where less is better.

    Parameters
    ----------
    costs
        Column name to values of shape (designs,).
    objectives
        Names of `QUANTITIES`; those of `MAXIMISED` are negated.

    Returns
    -------
    shape (designs, objectives)
    """
    columns = [
        np.negative(costs[name]) if name in MAXIMISED else np.asarray(costs[name], np.float64)
        for name in objectives
    ]
    return np.column_stack(columns).astype(np.float64, copy=False)


def log_minimised(costs: Mapping[str, FloatArray], objectives: Sequence[str]) -> FloatArray:
    """Return log10 of the objectives, negated after the logarithm where more is better.

    Parameters and result are those of `minimised`; zero counts as the smallest positive number.
    """
    least = np.finfo(np.float64).tiny
    logs = {name: np.log10(np.maximum(costs[name], least)) for name in objectives}
    return minimised(logs, objectives)
