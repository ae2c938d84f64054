"""DRAM traffic of a network for every buffer size, from that of its layers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

COLUMNS = ("layer", "buffer_bytes", "dram_bytes", "lower_bound_bytes", "compulsory_bytes")
"""The columns of traffic.csv; ``layer`` is empty in the rows of the whole network."""

MOST_PANELS = 4
"""Layers that are drawn by themselves."""

_MOST_POINTS = 400


def sum_of_curves(
    curves: Mapping[str, pd.DataFrame], repeats: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Add the least traffic of each layer at every buffer size at which one of them changes.

    Parameters
    ----------
    curves
        By layer: buffer_bytes rising, dram_bytes falling (`MappingTable.curve`), and where
        known lower_bound_bytes and compulsory_bytes. [bytes]
    repeats
        Times that each layer runs; once unless given.

    Returns
    -------
    DataFrame
        The same columns for the network, from the size at which every layer fits.
    """
    columns = [c for c in COLUMNS[2:] if all(c in curve for curve in curves.values())]
    least = max(float(curve["buffer_bytes"].iloc[0]) for curve in curves.values())
    sizes = np.unique(np.concatenate([c["buffer_bytes"].to_numpy(float) for c in curves.values()]))
    sizes = sizes[sizes >= least]
    total = {column: np.zeros(len(sizes)) for column in columns}
    for name, curve in curves.items():
        rows = np.searchsorted(curve["buffer_bytes"].to_numpy(float), sizes, side="right") - 1
        for column in columns:
            total[column] += (repeats or {}).get(name, 1) * curve[column].to_numpy(float)[rows]
    return thinned(pd.DataFrame({"buffer_bytes": sizes, **total}))


def traffic_table(
    curves: Mapping[str, pd.DataFrame],
    repeats: Mapping[str, int] | None = None,
    *,
    buffer_bytes: float,
    num_layers: int = MOST_PANELS,
) -> pd.DataFrame:
    """Return the rows of traffic.csv: the network, then the layers that move most.

    Parameters
    ----------
    curves, repeats
        As for `sum_of_curves`.
    buffer_bytes
        The buffer at which the layers are compared. [bytes]
    num_layers
        How many layers are kept.
    """
    times = repeats or {}
    moved = {name: traffic_at(curves[name], buffer_bytes) * times.get(name, 1) for name in curves}
    largest = sorted(curves, key=lambda name: (-np.nan_to_num(moved[name]), name))[:num_layers]
    parts = [sum_of_curves(curves, times).assign(layer="")]
    parts += [sum_of_curves({name: curves[name]}, times).assign(layer=name) for name in largest]
    rows = pd.concat(parts, ignore_index=True)
    return rows[[column for column in COLUMNS if column in rows]]


def thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """Return at most some 400 points of a falling curve, evenly spaced in the logarithm."""
    if len(curve) <= _MOST_POINTS:
        return curve.reset_index(drop=True)
    logs = np.log(curve["buffer_bytes"].to_numpy(float))
    cells = np.floor((logs - logs[0]) / max(logs[-1] - logs[0], 1e-12) * (_MOST_POINTS - 2))
    kept = np.flatnonzero(np.diff(cells, append=np.inf) > 0)  # the last, so the lowest, of a cell
    return curve.iloc[np.unique([0, *kept])].reset_index(drop=True)


def traffic_at(curve: pd.DataFrame, buffer_bytes: float) -> float:
    """Return the least traffic with a buffer of that size; nan where nothing fits. [bytes]."""
    fitting = curve[curve["buffer_bytes"] <= buffer_bytes]
    return float(fitting["dram_bytes"].iloc[-1]) if len(fitting) else float("nan")
