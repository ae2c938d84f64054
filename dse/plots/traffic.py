"""DRAM traffic against buffer size: what a larger buffer would save."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dse.plots.curves import COLUMNS, MOST_PANELS, traffic_at
from dse.plots.labels import Label, place
from dse.plots.layers import short_names
from dse.plots.style import (
    BLUE,
    GREEN,
    INK,
    PAPER,
    VERMILLION,
    finite,
    log_axis,
    log_limits,
    look,
    new_figure,
    nothing_to_draw,
    plain,
    title,
)
from dse.plots.units import percent, show

_DETAIL = (
    "Least DRAM traffic of one batch for every buffer size, mapped layer by layer for "
    "least traffic, nothing held between layers. Small: the layers that move most. The vertical "
    "line is this chip's buffer."
)
_WIDEST = 512  # the chip's buffer over the smallest one that is drawn


def traffic_figure(
    traffic: pd.DataFrame,
    *,
    buffer_bytes: float,
    workload: str,
    moved_bytes: float | None = None,
) -> Figure:
    """Draw the network's traffic, and smaller that of its largest layers.

    Parameters
    ----------
    traffic
        Rows of traffic.csv (`COLUMNS`), all for one inference batch. [bytes]
    buffer_bytes
        The chip's buffer, marked in every panel.
    workload
        Name, for the title.
    moved_bytes
        What the chip's mappings move, which may be more than the least. [bytes]
    """
    names = [name for name in traffic["layer"].unique() if name][:MOST_PANELS]
    network = traffic[traffic["layer"] == ""]
    with look():
        figure = new_figure(8.0, 5.2 if not names else 7.2)
        rows = figure.add_gridspec(
            2 if names else 1, max(len(names), 1), height_ratios=[2.6, 1][: 2 if names else 1]
        )
        ax = figure.add_subplot(rows[0, :])
        title(figure, _finding(network, buffer_bytes, workload), _DETAIL)
        traffic_curve(ax, network, buffer_bytes=buffer_bytes)
        for column, (name, short) in enumerate(zip(names, short_names(names, 26), strict=True)):
            small = figure.add_subplot(rows[1, column])
            traffic_curve(
                small, traffic[traffic["layer"] == name], buffer_bytes=buffer_bytes, is_small=True
            )
            small.set_title(short, loc="left", fontsize=8)
            if column:
                small.set_ylabel("")
        _mark_buffer(ax, network, buffer_bytes, moved_bytes)
    return figure


def traffic_curve(
    ax: Axes, curve: pd.DataFrame, *, buffer_bytes: float, is_small: bool = False
) -> Axes:
    """Draw one curve with its lower bound, its compulsory bytes and the chip's buffer."""
    curve = curve[np.isfinite(curve["dram_bytes"]) & (curve["dram_bytes"] > 0)]
    curve = _near(curve, buffer_bytes)
    if curve.empty:
        nothing_to_draw(ax, "No traffic to draw.")
        return ax
    known = [c for c in COLUMNS[2:] if c in curve and finite(curve[c]).size]
    right = max(float(curve["buffer_bytes"].max()), buffer_bytes) * 1.3
    x = (float(finite(curve["buffer_bytes"]).min()), right)
    y = log_limits(np.concatenate([finite(curve[c]) for c in known]))
    log_axis(ax, "x", "buffer_bytes", x)
    log_axis(ax, "y", "dram_bytes", y)
    styles = {
        "dram_bytes": (BLUE, "-", 2.0, "least traffic of this machine's mappings"),
        "lower_bound_bytes": (VERMILLION, (0, (5, 2)), 1.5, "lower bound of each run by itself"),
        "compulsory_bytes": (GREEN, ":", 1.8, "each operand once a run"),
    }
    for column in known:
        ink, dash, width, text = styles[column]
        rows = curve[[column, "buffer_bytes"]].astype(float)
        ax.plot(
            [*rows["buffer_bytes"], right],
            [*rows[column], rows[column].iloc[-1]],
            drawstyle="steps-post",
            color=ink,
            linestyle=dash,
            linewidth=width,
            label=text,
        )
    moved = traffic_at(curve, buffer_bytes)
    top = moved if np.isfinite(moved) else y[1]
    ax.plot([buffer_bytes] * 2, [y[0], top], color=INK, linewidth=1.1, zorder=1.5)
    if is_small:
        _few_ticks(ax)
        return ax
    ax.legend(loc="upper right")
    return ax


def _near(curve: pd.DataFrame, buffer_bytes: float) -> pd.DataFrame:
    """Return the part of a curve worth a look: up from a small share of the chip's buffer."""
    sizes = curve["buffer_bytes"].to_numpy(float)
    first = int(np.searchsorted(sizes, buffer_bytes / _WIDEST, side="right")) - 1
    return curve.iloc[max(first, 0) :]


def _few_ticks(ax: Axes) -> None:
    ticks = list(ax.get_xticks())
    ax.set_xticks(ticks[:: max(1, -(-len(ticks) // 3))])
    ax.tick_params(labelsize=7.5)
    ax.set_xlabel("Buffer (bytes)", fontsize=8)
    ax.set_ylabel(ax.get_ylabel(), fontsize=8)


def _mark_buffer(
    ax: Axes, curve: pd.DataFrame, buffer_bytes: float, moved_bytes: float | None
) -> None:
    least = traffic_at(curve, buffer_bytes)
    if not np.isfinite(least):
        return
    ax.plot([buffer_bytes], [least], marker="o", color=INK, markersize=7, zorder=5)
    text = f"this chip: {show('buffer_bytes', buffer_bytes)}, at least {show('dram_bytes', least)}"
    labels = [Label(x=buffer_bytes, y=least, text=text, is_bold=True)]
    if moved_bytes is not None and moved_bytes > least * 1.005:
        ax.plot([buffer_bytes], [moved_bytes], "o", mfc=PAPER, mec=INK, markersize=7, zorder=5)
        text = f"as mapped: {show('dram_bytes', moved_bytes)}"
        labels.append(Label(x=buffer_bytes, y=moved_bytes, text=text))
    known = [column for column in COLUMNS[2:] if column in curve]
    drawn = [
        Label(x=float(x), y=float(y), text="", radius_points=2)
        for column in known
        for x, y in zip(curve["buffer_bytes"], curve[column], strict=True)
    ]
    place(ax, labels, obstacles=drawn)


def _finding(network: pd.DataFrame, buffer_bytes: float, workload: str) -> str:
    name, here = plain(workload), traffic_at(network, buffer_bytes)
    least = network["dram_bytes"].min() if len(network) else float("nan")
    twice = traffic_at(network, 2 * buffer_bytes)
    if not (np.isfinite(here) and np.isfinite(least) and here > 0):
        return f"{name}: DRAM traffic against buffer size"
    if here <= least * 1.001:
        return f"{name}: a larger buffer saves no DRAM traffic"
    saved = percent(1 - twice / here)
    return f"{name}: twice the buffer would save {saved} of the DRAM traffic"
