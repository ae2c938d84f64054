"""The plots of a finished run, as files and as pictures of its page."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import pandas as pd
from matplotlib.figure import Figure

from dse.plots.causes import causes_figure
from dse.plots.convergence import convergence_figure
from dse.plots.front import pareto_figure
from dse.plots.roofline import Roof, roofline_figure
from dse.plots.style import save
from dse.plots.traffic import traffic_figure
from dse.report.files import replacing
from dse.report.finished import FinishedRun

Drawers = dict[str, Callable[[], Figure]]
"""What makes each figure, by file name."""


def write_plots(run: FinishedRun) -> dict[str, Path]:
    """Write ``plots/NAME.png`` and ``.svg`` into a run folder; return the SVGs by name.

    The same run gives the same bytes.
    """
    plots = run.folder / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    return {name: write_figure(draw(), plots / name) for name, draw in drawers(run).items()}


def write_figure(figure: Figure, path: Path) -> Path:
    """Write a figure with the suffixes .png and .svg, through no link; return the SVG.

    Raises
    ------
    DseError
        If its folder is a link, or cannot be written.
    """
    with TemporaryDirectory() as folder:
        for drawn in save(figure, Path(folder) / path.name):
            with replacing(path.with_suffix(drawn.suffix)) as draft:
                copyfile(drawn, draft)
    return path.with_suffix(".svg")


def drawers(run: FinishedRun) -> Drawers:
    """Return what draws each figure of a run: of its search, and of its chip if there is one."""
    drawn: Drawers = {}
    if run.designs is not None and run.front is not None:
        drawn |= _of_search(run, run.designs, run.front)
    if run.summary is not None and run.layers is not None:
        drawn |= _of_chip(run, run.layers, run.summary)
    return drawn


def _of_search(run: FinishedRun, designs: pd.DataFrame, front: pd.DataFrame) -> Drawers:
    drawn: Drawers = {}
    drawn["pareto"] = partial(
        pareto_figure,
        designs,
        front,
        objectives=run.objectives,
        budget=run.budget,
        pick=None if run.pick is None else run.pick["design"],
        runners_up=run.runners_up,
        workload=run.workload,
    )
    if run.history is not None and len(run.history) and len(front):
        drawn["convergence"] = partial(
            convergence_figure,
            run.history,
            sampler=str((run.config.get("search") or {}).get("sampler", "the search")),
            is_exact=run.manifest.get("front") == "exact",
        )
    return drawn


def _of_chip(run: FinishedRun, layers: pd.DataFrame, summary: dict[str, float]) -> Drawers:
    names = {"workload": run.workload, "machine": run.machine}
    roof = Roof(
        peak_macs_per_s=summary["peak_macs_per_s"],
        dram_bytes_per_s=summary["dram_bytes_per_s"],
        dram_efficiency=summary["dram_efficiency"],
    )
    drawn: Drawers = {
        "roofline": partial(roofline_figure, layers, roof, **names),
        "time_by_cause": partial(causes_figure, layers, **names),
    }
    if run.traffic is not None and len(run.traffic):
        drawn["traffic"] = partial(
            traffic_figure,
            run.traffic,
            buffer_bytes=summary["buffer_bytes"],
            workload=run.workload,
            moved_bytes=float(layers["dram_bytes"].sum()),
        )
    return drawn
