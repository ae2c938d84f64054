"""Plots of results for notebooks: each returns its axes, ``.figure`` the whole picture."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from dse.api import Result
from dse.errors import DseError
from dse.exploration import Study
from dse.pick import Pick
from dse.plots.causes import causes_figure
from dse.plots.convergence import convergence_figure
from dse.plots.front import pareto_figure
from dse.plots.roofline import Roof, roofline_figure


def roofline(result: Result) -> Axes:
    """Draw the layers of a network under the roofs of its chip.

    Parameters
    ----------
    result
        Of `dse.evaluate`.
    """
    dram = result.accelerator.dram
    roof = Roof(
        peak_macs_per_s=result.peak_macs_per_s,
        dram_bytes_per_s=result.dram_bytes_per_s,
        dram_efficiency=dram.efficiency * result.accelerator.dram_unit,
    )
    return roofline_figure(result.layers, roof, **_names(result)).axes[0]


def time_by_cause(result: Result) -> Axes:
    """Draw a network's time by cause, and that of its longest layers.

    Parameters
    ----------
    result
        Of `dse.evaluate`.
    """
    return causes_figure(result.layers, **_names(result)).axes[0]


def pareto(study: Study, pick: Pick | None = None) -> Axes:
    """Draw the designs of a search, and its front.

    Parameters
    ----------
    study
        Of `dse.search`.
    pick
        The design to mark with its runners-up; none if None.
    """
    runners: list[Mapping[str, object]] = []
    if pick is not None:
        rows = pick.runners_up.to_dict(orient="records")
        runners = [{str(key): x for key, x in row.items()} for row in rows]
    figure = pareto_figure(
        study.designs,
        study.front,
        objectives=study.objectives,
        budget=study.budget,
        pick=None if pick is None else pick.design,
        runners_up=runners,
        workload=study.space.name,
    )
    return figure.axes[0]


def convergence(study: Study) -> Axes:
    """Draw how much of the front a sampled study had found as it went.

    Parameters
    ----------
    study
        Of `dse.search`.

    Raises
    ------
    DseError
        If nothing was sampled, as of a space that is enumerated only.
    """
    if not len(study.history) or not len(study.front):
        raise DseError("study.history is empty: nothing was sampled, or nothing is feasible")
    name = f"the search of {study.space.name}"
    return convergence_figure(study.history, sampler=name, is_exact=study.exact).axes[0]


def _names(result: Result) -> dict[str, str]:
    return {"workload": result.workload.name, "machine": result.accelerator.name}
