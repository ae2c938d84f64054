"""The look of every plot: inks, colours and markers, axes with units, titles, files."""

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from dse.columns import column
from dse.plots.units import number, prefix, show

INK = "#1b1f24"
MUTED = "#5d6673"
FAINT = "#dde1e6"
PAPER = "#ffffff"
CLOUD = "#8b94a0"  # a mid-tone, as it is drawn into a bitmap that cannot follow a dark page

BLUE, ORANGE, GREEN, SKY = "#0072b2", "#e69f00", "#009e73", "#56b4e9"
VERMILLION, PURPLE, YELLOW = "#d55e00", "#cc79a7", "#c9b800"
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, YELLOW)
"""Okabe and Ito's colours (Color Universal Design, 2008), yellow darkened for white paper."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

RAMP = ("#e8a33d", "#dd7c4a", "#cb5a5e", "#ae4179", "#87328c", "#5c2b91", "#33257f")
"""Ordered levels from low to high; lightness falls evenly, so that grey print keeps the order."""

DARK = {
    INK: "#e8eaed",
    MUTED: "#a3acb8",
    FAINT: "#333a44",
    PAPER: "#171b21",
    BLUE: "#4aa8e0",
    GREEN: "#2fc39a",
    SKY: "#bfe3fa",
    VERMILLION: "#f08a4b",
    **dict(
        zip(
            RAMP,
            ("#8a5a1c", "#b06a35", "#d07a5c", "#e3898a", "#e6a0c0", "#dcb8ea", "#e6dcff"),
            strict=True,
        )
    ),
}
"""What each light ink becomes on a dark page; the report maps them through CSS variables."""

_RC: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 9.5,
    "text.parse_math": False,  # layer names may hold $ and _
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.titley": 1.0,  # where it would be put anyway, as no ticks are above; not searched for
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": FAINT,
    "grid.linestyle": "-",
    "grid.linewidth": 0.7,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": PAPER,
    "patch.force_edgecolor": True,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "hatch.color": MUTED,
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "chipfront",
    "svg.fonttype": "path",
}


def look() -> AbstractContextManager[None]:
    """Return the context in which every figure is made, drawn and saved."""
    return mpl.rc_context(_RC)


def new_figure(width: float = 8.0, height: float = 5.0) -> Figure:
    """Return an empty figure, outside pyplot's global state. Width and height in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def fix_layout(figure: Figure) -> None:
    """Lay the figure out, once for all that is drawn of it from now on."""
    engine = figure.get_layout_engine()
    if engine is not None:
        for ax in figure.axes:
            _measure_few(ax, "x")
            _measure_few(ax, "y")
        engine.execute(figure)
        figure.set_layout_engine(None)  # "none" leaves one behind for which savefig draws twice


def _measure_few(ax: Axes, which: str) -> None:
    """Leave to the layout the tick labels at the ends and, of a y axis, the widest ones."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = sorted(axis.get_view_interval())
    labels = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
    inner = [label for place, label in labels if low <= place <= high][1:-1]
    widths = [label.get_window_extent().width if which == "y" else 0.0 for label in inner]
    for label, width in zip(inner, widths, strict=True):
        label.set_in_layout(width > 0.95 * max(widths))


def save(figure: Figure, path: Path) -> tuple[Path, Path]:
    """Write ``path`` with the suffixes .png (200 dots per inch) and .svg, the same bytes always."""
    png, svg = path.with_suffix(".png"), path.with_suffix(".svg")
    with look():
        fix_layout(figure)
        figure.savefig(png, dpi=200, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
        figure.savefig(svg, dpi=110, metadata={"Date": None, "Creator": None})
    return png, svg


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def plain(text: str, width: int = 200) -> str:
    """Return a user's text as one drawable line, shortened in the middle to ``width``."""
    known = _drawable()
    line = " ".join(
        "".join(c if ord(c) in known else " " if c.isspace() else "?" for c in text).split()
    )
    if len(line) <= width:
        return line
    head = (width - 1) // 2
    return f"{line[:head]}…{line[len(line) - (width - 1 - head) :]}"


def title(figure: Figure, finding: str, detail: str = "") -> None:
    """Write on top what the plot shows in words, and below it, smaller, how to read it."""
    width, height = figure.get_size_inches()
    large = textwrap.fill(finding, int(width * 10.2))
    small = textwrap.fill(detail, int(width * 14.2))
    lines = large.count("\n") + 1, (small.count("\n") + 1 if small else 0)
    points = 6 + 16 * lines[0]
    top: dict[str, Any] = {"ha": "left", "va": "top"}
    figure.text(0.008, 1 - 5 / 72 / height, large, fontsize=11.5, fontweight="bold", **top)
    figure.text(0.008, 1 - points / 72 / height, small, fontsize=8.5, color=MUTED, **top)
    points += 12 * lines[1] + 4
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1, 1 - points / 72 / height))


def halo() -> dict[str, Any]:
    """Return the box that keeps a text readable on top of lines and marks."""
    return {"boxstyle": "square,pad=0.12", "facecolor": PAPER, "alpha": 0.72, "linewidth": 0}


def nothing_to_draw(ax: Axes, reason: str) -> None:
    """Say in the empty axes why there is nothing."""
    ax.text(
        0.5,
        0.5,
        textwrap.fill(reason, 60),
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=MUTED,
    )


def finite(values: Iterable[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the values that a log axis can show: finite and above zero."""
    array = np.asarray(list(values), dtype=float)
    return array[np.isfinite(array) & (array > 0)]


def log_limits(values: Iterable[float], room: float = 0.06) -> tuple[float, float]:
    """Return limits of a log axis around the values, with a share of room on both sides."""
    shown = finite(values)
    if not shown.size:
        return 1.0, 10.0
    low, high = math.log10(shown.min()), math.log10(shown.max())
    margin = max(room * (high - low), 0.08)
    return float(10 ** (low - margin)), float(10 ** (high + margin))


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    subsets: Sequence[tuple[float, ...]] = (
        (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9),
        (1, 1.5, 2, 3, 4, 6, 8),
        (1, 2, 3, 5),
        (1, 2, 5),
        (1, 3),
        (1,),
    )
    ticks: list[float] = []
    for subset in subsets:
        ticks = [s * 10.0**d for d in decades for s in subset]
        ticks = [t for t in ticks if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)]
        if len(ticks) <= most:
            break
    if len(ticks) < 3 and high / low < 10:
        ticks = [t for t in MaxNLocator(5).tick_values(low, high) if low <= t <= high]
    return ticks[:: -(-len(ticks) // most)] if ticks else [math.sqrt(low * high)]


def _binary_ticks(low: float, high: float, most: int) -> list[float]:
    first, last = math.ceil(math.log2(low) - 1e-9), math.floor(math.log2(high) + 1e-9)
    step = max(1, -(-(last - first + 1) // most))
    return [2.0**e for e in range(first, last + 1, step)] or [math.sqrt(low * high)]


def log_axis(
    ax: Axes, which: str, name: str, limits: tuple[float, float], label: str | None = None
) -> None:
    """Make an axis logarithmic with few readable ticks, the unit with its prefix in the label.

    Parameters
    ----------
    which
        ``"x"`` or ``"y"``.
    name
        The column that the axis shows; says the unit.
    limits
        Least and most value, in the unit of the column.
    label
        Instead of the column's own label.
    """
    axis = ax.xaxis if which == "x" else ax.yaxis
    shown = column(name)
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    (ax.set_xlim if which == "x" else ax.set_ylim)(*limits)
    tick_text: Callable[[float, float], str]
    if shown.prefixes == "binary":
        ticks = _binary_ticks(*limits, most=9)
        unit = "bytes"

        def tick_text(value: float, _: float) -> str:
            return show(name, value)
    else:
        factor, unit = prefix(name, math.sqrt(limits[0] * limits[1]))
        low, high = (limit * factor for limit in limits)
        steps = _binary_ticks if shown.doubles else _log_ticks
        ticks = [tick / factor for tick in steps(low, high, most=9)]

        def tick_text(value: float, _: float) -> str:
            return number(value * factor)

    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(tick_text))
    axis.set_label_text(f"{label or shown.label} ({unit})" if unit else label or shown.label)


def linear_axis(ax: Axes, which: str, name: str, most: float, label: str | None = None) -> None:
    """Make an axis run linearly from 0 to ``most``, the unit with its prefix in the label."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    factor, unit = prefix(name, most)
    most = most if most > 0 else 1 / factor
    (ax.set_xlim if which == "x" else ax.set_ylim)(0, most)
    ticks = [t / factor for t in MaxNLocator(7).tick_values(0, most * factor)]
    axis.set_major_locator(FixedLocator([t for t in ticks if 0 <= t <= most * (1 + 1e-9)]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value * factor)))
    text = label or column(name).label
    axis.set_label_text(f"{text} ({unit})" if unit else text)
