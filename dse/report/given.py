"""A given mapping beside the best one of each layer: the rows of given.csv."""

from pathlib import Path

import pandas as pd

from dse.evaluation.result import Evaluation
from dse.report.csv_files import write_csv
from dse.workload import LOOPS

COMPARED = ("latency_s", "dram_bytes", "stationary", "unrolled", *(f"tile_{x}" for x in LOOPS))
"""Columns of layers.csv that are compared."""


def write_given(folder: Path, table: pd.DataFrame) -> None:
    """Write given.csv."""
    write_csv(folder / "given.csv", table)


def given_table(given: Evaluation, best: Evaluation) -> pd.DataFrame:
    """Return the layers with MACs under a given mapping beside their best mappings.

    Parameters
    ----------
    given, best
        One network on one machine, bound to the given mapping and free.

    Returns
    -------
    DataFrame
        name, `COMPARED` as given, and as ``best_<column>``; in the order of the network.
    """
    own, free = (pd.DataFrame(x.layer_rows).query("macs > 0") for x in (given, best))
    free = free[["name", *COMPARED]].rename(columns={name: f"best_{name}" for name in COMPARED})
    return own[["name", *COMPARED]].merge(free, on="name", how="left")


def most_lost(table: pd.DataFrame, objective: str) -> pd.DataFrame:
    """Return the layers that lose time or bytes by their given mapping, most first.

    Parameters
    ----------
    table
        As `given_table` returns it.
    objective
        What mappings minimise: those that lose most bytes come first if these, most time else.

    Returns
    -------
    DataFrame
        Some rows of the table, with a column ``lost``. [s or bytes]
    """
    first, second = ("latency_s", "dram_bytes")[:: -1 if objective == "dram_bytes" else 1]
    more = {column: table[column] - table[f"best_{column}"] for column in (first, second)}
    rows = table.assign(lost=more[first], also=more[second])
    is_lost = (rows["lost"] > 0) | (rows["also"] > 0)
    lost = rows[is_lost].sort_values(["lost", "also"], ascending=False, kind="stable")
    return lost.drop(columns="also")


def tiles_of(row: pd.Series, prefix: str = "") -> str:
    """Return the mapping of a row in words: what is stationary, and the tiles."""
    tiles = " ".join(f"{loop} {row[f'{prefix}tile_{loop}']}" for loop in LOOPS)
    return f"{row[f'{prefix}stationary']} stationary, {tiles}"
