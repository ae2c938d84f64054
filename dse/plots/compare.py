"""Several runs in one plot: their fronts and what each picked or evaluated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dse.plots.style import (
    INK,
    MARKERS,
    SERIES,
    log_axis,
    log_limits,
    look,
    new_figure,
    nothing_to_draw,
    plain,
    title,
)
from dse.plots.units import lower_label


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """What the plot needs of one run.

    Attributes
    ----------
    label
        Name in the legend.
    front
        front.csv; None for an evaluation.
    chip
        The picked or evaluated design: column to value; None if nothing was picked.
    """

    label: str
    front: pd.DataFrame | None = None
    chip: Mapping[str, object] | None = None


def compare_figure(runs: Sequence[ComparedRun], *, x: str, y: str, finding: str) -> Figure:
    """Draw the fronts of several runs, and a large mark for the chip of each.

    Parameters
    ----------
    x, y
        Columns of the axes; units are in their names.
    finding
        What the comparison shows, in words.
    """
    with look():
        figure = new_figure(8.0, 5.0)
        ax = figure.add_subplot()
        seen = f"{lower_label(x)} and {lower_label(y)}"
        detail = f"Small marks: the front, as {seen} see it. Large: the chip."
        title(figure, finding, detail)
        compare(ax, runs, x=x, y=y)
    return figure


def compare(ax: Axes, runs: Sequence[ComparedRun], *, x: str, y: str) -> Axes:
    """Draw the runs in the axes, each with a colour and a marker of its own."""
    shown = [(run, _points(run, x, y)) for run in runs]
    everything = np.concatenate([points for _, points in shown]) if shown else np.empty((0, 2))
    if not len(everything):
        nothing_to_draw(ax, "No run has a design to draw.")
        return ax
    for place, (run, points) in enumerate(shown):
        colour, marker = SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)]
        label = plain(run.label, 48)
        small, large = points[:-1], points[-1:]
        if run.chip is None:
            small, large = points, points[:0]
        sns.scatterplot(
            x=small[:, 0],
            y=small[:, 1],
            ax=ax,
            s=12,
            color=colour,
            marker=marker,
            alpha=0.6,
            linewidth=0,
            zorder=2,
        )
        ax.scatter(
            large[:, 0],
            large[:, 1],
            s=110,
            color=colour,
            marker=marker,
            edgecolors=INK,
            linewidths=1.2,
            label=label,
            zorder=4,
        )
    log_axis(ax, "x", x, log_limits(everything[:, 0]))
    log_axis(ax, "y", y, log_limits(everything[:, 1]))
    ax.legend(loc="best")
    return ax


def _points(run: ComparedRun, x: str, y: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the front's points, then the chip's, of shape (points, 2)."""
    front = pd.DataFrame(columns=[x, y]) if run.front is None else run.front
    points = front[[x, y]].to_numpy(np.float64).reshape(-1, 2)
    if run.chip is not None:
        chip = np.array([[run.chip[x], run.chip[y]]], dtype=np.float64)
        points = np.concatenate([points, chip])
    return points
