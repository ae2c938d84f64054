"""The pick and its runners-up on the axes of a Pareto front."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from dse.plots.labels import Label, place
from dse.plots.style import INK, MARKERS, VERMILLION, finite, plain
from dse.plots.units import design_text, show


def mark_picks(
    ax: Axes,
    x: str,
    y: str,
    pick: Mapping[str, object] | None,
    runners_up: Sequence[Mapping[str, object]] = (),
) -> None:
    """Mark and label the pick with its values, and its runners-up with theirs."""
    labels = []
    for rank, design in enumerate(([pick] if pick is not None else []) + list(runners_up)):
        at = _point(design, x, y)
        if at is None:
            continue
        name = "Pick" if pick is not None and rank == 0 else f"Runner-up {rank or 1}"
        is_pick = name == "Pick"
        ax.plot(
            *at,
            linestyle="none",
            marker="*" if is_pick else "o",
            zorder=7 if is_pick else 6,
            markersize=19 if is_pick else 12,
            markeredgewidth=1.3 if is_pick else 1.8,
            markerfacecolor=VERMILLION if is_pick else "none",
            markeredgecolor=INK,
        )
        values = f"{show(x, design[x])}, {show(y, design[y])}"
        text = f"Pick: {plain(_short(design))}\n{values}" if is_pick else f"{name}: {values}"
        labels.append(Label(x=at[0], y=at[1], text=text, radius_points=8, is_bold=is_pick))
    place(ax, labels, obstacles=[*_front_marks(ax), *_limit_marks(ax)])


def _short(design: Mapping[str, object]) -> str:
    return ", ".join(design_text(design).split(", ")[:2])


def _point(design: Mapping[str, object], x: str, y: str) -> tuple[float, float] | None:
    at = float(design[x]), float(design[y])  # type: ignore[arg-type]
    return at if finite(at).size == 2 else None


def _front_marks(ax: Axes) -> list[Label]:
    marks = []
    for line in ax.lines:
        if line.get_marker() in MARKERS and line.get_linestyle() == "None":
            points = np.column_stack(line.get_data())
            marks += [Label(x=px, y=py, text="", radius_points=2.5) for px, py in points[:400]]
    return marks


def _limit_marks(ax: Axes) -> list[Label]:
    """Return marks along the lines of the budgets, so that no label lies on one."""
    marks = []
    for line in ax.lines:
        if line.get_linestyle() == "--" and np.size(line.get_xdata()) == 2:
            shown = line.get_transform().transform(np.column_stack(line.get_data()))
            along = np.linspace(shown[0], shown[1], 60)
            points = ax.transData.inverted().transform(along)
            marks += [Label(x=px, y=py, text="", radius_points=1) for px, py in points]
    return marks
