"""Pareto front: the costed designs, the budgets, the front, the pick and its runners-up."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dse.columns import column
from dse.plots.picks import mark_picks
from dse.plots.style import (
    CLOUD,
    FAINT,
    INK,
    MARKERS,
    MUTED,
    PAPER,
    RAMP,
    finite,
    halo,
    log_axis,
    log_limits,
    look,
    new_figure,
    nothing_to_draw,
    plain,
    title,
)
from dse.plots.units import budget_text, design_text, lower_label, show

MOST_LEVELS = len(RAMP)
_GRID = 240  # cells of a side; more faint marks than this cannot be told apart


def split_objectives(objectives: Sequence[str]) -> tuple[str, tuple[str, ...], str | None]:
    """Return the objective on the y axis, those on the x axes (one panel each), and the colour.

    The y axis takes the first objective of which more is better, else the first; colour takes
    the third of the others' order, so three objectives need one panel and four need two.
    """
    y = next((name for name in objectives if column(name).is_better_up), objectives[0])
    others = [name for name in objectives if name != y]
    if not others:
        return y, (y,), None
    colour = others[1] if len(others) > 1 else None
    return y, tuple(name for name in others if name != colour), colour


def pareto_figure(
    designs: pd.DataFrame,
    front: pd.DataFrame,
    *,
    objectives: Sequence[str],
    budget: Mapping[str, float],
    pick: Mapping[str, object] | None = None,
    runners_up: Sequence[Mapping[str, object]] = (),
    workload: str = "the network",
) -> Figure:
    """Draw the front of two to four objectives, one panel for each objective on an x axis.

    Parameters
    ----------
    designs
        Every design costed: a column for each objective and budget, and ``feasible``.
    front
        The Pareto-optimal designs, with the same columns.
    objectives
        Names of columns.
    budget
        Limits by column: a floor for throughput, else a ceiling.
    pick, runners_up
        Designs as mappings from column to value.
    workload
        What runs, for the title.
    """
    y, across, colour = split_objectives(objectives)
    with look():
        figure = new_figure(8.0 if len(across) == 1 else 12.0, 5.6)
        panels = figure.subplots(1, len(across), sharey=True, squeeze=False)[0]
        for ax, x in zip(panels, across, strict=True):
            pareto_front(ax, designs, front, x=x, y=y, colour=colour, budget=budget)
        title(figure, _finding(front, pick, workload), _detail(designs, front, budget, colour))
        _legend(figure, panels[0], None if front.empty else colour)
        for ax, x in zip(panels, across, strict=True):
            mark_picks(ax, x, y, pick, runners_up)
    return figure


def _finding(front: pd.DataFrame, pick: Mapping[str, object] | None, workload: str) -> str:
    if front.empty:
        return f"{plain(workload)}: no design meets every budget"
    if pick is None:
        return f"{plain(workload)}: {len(front):,} designs are worth having"
    return f"{plain(workload)}: the pick is {plain(design_text(pick))}"


def _detail(
    designs: pd.DataFrame, front: pd.DataFrame, budget: Mapping[str, float], colour: str | None
) -> str:
    limits = ", ".join(budget_text(name, limit) for name, limit in budget.items())
    text = f"{len(designs):,} designs costed, {len(front):,} on the front. "
    text += f"Budgets: {limits}; hatched: over budget. " if limits else "No budgets. "
    if colour and len(front):
        text += f"Each line is the best to be had at one level of {lower_label(colour)}."
    return text


def pareto_front(
    ax: Axes,
    designs: pd.DataFrame,
    front: pd.DataFrame,
    *,
    x: str,
    y: str,
    colour: str | None = None,
    budget: Mapping[str, float] | None = None,
) -> Axes:
    """Draw designs (faint), the budgets (hatched) and the front, coloured by a third column.

    Designs with an infinite cost are left out: they cannot be placed.
    """
    limits = budget or {}
    if not (finite(designs[x]).size and finite(designs[y]).size):
        nothing_to_draw(ax, "No design could be costed: no mapping of some layer fits any buffer.")
    for which, name in (("x", x), ("y", y)):
        log_axis(ax, which, name, _axis_limits(designs, front, name, limits.get(name)))
    _draw_cloud(ax, designs, x, y)
    _draw_infeasible(ax, x, y, limits)
    levels = levels_of(front, colour)
    for level, (text, rows) in enumerate(levels):
        _draw_level(ax, rows, x, y, (level, len(levels)), text)
    return ax


def _axis_limits(
    designs: pd.DataFrame, front: pd.DataFrame, name: str, limit: float | None
) -> tuple[float, float]:
    shown = finite(designs[name])
    if limit is None or not shown.size:
        return log_limits(shown)
    low, high = shown.min(), shown.max()
    if low / 3 <= limit <= high * 3:  # a budget nearby is worth the room; a far one is not
        low, high = min(low, limit / 1.12), max(high, limit * 1.12)
    best = finite(front[name])
    if best.size and column(name).is_better_up:
        low = max(low, min(limit, best.min()) / 4)
    elif best.size:
        high = min(high, max(limit, best.max()) * 4)
    return log_limits((low, high))


def _draw_cloud(ax: Axes, designs: pd.DataFrame, x: str, y: str) -> None:
    kinds = ((True, "o", 9, 0, "within every budget"), (False, "x", 9, 0.6, "over a budget"))
    for feasible, marker, size, width, text in kinds:
        rows = one_mark_a_cell(designs[designs["feasible"].astype(bool) == feasible], x, y)
        if rows.empty:
            continue
        ax.scatter(
            rows[x],
            rows[y],
            color=CLOUD,
            s=size,
            marker=marker,
            alpha=0.5 if feasible else 0.35,
            linewidth=width,
            rasterized=True,
            zorder=1,
            label=f"costed, {text}",
        )


def one_mark_a_cell(designs: pd.DataFrame, x: str, y: str, num_cells: int = _GRID) -> pd.DataFrame:
    """Return designs that can be told apart: the first of each cell of a logarithmic grid."""
    shown = designs[np.isfinite(designs[x]) & np.isfinite(designs[y])]
    shown = shown[(shown[x] > 0) & (shown[y] > 0)]
    if shown.empty:
        return shown
    feasible = shown["feasible"].to_numpy(np.int64)
    cells = _cells(shown[x], num_cells) * (num_cells + 1) + _cells(shown[y], num_cells)
    _, first = np.unique(2 * cells + feasible, return_index=True)
    return shown.iloc[np.sort(first)]


def _cells(values: pd.Series, num_cells: int) -> np.ndarray:
    logs = np.log10(values.to_numpy(float))
    span = max(float(np.ptp(logs)), 1e-9)
    return np.floor((logs - logs.min()) / span * num_cells).astype(np.int64)


def _draw_infeasible(ax: Axes, x: str, y: str, budget: Mapping[str, float]) -> None:
    for name, is_x in ((x, True), (y, False)):
        low, high = ax.get_xlim() if is_x else ax.get_ylim()
        is_floor = column(name).is_better_up
        limit = budget.get(name, 0.0 if is_floor else np.inf)
        start, end = (low, min(limit, high)) if is_floor else (max(limit, low), high)
        if not start < end:
            continue
        band, line = (ax.axvspan, ax.axvline) if is_x else (ax.axhspan, ax.axhline)
        hatch: dict[str, Any] = {
            "facecolor": FAINT,
            "edgecolor": MUTED,
            "hatch": "////",
            "linewidth": 0,
        }
        band(start, end, alpha=0.35, zorder=0.5, **hatch)
        if low < limit < high:
            line(limit, color=MUTED, linewidth=1.2, linestyle=(0, (5, 2)), zorder=1.5)
        text = f"{'at least' if is_floor else 'at most'} {show(name, limit)}"
        at = start if is_x or not is_floor else end
        _name_limit(ax, text, at, is_x=is_x)


def _name_limit(ax: Axes, text: str, at: float, *, is_x: bool) -> None:
    place: dict[str, Any] = {"ha": "left" if is_x else "right", "va": "top"}
    along = ax.get_xaxis_transform() if is_x else ax.get_yaxis_transform()
    ax.annotate(
        text, (at, 0.985) if is_x else (0.99, at), (5, 0) if is_x else (0, -5), xycoords=along,
        textcoords="offset points", fontsize=8.5, color=INK, bbox=halo(), zorder=8,
        **place,
    )  # fmt: skip


def levels_of(front: pd.DataFrame, colour: str | None) -> list[tuple[str, pd.DataFrame]]:
    """Return the front cut by its third objective: what each part is called, and its rows.

    One part for each value, or where there are many values, for each of seven ranges.
    """
    if front.empty:
        return []
    if colour is None:
        return [("Pareto front", front)]
    values = np.unique(front[colour].to_numpy(float))
    if len(values) <= MOST_LEVELS:
        return [(show(colour, v), front[front[colour] == v]) for v in values]
    edges = np.unique(np.quantile(values, np.linspace(0, 1, MOST_LEVELS + 1)))
    groups = np.clip(np.searchsorted(edges, front[colour], side="left") - 1, 0, len(edges) - 2)
    bins = (
        (f"{show(colour, edges[i])} to {show(colour, edges[i + 1])}", front[groups == i])
        for i in range(len(edges) - 1)
    )
    return [(text, rows) for text, rows in bins if not rows.empty]


def _legend(figure: Figure, ax: Axes, colour: str | None) -> None:
    handles, texts = ax.get_legend_handles_labels()
    if handles:
        heading = f"Colour: {lower_label(colour)}" if colour else ""
        longest = max(len(text) for text in texts)
        columns = int(figure.get_figwidth() * 13 / (longest + 6))
        figure.legend(
            handles,
            texts,
            loc="outside lower center",
            ncols=min(max(columns, 1), len(handles)),
            title=heading,
            fontsize=8.5,
            title_fontsize=8.5,
        )


def _draw_level(
    ax: Axes, rows: pd.DataFrame, x: str, y: str, level: tuple[int, int], text: str
) -> None:
    index, count = level
    ink = RAMP[round(index * (len(RAMP) - 1) / max(count - 1, 1))] if count > 1 else RAMP[-2]
    best = _staircase(rows, x, y)
    ax.plot(best[x], best[y], drawstyle="steps-post", color=ink, linewidth=1.1, alpha=0.8, zorder=3)
    ax.plot(
        rows[x],
        rows[y],
        linestyle="none",
        marker=MARKERS[index % len(MARKERS)],
        markersize=4.8,
        color=ink,
        markeredgecolor=PAPER,
        markeredgewidth=0.5,
        label=text,
        zorder=4,
    )


def _staircase(rows: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    up_x, up_y = column(x).is_better_up, column(y).is_better_up
    ordered = rows.sort_values([x, y], ascending=[not up_x, not up_y])
    reached = ordered[y].cummax() if up_y else ordered[y].cummin()
    return ordered[(ordered[y] == reached) & ~reached.duplicated()]
