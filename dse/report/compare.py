"""Finished runs side by side: one table, one plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dse.columns import QUANTITIES
from dse.errors import DseError
from dse.plots.compare import ComparedRun, compare_figure
from dse.plots.front import split_objectives
from dse.plots.style import save
from dse.plots.units import number, show
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
    table.to_csv(folder / TABLE, index=False, lineterminator="\n")
    rows = records(table)
    y, (x, *_), _ = split_objectives(runs[0].config["objectives"])
    compared = [
        ComparedRun(
            label=f"{row['run']}: {row['workload']}",
            front=run.front,
            chip=None if run.summary is None else row,
        )
        for run, row in zip(runs, rows, strict=True)
    ]
    best = rows[int(np.nanargmax(table["throughput_per_s"].to_numpy(np.float64)))]
    finding = f"{best['run']} has the highest throughput of {len(runs)} runs"
    (folder / "plots").mkdir()
    save(compare_figure(compared, x=x, y=y, finding=finding), folder / "plots" / "compare")
    return [_row_text(row) for row in rows]


def comparison(runs: Sequence[FinishedRun]) -> pd.DataFrame:
    """Return one row a run: what it ran, its chip's knobs and costs, and its front.

    Raises
    ------
    DseError
        If no run has a chip.
    """
    if all(run.summary is None for run in runs):
        raise DseError("task=compare needs a run with a picked or evaluated chip, got none")
    return pd.DataFrame([_row(run) for run in runs])


def _row(run: FinishedRun) -> dict[str, Any]:
    summary, pick = run.summary or {}, run.pick or {}
    design = pick.get("design", {})
    knobs = {key: x for key, x in design.items() if key not in summary and key not in QUANTITIES}
    return {
        "run": run.folder.resolve().name,
        "task": run.config["task"]["name"],
        "workload": summary.get("workload", run.config["workload"].get("name")),
        "batch": summary.get("batch"),
        "accelerator": summary.get("accelerator", run.config["accelerator"].get("name")),
        **knobs,
        **{name: summary.get(name) for name in QUANTITIES},
        "front": run.manifest.get("front"),
        "front_designs": None if run.front is None else len(run.front),
        "rule": pick.get("rule"),
    }


def _row_text(row: dict[str, Any]) -> str:
    if pd.isna(row["throughput_per_s"]):
        return f"{row['run']}: {row['workload']}, no design met its budget"
    costs = ", ".join(show(name, row[name]) for name in ("area_mm2", "dram_bytes_per_s", "power_w"))
    speed = f"{number(row['throughput_per_s'])} inferences/s"
    return f"{row['run']}: {row['workload']}, batch {row['batch']:.0f}, {speed}, {costs}"
