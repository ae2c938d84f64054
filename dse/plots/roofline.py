"""Roofline: MAC rate against operational intensity, under the roofs of a chip."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dse.plots.labels import Label, place
from dse.plots.layers import bound_shares, short_names, together
from dse.plots.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
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
from dse.plots.units import number, percent, show

BOUNDS = {
    "compute": (BLUE, "o", "bound by the MAC array"),
    "memory": (VERMILLION, "s", "bound by DRAM"),
    "first and last": (ORANGE, "^", "bound by its first and last tiles"),
}
_PACE = {
    "memory": "DRAM",
    "first and last": "first and last tiles",
    "no MACs": "layers without MACs",
}
"""What takes longer in layers of a bound, whatever their MACs alone would need."""

_LABELLED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Roof:
    """The roofs of a chip: its MAC rate, and its DRAM rate before and after the efficiency."""

    peak_macs_per_s: float
    dram_bytes_per_s: float
    dram_efficiency: float

    @property
    def delivered_bytes_per_s(self) -> float:
        """DRAM bytes per second that arrive."""
        return self.dram_bytes_per_s * self.dram_efficiency

    @property
    def ridge(self) -> float:
        """MACs per DRAM byte at which the roof bends."""
        return self.peak_macs_per_s / self.delivered_bytes_per_s


def roofline_figure(layers: pd.DataFrame, roof: Roof, *, workload: str, machine: str) -> Figure:
    """Draw the layers of a network under the roofs of its chip.

    Parameters
    ----------
    layers
        Layer rows: name, macs, latency_s, operational_intensity [MACs/byte], bound.
    roof
        The roofs of the chip.
    workload, machine
        Names, for the title.
    """
    with look():
        figure = new_figure(8.0, 5.6)
        ax = figure.add_subplot()
        finding, detail = _finding(layers, workload, machine), _detail(layers)
        title(figure, finding, detail)
        largest, every = roofline(ax, together(layers), roof)
        place(ax, largest, obstacles=[*every, *along_roof(roof, every)])
    return figure


def roofline(ax: Axes, layers: pd.DataFrame, roof: Roof) -> tuple[list[Label], list[Label]]:
    """Draw roofs and layers; return the labels of the largest, to be placed last, and all."""
    shown = _with_rate(layers, roof)
    points = finite(shown["operational_intensity"]), finite(shown["macs_per_s"])
    draw_roof(ax, roof, intensities=points[0], rates=points[1])
    if shown.empty:
        nothing_to_draw(ax, "No layer has MACs: there is no point to draw.")
        legend_below(ax)
        return [], []
    shares = shown["latency_s"] / max(layers["latency_s"].sum(), 1e-300)
    for bound, (ink, marker, text) in BOUNDS.items():
        rows = shown[shown["bound"] == bound]
        if rows.empty:
            continue
        ax.scatter(
            rows["operational_intensity"],
            rows["macs_per_s"],
            color=ink,
            marker=marker,
            s=_sizes(shares[rows.index]),
            alpha=0.72,
            edgecolor=PAPER,
            linewidth=0.7,
            label=text,
            zorder=3,
        )
    legend_below(ax)
    largest = shares.sort_values(ascending=False, kind="stable").index[:_LABELLED]
    labels = {row: _label(shown.loc[row], float(shares[row])) for row in shown.index}
    names = dict(zip(largest, short_names(shown.loc[largest, "name"], 30), strict=True))
    named = [replace(labels[x], text=f"{names[x]} ({percent(shares[x])})") for x in largest]
    return named, list(labels.values())


def legend_below(ax: Axes) -> None:
    """Write the legend of roofs and marks below the axes, where it covers nothing."""
    handles, texts = ax.get_legend_handles_labels()
    figure = ax.get_figure()
    if figure is None or not handles:
        return
    legend = figure.legend(handles, texts, loc="outside lower center", ncols=3, fontsize=8.5)
    for handle in legend.legend_handles:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([50])


def _with_rate(layers: pd.DataFrame, roof: Roof) -> pd.DataFrame:
    """Return the layers with MACs, their rate and intensity those of the MACs that are computed.

    A machine that skips padding computes less than all MACs; counted in full, it would be above
    its own roof.
    """
    shown = layers[(layers["macs"] > 0) & (layers["latency_s"] > 0)]
    shown = shown[np.isfinite(shown["operational_intensity"]) & np.isfinite(shown["latency_s"])]
    done = shown["macs"]
    if "time_mac_s" in shown:
        done = np.minimum(done, shown["time_mac_s"] * roof.peak_macs_per_s)
    intensity = shown["operational_intensity"] * done / shown["macs"]
    return shown.assign(macs_per_s=done / shown["latency_s"], operational_intensity=intensity)


def _sizes(shares: pd.Series) -> pd.Series:
    return 18 + 2200 * shares.clip(0, 0.5)


def _radius(share: float) -> float:
    return float(np.sqrt((18 + 2200 * min(share, 0.5)) / np.pi))


def _label(row: pd.Series, share: float) -> Label:
    return Label(
        x=float(row["operational_intensity"]),
        y=float(row["macs_per_s"]),
        text="",
        radius_points=_radius(share),
    )


def along_roof(roof: Roof, points: Sequence[Label]) -> list[Label]:
    """Return marks along the roof, so that no label lies on it."""
    ends = [roof.ridge, *(point.x for point in points)]
    x = np.geomspace(min(ends) / 2, max(ends) * 2, 120)
    y = np.minimum(x * roof.delivered_bytes_per_s, roof.peak_macs_per_s)
    return [Label(x=a, y=b, text="", radius_points=1) for a, b in zip(x, y, strict=True)]


def draw_roof(
    ax: Axes,
    roof: Roof,
    *,
    intensities: Sequence[float] | np.ndarray,
    rates: Sequence[float] | np.ndarray,
) -> None:
    """Draw the roofs of a chip, with limits that hold the points and the ridge."""
    x_limits = log_limits(
        [*(1.4 * x for x in intensities), *intensities, roof.ridge / 3, roof.ridge * 3]
    )
    y_limits = log_limits([*rates, roof.peak_macs_per_s / 10, roof.peak_macs_per_s * 1.6])
    log_axis(ax, "x", "operational_intensity", x_limits)
    log_axis(ax, "y", "macs_per_s", y_limits, label="MAC rate")
    x = np.array([x_limits[0], roof.ridge, x_limits[1]])
    peak, rate = show("macs_per_s", roof.peak_macs_per_s), roof.delivered_bytes_per_s
    ax.plot(
        x,
        np.minimum(x * rate, roof.peak_macs_per_s),
        color=INK,
        linewidth=1.8,
        zorder=2,
        label=f"{peak}, {show('dram_bytes_per_s', rate)} from DRAM",
    )
    if roof.dram_efficiency < 1:
        bend = roof.peak_macs_per_s / roof.dram_bytes_per_s
        ax.plot(
            [x_limits[0], bend],
            [x_limits[0] * roof.dram_bytes_per_s, roof.peak_macs_per_s],
            color=MUTED,
            linewidth=1.0,
            linestyle=(0, (4, 3)),
            zorder=1.8,
            label=f"DRAM at its peak, {show('dram_bytes_per_s', roof.dram_bytes_per_s)}",
        )
    ax.axvline(
        roof.ridge,
        color=MUTED,
        linewidth=0.8,
        linestyle=":",
        zorder=1,
        label=f"ridge, {number(roof.ridge)} MACs/B",
    )


def _finding(layers: pd.DataFrame, workload: str, machine: str) -> str:
    where = f"{plain(workload)} on {plain(machine, 40)}"
    shares = bound_shares(layers)
    if not shares:
        return f"{where} takes no time"
    names = {**_PACE, "compute": _array_words(layers)}
    some = {bound: share for bound, share in shares.items() if share > 0}
    parts = [f"{names.get(bound, plain(bound))} for {percent(x)}" for bound, x in some.items()]
    parts[0] += " of the time"
    return f"{where}: the pace is set by {', '.join(parts[:3])}"


def _array_words(layers: pd.DataFrame) -> str:
    """Return what the array is called: a rate is far below its roof where it is mostly not busy."""
    rows = layers[layers["bound"] == "compute"]
    is_known = "time_mac_s" in rows and len(rows)
    busy = rows["time_mac_s"].sum() / rows["latency_s"].sum() if is_known else 1.0
    return "the array" if busy >= 0.5 else "the array, mostly idle or filling,"


def _detail(layers: pd.DataFrame) -> str:
    text = "A point is a layer, its area the share of the time."
    left = layers[(layers["macs"] <= 0) & (layers["latency_s"] > 0)]
    total = float(layers["latency_s"].sum())
    if len(left) and total > 0:
        share = percent(float(left["latency_s"].sum()) / total)
        plural = "layers" if len(left) > 1 else "layer"
        text += f" Not drawn: {len(left)} {plural} without MACs, {share} of the time."
    return text
