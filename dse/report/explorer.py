"""The interactive Pareto plot: every mark tells its design."""

import html
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from plotly.offline import get_plotlyjs

from dse.columns import column
from dse.plots.front import levels_of, one_mark_a_cell, split_objectives
from dse.plots.style import RAMP, log_limits
from dse.plots.units import design_text, prefix, show
from dse.report.data import ReportData
from dse.report.markup import escape

_GRID = 60  # cells of a side: at most some thousand faint marks, so that the page stays quick
_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x")


def explorer(data: ReportData) -> str:
    """Return the plot with its data and the library that draws it; nothing without a front."""
    if data.designs is None or data.front is None or data.front.empty:
        return ""
    y, across, colour = split_objectives(data.objectives)
    content = {"data": _traces(data, across[0], y, colour), "layout": _layout(data, across[0], y)}
    text = json.dumps(content, sort_keys=True).replace("</", "<\\/")
    return (
        '<div class="interactive"><h3>Explore the designs</h3>'
        '<p class="muted">Point at a mark for its design; drag to zoom, double-click to return; '
        "a click in the legend hides a group.</p>"
        f'<div id="explorer-plot" role="img" aria-label="{escape(_description(data))}"></div>'
        f'<script type="application/json" id="explorer-data">{text}</script>'
        f"<script>{get_plotlyjs()}</script></div>"
    )


def _description(data: ReportData) -> str:
    names = " against ".join(column(name).label for name in data.objectives)
    return f"Interactive plot of the designs: {names}. The table of the front has its numbers."


def _traces(data: ReportData, x: str, y: str, colour: str | None) -> list[dict[str, Any]]:
    designs = data.designs if data.designs is not None else pd.DataFrame()
    front = data.front if data.front is not None else pd.DataFrame()
    faint = one_mark_a_cell(designs, x, y, num_cells=_GRID)
    traces = []
    for feasible, symbol, text in ((False, "x-thin-open", "over a budget"),
                                   (True, "circle", "within every budget")):  # fmt: skip
        rows = faint[faint["feasible"].astype(bool) == feasible]
        marker = {"symbol": symbol, "size": 4, "color": "#8b94a0", "opacity": 0.55}
        traces.append(_trace(data, rows, (x, y), text, marker))
    levels = levels_of(front, colour)
    for index, (text, rows) in enumerate(levels):
        ink = RAMP[round(index * (len(RAMP) - 1) / max(len(levels) - 1, 1))]
        marker = {"symbol": _SYMBOLS[index % len(_SYMBOLS)], "size": 8, "color": ink}
        trace = _trace(data, rows, (x, y), f"front: {text}" if colour else text, marker)
        traces.append({**trace, "meta": {"ink": f"--ink-{ink.lstrip('#')}"}})
    if data.pick is not None:
        marker = {"symbol": "star", "size": 18, "color": "#d55e00", "line": {"width": 1.5}}
        row = pd.DataFrame([data.pick["design"]])
        traces.append(_trace(data, row, (x, y), "the pick", marker))
    return traces


def _trace(
    data: ReportData,
    rows: pd.DataFrame,
    axes: tuple[str, str],
    name: str,
    marker: Mapping[str, Any],
) -> dict[str, Any]:
    x, y = axes
    return {
        "type": "scatter",
        "mode": "markers",
        "name": html.escape(name),
        "marker": dict(marker),
        "x": _shortened(rows[x]),
        "y": _shortened(rows[y]),
        "text": [_hover(data, row) for row in rows.to_dict(orient="records")],
        "hoverinfo": "text",
    }


def _shortened(values: "pd.Series[Any]") -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def _hover(data: ReportData, row: Mapping[Any, Any]) -> str:
    names = dict.fromkeys((*data.objectives, *data.budget))
    costs = "<br>".join(f"{column(name).label}: {show(name, row[name])}" for name in names)
    design = {str(key): value for key, value in row.items() if key != "feasible"}
    return f"<b>{html.escape(design_text(design))}</b><br>{costs}"


def _layout(data: ReportData, x: str, y: str) -> dict[str, Any]:
    shapes = []
    for name, axis, other in ((x, "x", "y"), (y, "y", "x")):
        if name in data.budget:
            limit = data.budget[name]
            shapes.append({
                "type": "line", f"{axis}0": limit, f"{axis}1": limit, f"{other}ref": "paper",
                f"{other}0": 0, f"{other}1": 1, "line": {"dash": "dash", "width": 1.2},
            })  # fmt: skip
    return {
        "xaxis": _axis(data, x),
        "yaxis": _axis(data, y),
        "shapes": shapes,
        "margin": {"l": 70, "r": 10, "t": 10, "b": 60},
        "legend": {"orientation": "h", "y": -0.18},
        "hovermode": "closest",
    }


def _axis(data: ReportData, name: str) -> dict[str, Any]:
    shown = data.front[name] if data.front is not None else pd.Series(dtype=float)
    limits = log_limits([*shown, *([data.budget[name]] if name in data.budget else [])], 0.15)
    factor, unit = prefix(name, float(np.sqrt(limits[0] * limits[1])))
    ticks = [v * 10.0**e for e in range(-15, 16) for v in (1, 2, 5)]
    ticks = [tick for tick in ticks if limits[0] / 30 <= tick / factor <= limits[1] * 30]
    return {
        "type": "log",
        "title": {"text": f"{column(name).label} ({unit})"},
        "range": [float(np.log10(limit)) for limit in limits],
        "tickvals": [tick / factor for tick in ticks],
        "ticktext": [f"{tick:g}" for tick in ticks],
        "showline": True,
        "zeroline": False,
    }
