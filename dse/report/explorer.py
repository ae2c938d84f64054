"""The interactive Pareto plot: every mark tells its design."""

import html
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from markupsafe import Markup

from dse.columns import column
from dse.plots.front import levels_of, one_mark_a_cell, split_objectives
from dse.plots.style import RAMP, log_limits
from dse.plots.units import design_text, prefix, show
from dse.report.finished import FinishedRun
from dse.report.parts import Explorer

_GRID = 40  # cells of a side: at most some thousand faint marks, so that the page stays quick
_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x")
_FAINT = "#8b94a0"


def explorer(run: FinishedRun) -> Explorer | None:
    """Return the plot with its data; nothing without a front."""
    if run.designs is None or run.front is None or run.front.empty:
        return None
    y, (x, *_), colour = split_objectives(run.objectives)
    figure = go.Figure(
        data=[*_faint(run, run.designs, x, y), *_front(run, run.front, (x, y), colour),
              *_chosen(run, x, y)],
        layout=_layout(run, run.front, x, y),
    )  # fmt: skip
    values = json.loads(str(figure.to_json()))
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    names = " against ".join(column(name).label for name in run.objectives)
    return Explorer(
        Markup(text),
        f"Interactive plot of the designs: {names}. The table of the front has its numbers.",
    )


def _faint(run: FinishedRun, designs: pd.DataFrame, x: str, y: str) -> list[go.Scatter]:
    """Return all designs, those within every budget and those that are not."""
    shown = one_mark_a_cell(designs, x, y, num_cells=_GRID)
    is_feasible = shown["feasible"].astype(bool)
    kinds = (("over a budget", ~is_feasible, "x-thin-open"),
             ("within every budget", is_feasible, "circle"))  # fmt: skip
    return [
        _marks(run, shown[rows], (x, y), name,
               {"symbol": symbol, "size": 5, "color": _FAINT, "opacity": 0.7})
        for name, rows, symbol in kinds
    ]  # fmt: skip


def _front(
    run: FinishedRun, front: pd.DataFrame, axes: tuple[str, str], colour: str | None
) -> list[go.Scatter]:
    """Return the front, a group of marks for each level of the objective that is a colour."""
    levels = levels_of(front, colour)
    groups = []
    for index, (text, rows) in enumerate(levels):
        ink = RAMP[round(index * (len(RAMP) - 1) / max(len(levels) - 1, 1))]
        marker = {"symbol": _SYMBOLS[index % len(_SYMBOLS)], "size": 9, "color": ink}
        group = _marks(run, rows, axes, f"front: {text}" if colour else text, marker)
        groups.append(group.update(meta={"ink": f"--ink-{ink.lstrip('#')}"}))
    return groups


def _chosen(run: FinishedRun, x: str, y: str) -> list[go.Scatter]:
    """Return the pick and its runners-up, labelled."""
    if run.pick is None:
        return []
    star = {"symbol": "star", "size": 19, "color": "#d55e00", "line": {"width": 1.5}}
    ring = {"symbol": "circle-open", "size": 15, "color": "#5d6673", "line": {"width": 2.5}}
    shown = [("Pick", run.pick["design"], star)]
    shown += [(f"Runner-up {i}", row, ring) for i, row in enumerate(run.runners_up, 1)]
    places = label_places([(float(design[x]), float(design[y])) for _, design, _ in shown])
    marks = []
    for (name, design, marker), place in zip(shown, places, strict=True):
        mark = _marks(run, pd.DataFrame([design]), (x, y), name, marker)
        mark.update(
            mode="markers+text",
            text=[name],
            textposition=place,
            cliponaxis=False,
            textfont={"size": 14, "weight": 700 if name == "Pick" else 400},
        )
        marks.append(mark if name == "Pick" else mark.update(meta={"ink": "--text"}))
    return marks[::-1]  # the pick on top


def label_places(points: Sequence[tuple[float, float]]) -> list[str]:
    """Return the side of each mark on which its label stands, so that none is read as another's.

    Parameters
    ----------
    points
        The pick's x and y, then those of its runners-up, all above 0. A
        runner-up's label points away from the pick, the pick's away from the nearest of them.
    """
    (x0, y0), *others = points
    places: list[str] = []
    for x, y in others:
        side = "left" if x < x0 else "right"
        height = "top" if y > y0 else "bottom"
        places.append(f"middle {side}" if f"{height} {side}" in places else f"{height} {side}")
    nearest = min(others, key=lambda point: _distance(point, (x0, y0)), default=(x0, y0))
    return ["bottom center" if nearest[1] > y0 else "top center", *places]


def _distance(point: tuple[float, float], other: tuple[float, float]) -> float:
    return math.hypot(*(math.log(a / b) for a, b in zip(point, other, strict=True)))


def _marks(
    run: FinishedRun,
    rows: pd.DataFrame,
    axes: tuple[str, str],
    name: str,
    marker: Mapping[str, Any],
) -> go.Scatter:
    x, y = axes
    return go.Scatter(
        mode="markers",
        name=html.escape(name),
        marker=dict(marker),
        x=_shortened(rows[x]),
        y=_shortened(rows[y]),
        hovertext=[_hover(run, row) for row in rows.to_dict(orient="records")],
        hoverinfo="text",
    )


def _shortened(values: "pd.Series[Any]") -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def _hover(run: FinishedRun, row: Mapping[Any, Any]) -> str:
    names = dict.fromkeys((*run.objectives, *run.budget))
    costs = "<br>".join(show(name, row[name]) for name in names)
    design = {str(key): value for key, value in row.items()}
    return f"<b>{html.escape(design_text(design))}</b><br>{costs}"


def _layout(run: FinishedRun, front: pd.DataFrame, x: str, y: str) -> dict[str, Any]:
    shapes = []
    for name, axis, other in ((x, "x", "y"), (y, "y", "x")):
        if name in run.budget:
            limit = run.budget[name]
            shapes.append({
                "type": "line", f"{axis}0": limit, f"{axis}1": limit, f"{other}ref": "paper",
                f"{other}0": 0, f"{other}1": 1, "line": {"dash": "dash", "width": 1.2},
            })  # fmt: skip
    return {
        "template": go.layout.Template(),
        "xaxis": _axis(run, front, x),
        "yaxis": _axis(run, front, y),
        "shapes": shapes,
        "margin": {"l": 60, "r": 10, "t": 10, "b": 60},
        "legend": {"orientation": "h", "y": -0.18},
        "hovermode": "closest",
    }


def _axis(run: FinishedRun, front: pd.DataFrame, name: str) -> dict[str, Any]:
    limits = log_limits([*front[name], *([run.budget[name]] if name in run.budget else [])], 0.15)
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
