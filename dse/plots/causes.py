"""Time by cause: who owns each second of a layer, and of the network.

Causes are defined in dse/docs/time-and-causes.md.
"""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.transforms import offset_copy

from dse.arrays import FloatArray, IntArray
from dse.columns import CAUSES, HIDDEN
from dse.plots.layers import bound_shares, longest_first, short_names, together
from dse.plots.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    linear_axis,
    look,
    new_figure,
    nothing_to_draw,
    plain,
    title,
)
from dse.plots.units import percent, show

GREY = "#9aa3ae"

_STYLES = {
    "time_mac_s": (BLUE, ""),
    "time_edge_s": (SKY, "////"),
    "time_fill_s": (YELLOW, ""),
    "time_compulsory_s": (GREEN, ""),
    "time_refetch_s": (VERMILLION, "xxxx"),
    "time_dram_inefficiency_s": (ORANGE, "||||"),
    "time_first_last_s": (PURPLE, ""),
    "time_macless_s": (GREY, "\\\\\\\\"),
    "time_launch_s": (INK, ""),
}
"""Colour and hatch of each cause."""

MOST_ROWS = 28


def cause_shares(layers: pd.DataFrame) -> dict[str, float]:
    """Return the share of the network's time of each cause that has one, by column."""
    totals = {cause: float(layers[cause].sum()) for cause in CAUSES if cause in layers}
    whole = sum(totals.values())
    if not (np.isfinite(whole) and whole > 0):
        return {}
    return {cause: seconds / whole for cause, seconds in totals.items() if seconds > 0}


def causes_figure(layers: pd.DataFrame, *, workload: str, machine: str) -> Figure:
    """Draw the network's time by cause as one bar, and below it that of its longest layers.

    Parameters
    ----------
    layers
        Layer rows: name, latency_s and the ``time_*_s`` columns. [s]
    workload, machine
        Names, for the title.
    """
    rows = longest_first(together(layers), MOST_ROWS)
    with look():
        figure = new_figure(8.0, 2.9 + 0.215 * max(len(rows), 2))
        heights = [0.62, 0.3 + 0.215 * max(len(rows), 2)]
        whole, each = figure.subplots(2, 1, height_ratios=heights)
        title(figure, _finding(layers, workload, machine), _detail(rows))
        network_bar(whole, layers)
        time_by_cause(each, rows)
        shown = [cause for cause in CAUSES if cause in cause_shares(layers)]
        if shown:
            figure.legend(
                handles=[_patch(cause) for cause in shown],
                loc="outside lower center",
                ncols=4,
                fontsize=8.5,
                frameon=False,
            )
    return figure


def network_bar(ax: Axes, layers: pd.DataFrame) -> Axes:
    """Draw the shares of the network's time as one bar, each large one labelled."""
    shares = cause_shares(layers)
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel(f"Share of the network's {show('latency_s', float(layers['latency_s'].sum()))}")
    ax.spines["left"].set_visible(False)
    left = 0.0
    for cause, share in shares.items():
        ink, hatch = _STYLES[cause]
        ax.barh(
            [0],
            [share],
            left=left,
            height=0.7,
            color=ink,
            edgecolor=PAPER,
            linewidth=0.6,
            hatch=hatch,
        )
        if share >= 0.045:
            ax.text(
                left + share / 2,
                0,
                percent(share),
                ha="center",
                va="center",
                fontsize=9,
                fontweight="bold",
                color="#14171b",
                bbox={
                    "boxstyle": "round,pad=0.2",
                    "facecolor": "#fefefe",
                    "alpha": 0.82,
                    "linewidth": 0,
                },
            )
        left += share
    return ax


def time_by_cause(ax: Axes, rows: pd.DataFrame) -> Axes:
    """Draw one stacked bar a row, the first on top, its share of the whole at its end."""
    whole = float(rows["latency_s"].sum()) if len(rows) else 0.0
    if not (np.isfinite(whole) and whole > 0):
        nothing_to_draw(ax, "No layer takes any time.")
        linear_axis(ax, "x", "latency_s", 0.0, label="Time")
        ax.set_yticks([])
        return ax
    places = np.arange(len(rows))
    left = np.zeros(len(rows))
    for cause in (c for c in CAUSES if c in rows):
        ink, hatch = _STYLES[cause]
        seconds = rows[cause].to_numpy(float)
        if seconds.any():
            bars = _bars(places[seconds > 0], left[seconds > 0], (left + seconds)[seconds > 0])
            style = {"facecolor": ink, "edgecolor": PAPER, "linewidth": 0.4, "hatch": hatch}
            ax.add_patch(PathPatch(bars, **style))
        left += seconds
    linear_axis(ax, "x", "latency_s", float(left.max()) * 1.08, label="Time")
    beside = offset_copy(ax.transData, ax.figure, x=4, units="points")  # type: ignore[arg-type]
    for place, end in enumerate(left):
        text = percent(end / whole, 1)
        ax.text(end, place, text, transform=beside, va="center", fontsize=8, color=MUTED)
    ax.set_yticks(places, short_names(rows["name"], 30), fontsize=8.5)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", left=False, length=0)
    ax.yaxis.label.set_color(INK)
    return ax


def _bars(places: IntArray, start: FloatArray, end: FloatArray) -> Path:
    """Return the bars of one cause as one path: drawn at once, and so is their hatch."""
    low, high = places - 0.39, places + 0.39
    corners = [(start, low), (end, low), (end, high), (start, high)]
    return Path.make_compound_path_from_polys(np.array(corners).transpose(2, 0, 1))


def _patch(cause: str) -> Patch:
    ink, hatch = _STYLES[cause]
    text = textwrap.fill(CAUSES[cause].label, 30)
    return Patch(facecolor=ink, edgecolor=PAPER, hatch=hatch, label=text)


def _finding(layers: pd.DataFrame, workload: str, machine: str) -> str:
    shares = cause_shares(layers)
    where = f"{plain(workload)} on {plain(machine, 40)}"
    if not shares:
        return f"{where} takes no time"
    ideal = shares.get("time_mac_s", 0.0)
    losses = {cause: share for cause, share in shares.items() if cause != "time_mac_s"}
    text = f"{where}: MACs that are always busy would take {percent(ideal)} of the time"
    if not losses:
        return text
    worst = max(losses, key=lambda cause: losses[cause])
    waiting = bound_shares(layers).get("memory", 0.0)
    if worst in HIDDEN and losses[worst] <= waiting:
        return f"{text}; DRAM transfer alone takes all the time of layers with {percent(waiting)}"
    return f"{text}; most is added by {CAUSES[worst].label} ({percent(losses[worst])})"


def _detail(rows: pd.DataFrame) -> str:
    text = "Longest first; layers that cost the same are drawn as one; causes add up exactly"
    return (
        f"{text}; the last bar is all others."
        if "num_layers" in rows and len(rows) == MOST_ROWS
        else f"{text}."
    )
