"""Plots of the experiments: predictions, bandwidth against batch, networks on a roofline."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dse.columns import column
from dse.plots.labels import Label, place
from dse.plots.roofline import Roof, along_roof, draw_roof, legend_below
from dse.plots.style import (
    FAINT,
    INK,
    MARKERS,
    MUTED,
    PAPER,
    SERIES,
    finite,
    log_axis,
    log_limits,
    look,
    new_figure,
    nothing_to_draw,
    plain,
    title,
)
from dse.plots.units import percent


def predicted_figure(
    table: pd.DataFrame,
    *,
    name: str,
    finding: str,
    detail: str = "",
    bands: Sequence[float] = (0.05, 0.2),
    num_labels: int = 5,
) -> Figure:
    """Draw predictions against published values, with bands of relative error.

    Parameters
    ----------
    table
        label, published and predicted, in the unit of the column `name`; and where there are
        several kinds of rows, series.
    name
        A column of `dse.plots.units.QUANTITIES`, or any text ending in its unit in brackets.
    finding, detail
        What the plot shows, and how to read it.
    bands
        Relative errors to shade, rising. [share]
    num_labels
        How many of the worst predictions are named.
    """
    with look():
        figure = new_figure(6.6, 6.2)
        ax = figure.add_subplot()
        shaded = " and ".join(percent(band) for band in bands)
        title(figure, plain(finding, 400), f"{detail} Shaded: within {shaded}.".strip())
        points = predicted(ax, table, name=name, bands=bands)
        place(ax, points[:num_labels], obstacles=points)
    return figure


def predicted(
    ax: Axes, table: pd.DataFrame, *, name: str, bands: Sequence[float] = (0.05, 0.2)
) -> list[Label]:
    """Draw the points and bands; return a label for each, the worst prediction first."""
    rows = table[(table["published"] > 0) & (table["predicted"] > 0)]
    if rows.empty:
        nothing_to_draw(ax, "Nothing to compare.")
        return []
    limits = log_limits([*rows["published"], *rows["predicted"]])
    for which, word in (("x", "published"), ("y", "predicted")):
        log_axis(ax, which, name, limits, label=f"{column(name).label}, {word}")
    ax.set_aspect("equal")
    line = np.array(limits)
    for band in sorted(bands, reverse=True):
        ax.fill_between(
            line,
            line / (1 + band),
            line * (1 + band),
            color=FAINT,
            alpha=0.75,
            linewidth=0.5,
            edgecolor=MUTED,
            zorder=0.5,
        )
    ax.plot(line, line, color=MUTED, linewidth=1, zorder=1)
    series = rows["series"] if "series" in rows else pd.Series("", index=rows.index)
    for index, (kind, group) in enumerate(rows.groupby(series, sort=False)):
        ax.plot(
            group["published"],
            group["predicted"],
            linestyle="none",
            marker=MARKERS[index % len(MARKERS)],
            color=SERIES[index % len(SERIES)],
            markersize=7,
            markeredgecolor=PAPER,
            label=plain(str(kind), 30),
            zorder=3,
        )
    if series.nunique() > 1:
        ax.legend(loc="upper left")
    errors = (rows["predicted"] / rows["published"] - 1).rename("error")
    worst = errors.abs().sort_values(ascending=False, kind="stable").index
    return [
        Label(
            x=float(rows["published"][i]),
            y=float(rows["predicted"][i]),
            text=f"{plain(str(rows['label'][i]), 28)} ({errors[i]:+.1%})",
        )
        for i in worst
    ]


def bandwidth_figure(
    lines: pd.DataFrame, *, finding: str, detail: str = "", roof_bytes_per_s: float | None = None
) -> Figure:
    """Draw the DRAM bandwidth that keeps the array busy against the batch, one line a series.

    Parameters
    ----------
    lines
        series, batch, dram_bytes_per_s; and where published, published_bytes_per_s (hollow).
    finding, detail
        What the plot shows, and how to read it.
    roof_bytes_per_s
        The bandwidth that a machine has, drawn as a line.
    """
    with look():
        figure = new_figure(8.0, 5.0)
        ax = figure.add_subplot()
        title(figure, plain(finding, 400), detail)
        bandwidth_against_batch(ax, lines, roof_bytes_per_s=roof_bytes_per_s)
    return figure


def bandwidth_against_batch(
    ax: Axes, lines: pd.DataFrame, *, roof_bytes_per_s: float | None = None
) -> Axes:
    """Draw the lines of `bandwidth_figure` on axes of one's own."""
    published = lines.get("published_bytes_per_s", pd.Series(dtype=float))
    roof = [] if roof_bytes_per_s is None else [roof_bytes_per_s]
    log_axis(ax, "x", "batch", log_limits(lines["batch"]), label="Batch (inferences)")
    limits = log_limits([*finite(lines["dram_bytes_per_s"]), *finite(published), *roof])
    log_axis(ax, "y", "dram_bytes_per_s", limits, label="DRAM bandwidth needed")
    for index, (name, rows) in enumerate(lines.groupby("series", sort=False)):
        ink, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
        ax.plot(
            rows["batch"],
            rows["dram_bytes_per_s"],
            color=ink,
            marker=marker,
            markersize=5,
            markeredgecolor=PAPER,
            linewidth=1.6,
            label=plain(str(name), 40),
            zorder=3,
        )
        if "published_bytes_per_s" in rows:
            ax.plot(
                rows["batch"],
                rows["published_bytes_per_s"],
                linestyle="none",
                marker=marker,
                markersize=10,
                markerfacecolor="none",
                markeredgecolor=ink,
                zorder=4,
            )
    if roof_bytes_per_s is not None:
        ax.axhline(
            roof_bytes_per_s,
            color=INK,
            linewidth=1.2,
            linestyle=(0, (5, 2)),
            label="bandwidth of the machine",
        )
    ax.legend(loc="upper right")
    return ax


def networks_roofline_figure(networks: pd.DataFrame, roof: Roof, *, finding: str) -> Figure:
    """Draw several networks as points under the roofs of one chip.

    Parameters
    ----------
    networks
        One row a network: name, operational_intensity [MACs/byte], macs_per_s; and, where
        published, published_macs_per_s (drawn hollow, joined to the prediction) and
        published_operational_intensity (that of the prediction if there is none).
    roof
        The roofs of the chip.
    finding
        What the plot shows.
    """
    with look():
        figure = new_figure(8.0, 5.6)
        ax = figure.add_subplot()
        detail = "Filled: predicted."
        rates = list(networks["macs_per_s"])
        if "published_macs_per_s" in networks:
            detail, rates = (
                f"{detail} Hollow: published.",
                rates + list(networks["published_macs_per_s"]),
            )
        title(figure, plain(finding, 400), detail)
        intensities = [
            *networks["operational_intensity"],
            *networks.get("published_operational_intensity", []),
        ]
        draw_roof(ax, roof, intensities=finite(intensities), rates=finite(rates))
        labels = [
            _draw_network(ax, row, index) for index, (_, row) in enumerate(networks.iterrows())
        ]
        legend_below(ax)
        place(ax, labels, obstacles=[*labels, *along_roof(roof, labels)])
    return figure


def _draw_network(ax: Axes, row: pd.Series, index: int) -> Label:
    x, y = (float(str(row[key])) for key in ("operational_intensity", "macs_per_s"))
    ink, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
    published = float(str(row.get("published_macs_per_s", "nan")))
    if np.isfinite(published):
        at = float(str(row.get("published_operational_intensity", x)))
        ax.plot([x, at], [y, published], color=ink, linewidth=1, zorder=3)
        ax.plot(
            [at],
            [published],
            marker=marker,
            markersize=9,
            markerfacecolor="none",
            markeredgecolor=ink,
            markeredgewidth=1.5,
            zorder=4,
        )
    ax.plot([x], [y], marker=marker, markersize=8, color=ink, markeredgecolor=PAPER, zorder=5)
    return Label(x=x, y=y, text=plain(str(row["name"]), 30), radius_points=6)
