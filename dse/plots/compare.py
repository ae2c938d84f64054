"""Several runs in one plot: their fronts and what each picked or evaluated."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dse.plots.labels import Label, place
from dse.plots.layers import short_names
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
from dse.plots.units import lower_label, show

MOST_NAMED = 8
"""Runs that have an entry each in the legend; of more, groups of them have."""

_MOST_COLOURS = 12


def compare_figure(
    table: pd.DataFrame,
    fronts: Sequence[pd.DataFrame | None],
    *,
    x: str,
    y: str,
    finding: str,
    groups: Sequence[str] = (),
) -> Figure:
    """Draw the chips of several runs, and faintly their fronts.

    Parameters
    ----------
    table
        A row a run: ``run`` (its label), `x`, `y` (NaN where nothing was picked) and `groups`.
    fronts
        front.csv of each run; None for an evaluation.
    x, y
        Columns of the axes; units are in their names.
    finding
        What the comparison shows, in words.
    groups
        Columns that may tell more than `MOST_NAMED` runs apart, by colour and by marker; the first
        ones that have few values are taken.
    """
    hue, style = _grouping(table, groups)
    with look():
        figure = new_figure(8.0, 5.6)
        ax = figure.add_subplot()
        seen = f"{lower_label(x)} and {lower_label(y)}"
        detail = "Large: the chip of a run."
        if any(front is not None for front in fronts):
            detail += f" Small: its front, as {seen} see it."
        title(figure, plain(finding, 160), detail)
        compare(ax, table, fronts, x=x, y=y, hue=hue, style=style)
    return figure


def _grouping(table: pd.DataFrame, groups: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the columns that colour and marker show; few runs are told apart by their label."""
    if len(table) <= MOST_NAMED:
        return "run", "run"
    counts = {name: table[name].astype(str).nunique() for name in groups if name in table}
    hues = [name for name, count in counts.items() if 2 <= count <= _MOST_COLOURS]
    hue = hues[0] if hues else None
    styles = [x for x, count in counts.items() if 2 <= count <= len(MARKERS) and x != hue]
    return hue, styles[0] if styles else None


def compare(
    ax: Axes,
    table: pd.DataFrame,
    fronts: Sequence[pd.DataFrame | None],
    *,
    x: str,
    y: str,
    hue: str | None = None,
    style: str | None = None,
) -> Axes:
    """Draw the runs in the axes, coloured and marked by two columns of their table."""
    import seaborn as sns  # takes a second to load, and is used here only

    drawn = [front[[x, y]] for front in fronts if front is not None]
    everything = pd.concat([table[[x, y]], *drawn]).astype(float)
    everything = everything.replace([np.inf, -np.inf], np.nan).dropna()
    if everything.empty:
        nothing_to_draw(ax, "No run has a design to draw.")
        return ax
    shown = table.assign(**{name: table[name].astype(str) for name in (hue, style) if name})
    colours = _colours(shown, hue)
    markers = dict(zip(shown[style].unique(), cycle(MARKERS), strict=False)) if style else True
    for front, (_, row) in zip(fronts, shown.iterrows(), strict=True):
        if front is not None:
            ink = colours.get(row[hue], SERIES[0]) if hue else SERIES[0]
            ax.scatter(front[x], front[y], s=9, color=ink, alpha=0.45, linewidth=0, zorder=2)
    sns.scatterplot(
        shown[np.isfinite(shown[[x, y]].astype(float)).all(axis=1)],
        x=x, y=y, ax=ax, hue=hue, style=style, palette=colours or None, markers=markers,
        color=None if hue else SERIES[0], s=90, edgecolor=INK, linewidth=0.9, zorder=4,
    )  # fmt: skip
    log_axis(ax, "x", x, log_limits(everything[x], 0.1))
    log_axis(ax, "y", y, log_limits(everything[y], 0.1))
    _legend_below(ax)
    _label_best(ax, shown, x, y)
    return ax


def _colours(table: pd.DataFrame, hue: str | None) -> dict[str, object]:
    """Return a colour for each value of a column, Okabe and Ito's as long as they last."""
    import seaborn as sns

    if hue is None:
        return {}
    values = list(table[hue].unique())
    inks = list(SERIES) if len(values) <= len(SERIES) else sns.husl_palette(len(values), l=0.55)
    return dict(zip(values, inks, strict=False))


def _legend_below(ax: Axes) -> None:
    """Write seaborn's legend below the axes, its columns named as a reader knows them."""
    legend = ax.get_legend()
    if legend is None:
        return
    handles, texts = ax.get_legend_handles_labels()
    legend.remove()
    width = max(len(text) for text in texts)
    ax.figure.legend(
        handles,
        short_names([text.lstrip("_") for text in texts], 60),
        loc="outside lower center",
        ncols=max(1, min(4, 110 // (min(width, 60) + 6))),
        fontsize=8.5,
    )


def _label_best(ax: Axes, table: pd.DataFrame, x: str, y: str) -> None:
    """Label the run that is best on the y axis, where runs have no entry of their own."""
    values = table[y].astype(float)
    if len(table) <= MOST_NAMED or not np.isfinite(values).any():
        return
    row = table.iloc[int(np.nanargmax(values))]
    text = f"{plain(str(row['run']), 60)}: {show(y, row[y])}"
    marks = [
        Label(x=float(a), y=float(b), text="", radius_points=5)
        for a, b in table[[x, y]].astype(float).dropna().to_numpy()
    ]
    place(ax, [Label(x=float(row[x]), y=float(row[y]), text=text, is_bold=True)], obstacles=marks)
