"""Plots: DataFrames in, matplotlib figures out."""

import importlib
from typing import Any

_HOMES = {
    "Roof": "roofline",
    "bandwidth_figure": "experiments",
    "networks_roofline_figure": "experiments",
    "pareto_figure": "front",
    "predicted_figure": "experiments",
    "roofline_figure": "roofline",
    "save": "style",
    "sum_of_curves": "curves",
    "traffic_figure": "traffic",
    "traffic_table": "curves",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: names of quantities need no matplotlib."""
    if name not in _HOMES:
        raise AttributeError(f"module 'dse.plots' has no attribute {name!r}")
    return getattr(importlib.import_module(f"dse.plots.{_HOMES[name]}"), name)
