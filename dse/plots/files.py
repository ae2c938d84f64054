"""The plots of a run, as files: the same bytes for the same run."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from dse.plots.causes import causes_figure
from dse.plots.convergence import convergence_figure
from dse.plots.front import pareto_figure
from dse.plots.roofline import Roof, roofline_figure
from dse.plots.style import save
from dse.plots.traffic import traffic_figure


@dataclass(frozen=True, kw_only=True)
class StudyData:
    """What the plots of a search need.

    Attributes
    ----------
    designs, front
        As designs.parquet and front.csv.
    objectives, budget
        Columns, and limits by column.
    pick, runners_up
        Designs as mappings from column to value; no pick if nothing is feasible.
    history
        num_costed and hypervolume_share of the study; None if only the enumeration ran.
    sampler, workload
        Names of the study's search, and of what it is for.
    is_exact
        Whether the front is that of the whole space.
    """

    designs: pd.DataFrame
    front: pd.DataFrame
    objectives: Sequence[str]
    budget: Mapping[str, float]
    pick: Mapping[str, object] | None = None
    runners_up: Sequence[Mapping[str, object]] = ()
    history: pd.DataFrame | None = None
    sampler: str = "the search"
    workload: str = "the search"
    is_exact: bool = True


@dataclass(frozen=True, kw_only=True)
class ChipData:
    """What the plots of one chip need.

    Attributes
    ----------
    layers
        Layer rows as layers.csv.
    roof
        The chip's roofs.
    buffer_bytes
        All buffers together. [bytes]
    workload, machine
        Names, for titles.
    traffic
        Rows of traffic.csv; None if not computed.
    """

    layers: pd.DataFrame
    roof: Roof
    buffer_bytes: float
    workload: str
    machine: str
    traffic: pd.DataFrame | None = field(default=None)


Drawers = dict[str, Callable[[], Figure]]
"""What makes each figure, by file name."""


def figures(chip: ChipData | None, study: StudyData | None) -> dict[str, Figure]:
    """Return the figures of a run by file name: of its search, and of its chip if there is one."""
    return {name: draw() for name, draw in _drawers(chip, study).items()}


def _drawers(chip: ChipData | None, study: StudyData | None) -> Drawers:
    drawn: Drawers = {}
    if study is not None:
        drawn["pareto"] = partial(
            pareto_figure,
            study.designs,
            study.front,
            objectives=study.objectives,
            budget=study.budget,
            pick=study.pick,
            runners_up=study.runners_up,
            workload=study.workload,
        )
        if study.history is not None and len(study.history):
            drawn["convergence"] = partial(
                convergence_figure, study.history, sampler=study.sampler, is_exact=study.is_exact
            )
    if chip is not None:
        names = {"workload": chip.workload, "machine": chip.machine}
        drawn["roofline"] = partial(roofline_figure, chip.layers, chip.roof, **names)
        drawn["time_by_cause"] = partial(causes_figure, chip.layers, **names)
        if chip.traffic is not None and len(chip.traffic):
            drawn["traffic"] = partial(
                traffic_figure,
                chip.traffic,
                buffer_bytes=chip.buffer_bytes,
                workload=chip.workload,
                moved_bytes=float(chip.layers["dram_bytes"].sum()),
            )
    return drawn


def write_plots(
    folder: Path,
    *,
    chip: ChipData | None = None,
    study: StudyData | None = None,
    only: Collection[str] | None = None,
    drawn: Collection[str] = (),
) -> dict[str, Path]:
    """Write ``plots/NAME.png`` and ``.svg`` into a run folder; return the SVGs by name.

    Parameters
    ----------
    only
        Names of plots: no others are written or returned.
    drawn
        Names of those that are there already.
    """
    plots = folder / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    wanted = {
        name: draw for name, draw in _drawers(chip, study).items() if only is None or name in only
    }
    for name, draw in wanted.items():
        if name not in drawn:
            save(draw(), plots / name)
    return {name: plots / f"{name}.svg" for name in wanted}
