"""Finished runs side by side: one table, one plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dse.columns import QUANTITIES
from dse.errors import DseError
from dse.plots.compare import compare_figure
from dse.plots.front import split_objectives
from dse.plots.units import number, show
from dse.report.csv_files import write_csv
from dse.report.differences import differing_keys, labels, setting
from dse.report.figures import write_figure
from dse.report.finished import FinishedRun, records

TABLE = "compare.csv"


def compare_runs(folder: Path, runs: Sequence[FinishedRun]) -> list[str]:
    """Write compare.csv and plots/compare, and return what to tell the user.

    Parameters
    ----------
    folder
        Where to write.
    runs
        Searches or evaluations, in the order of the rows.

    Raises
    ------
    DseError
        If no run has a chip, or a run's files cannot be read.
    """
    table = comparison(runs)
    write_csv(folder / TABLE, table)
    y, (x, *_), _ = split_objectives(runs[0].objectives)
    best = records(table)[int(np.nanargmax(table["throughput_per_s"].to_numpy(np.float64)))]["run"]
    figure = compare_figure(
        table,
        [run.front for run in runs],
        x=x,
        y=y,
        finding=f"{best} has the highest throughput of {len(runs)} runs",
        groups=["workload", "accelerator", *differing_keys(runs), "batch", "technology"],
    )
    (folder / "plots").mkdir()
    write_figure(figure, folder / "plots" / "compare")
    return [_row_text(row) for row in records(table)]


def comparison(runs: Sequence[FinishedRun]) -> pd.DataFrame:
    """Return one row a run: what it ran, what differs, its chip's knobs and costs, its front.

    Raises
    ------
    DseError
        If no run has a chip.
    """
    if all(run.summary is None for run in runs):
        raise DseError("task=compare needs a run with a picked or evaluated chip, got none")
    keys = differing_keys(runs)
    rows = [_row(run, keys) for run in runs]
    table = pd.DataFrame(rows)
    table.insert(0, "run", labels(rows, keys))
    return table


def _row(run: FinishedRun, keys: Sequence[str]) -> dict[str, Any]:
    summary, pick = run.summary or {}, run.pick or {}
    design = pick.get("design", {})
    knobs = {key: x for key, x in design.items() if key not in summary and key not in QUANTITIES}
    machine = run.config.get("accelerator") or {}
    technology = knobs.pop("technology", machine.get("technology"))
    return {
        "folder": str(run.folder),
        "task": run.config["task"]["name"],
        "workload": summary.get("workload", run.config["workload"].get("name")),
        "batch": summary.get("batch"),
        "accelerator": summary.get("accelerator", machine.get("name")),
        "technology": technology.get("name") if isinstance(technology, dict) else technology,
        **{key: setting(run, key) for key in keys},
        **knobs,
        **{name: _number(summary.get(name)) for name in QUANTITIES},
        "front": run.manifest.get("front"),
        "front_designs": None if run.front is None else len(run.front),
        "rule": pick.get("rule"),
    }


def _number(value: Any) -> float:
    """Return a cost as a number; NaN where nothing was picked."""
    return np.nan if value is None else float(value)


def _row_text(row: dict[str, Any]) -> str:
    if pd.isna(row["throughput_per_s"]):
        return f"{row['run']}: no design met its budget"
    costs = ", ".join(show(name, row[name]) for name in ("area_mm2", "dram_bytes_per_s", "power_w"))
    return f"{row['run']}: {number(row['throughput_per_s'])} inferences/s, {costs}"
