"""Plots that several experiments share and that no other part of the project needs."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dse.plots.style import (
    FAINT,
    INK,
    MARKERS,
    MUTED,
    PAPER,
    SERIES,
    log_axis,
    log_limits,
    look,
    new_figure,
    title,
)
from experiments.comparison import label


def compared(
    published: "pd.Series[float]",
    ours: "pd.Series[float]",
    *,
    label: Sequence[object] | pd.Index | str,
    series: Sequence[object] | pd.Index | str | None = None,
) -> pd.DataFrame:
    """Return published and computed numbers as `dse.plots.predicted_figure` wants them.

    Parameters
    ----------
    published, ours
        Of the same rows.
    label, series
        Names of the rows, and of what they belong to: one each, the name of an index level, or, of
        a series, one name for all.
    """

    def named(names: Sequence[object] | pd.Index | str) -> Sequence[object] | pd.Index | str:
        is_level = isinstance(names, str) and names in published.index.names
        return published.index.get_level_values(names) if is_level else names

    columns = {"label": named(label)} | ({} if series is None else {"series": named(series)})
    numbers = {"published": published.to_numpy(), "predicted": ours.to_numpy()}
    return pd.DataFrame(columns | numbers)


def ratio_figure(
    published: pd.DataFrame,
    ours: pd.DataFrame,
    *,
    finding: str,
    detail: str = "",
    band: float = 0.1,
) -> Figure:
    """Draw ours over published for numbers of different units, one line a number.

    Parameters
    ----------
    published, ours
        The same rows and columns; a column is a line of the plot, a row a marker.
    finding, detail
        What the plot shows, and how to read it.
    band
        The relative error to shade. [share]
    """
    ratios = (ours / published).dropna(how="all")
    with look():
        figure = new_figure(8.0, 1.9 + 0.45 * len(ratios.columns) + 0.2 * len(ratios))
        ax = figure.add_subplot()
        title(figure, finding, f"Shaded: within {band:.0%} of what was published. {detail}".strip())
        ax.axvspan(1 - band, 1 + band, color=FAINT, zorder=0)
        ax.axvline(1, color=MUTED, linewidth=1)
        for index, (row, values) in enumerate(ratios.iterrows()):
            lift = 0.3 * _share_of_row(index, len(ratios))
            _mark(ax, values, index, lift, label=label(row, ratios.index), size=8)
        log_axis(
            ax, "x", "ratio", log_limits([*ratios.stack(), 0.5, 2]), label="Ours over published"
        )
        ax.set_ylim(-0.6, len(ratios.columns) - 0.4)
        ax.set_yticks(range(len(ratios.columns)), [_words(x) for x in ratios.columns[::-1]])
        ax.tick_params(axis="y", labelcolor=INK, length=0)
        figure.legend(loc="outside lower left", ncols=min(len(ratios), 2))
    return figure


def _share_of_row(index: int, count: int) -> float:
    """Return how far above the middle of its row a series lies, of so many: -0.5 to 0.5."""
    return ((count - 1) / 2 - index) / max(count - 1, 1)


def _mark(
    ax: Axes, values: "pd.Series[float]", index: int, lift: float, *, label: str, size: float
) -> None:
    """Draw a series, one marker a row, the first row on top."""
    ax.plot(
        values,
        [len(values) - 1 - place + lift for place in range(len(values))],
        linestyle="none",
        marker=MARKERS[(index + index // len(SERIES)) % len(MARKERS)],  # no pair of both twice
        markersize=size,
        color=SERIES[index % len(SERIES)],
        markeredgecolor=PAPER,
        label=label,
        zorder=3,
    )


def _words(column: object) -> str:
    words = str(column).replace("_", " ").replace(" per s", "/s").replace("dram", "DRAM")
    for name in ("GDDR", "SRAM"):
        words = words.replace(name.lower(), name)
    return words.replace("macs", "MACs").replace("per mac", "per MAC").removesuffix(" s")


def changes_figure(changes: pd.DataFrame, *, finding: str, axis: str, detail: str = "") -> Figure:
    """Draw relative changes, one line a row and one marker a column.

    Parameters
    ----------
    changes
        What was changed by what it was changed on. [share]
    finding, detail
        What the plot shows, and how to read it.
    axis
        Label of the changes.
    """
    with look():
        figure = new_figure(9.0, 1.8 + 0.5 * len(changes))
        ax = figure.add_subplot()
        title(figure, finding, detail)
        ax.axvline(0, color=MUTED, linewidth=1)
        for index, (column, values) in enumerate(changes.items()):
            lift = 0.75 * _share_of_row(index, len(changes.columns))
            _mark(ax, 100 * values, index, lift, label=str(column), size=7)
        for place in range(len(changes)):
            ax.axhline(place, color=FAINT, linewidth=0.8, zorder=0)
        ax.set_yticks(range(len(changes)), [str(x) for x in changes.index[::-1]])
        ax.set_ylim(-0.6, len(changes) - 0.4)
        ax.tick_params(axis="y", labelcolor=INK, length=0)
        ax.set_xlabel(f"{axis} (%)")
        figure.legend(loc="outside lower left", ncols=4)
    return figure
