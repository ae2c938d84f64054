"""Labels beside points: near their point, inside the axes, never on top of each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from dse.plots.style import INK, MUTED, halo

_DIRECTIONS = (45, 135, -45, -135, 0, 180, 90, -90, 22, 158, -22, -158, 68, 112, -68, -112)
_RADII_POINTS = (9, 15, 24, 36, 52, 72, 96, 130)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text for the point at x, y (in the data's units) whose marker has this radius."""

    x: float
    y: float
    text: str
    radius_points: float = 4.0
    is_bold: bool = False


def place(
    ax: Axes, labels: Sequence[Label], *, obstacles: Sequence[Label] = (), fontsize: float = 8.5
) -> list[Annotation]:
    """Write each label where it covers least of the others and of the obstacles.

    Labels are placed in their order, so the first ones get the best places. Call it last: it
    fixes the layout of the figure.
    """
    figure = ax.figure
    figure.canvas.draw()
    figure.set_layout_engine("none")  # type: ignore[union-attr]
    scale = figure.dpi / 72
    marks = [_mark(ax, label, scale) for label in (*labels, *obstacles)]
    taken: list[Bbox] = _texts(ax)
    return [_place_one(ax, label, taken, marks, scale, fontsize) for label in labels]


def _mark(ax: Axes, label: Label, scale: float) -> Bbox:
    x, y = ax.transData.transform((label.x, label.y))
    radius = label.radius_points * scale
    return Bbox([[x - radius, y - radius], [x + radius, y + radius]])


def _texts(ax: Axes) -> list[Bbox]:
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    legend = ax.get_legend()
    return boxes + ([legend.get_window_extent()] if legend else [])


def _place_one(
    ax: Axes, label: Label, taken: list[Bbox], marks: Sequence[Bbox], scale: float, fontsize: float
) -> Annotation:
    trial = _note(ax, label, (0.0, 0.0), fontsize)
    frame, centre = ax.get_window_extent(), ax.transData.transform((label.x, label.y))
    best, offset = math.inf, (0.0, 0.0)
    for radius in _RADII_POINTS:
        for angle in _DIRECTIONS:
            reach = radius + label.radius_points
            dx, dy = (reach * f(math.radians(angle)) for f in (math.cos, math.sin))
            trial.set_position((dx, dy))
            trial.set_horizontalalignment(_side(dx))
            leader = [
                Bbox.from_bounds(centre[0] + t * dx * scale, centre[1] + t * dy * scale, 1, 1)
                for t in (0.35, 0.5, 0.65, 0.8, 0.95)
            ]
            cost = _cost(_text_box(trial), frame, taken, marks, leader) + radius / 1e3
            if cost < best - 1e-9:
                best, offset = cost, (dx, dy)
        if best < 1:
            break
    trial.remove()
    note = _note(ax, label, offset, fontsize)
    taken.append(_text_box(note).padded(2 * scale))
    return note


def _side(dx: float) -> Literal["left", "center", "right"]:
    return "left" if dx > 1 else "right" if dx < -1 else "center"


def _note(ax: Axes, label: Label, offset: tuple[float, float], fontsize: float) -> Annotation:
    across = {"left": 0.0, "right": 1.0, "center": 0.5}[_side(offset[0])]
    up = 0.5 if across != 0.5 else 0.0 if offset[1] > 0 else 1.0
    note = ax.annotate(
        label.text,
        (label.x, label.y),
        offset,
        textcoords="offset points",
        fontsize=fontsize,
        color=INK,
        fontweight="bold" if label.is_bold else "normal",
        horizontalalignment=_side(offset[0]),
        verticalalignment="center",
        zorder=9,
        path_effects=halo(),
        arrowprops={
            "arrowstyle": "-",
            "color": MUTED,
            "linewidth": 0.7,
            "shrinkA": 1,
            "shrinkB": label.radius_points,
            "relpos": (across, up),
        },
    )
    note.set_in_layout(False)
    return note


def _text_box(note: Annotation) -> Bbox:
    note.update_positions(_renderer(note))
    return Text.get_window_extent(note)


def _renderer(note: Annotation) -> RendererAgg:
    canvas = note.figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)  # style.new_figure gives every figure one
    return canvas.get_renderer()  # type: ignore[no-untyped-call]


def _cost(
    box: Bbox,
    frame: Bbox,
    taken: Sequence[Bbox],
    marks: Sequence[Bbox],
    leader: Sequence[Bbox],
) -> float:
    outside = not (
        frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
    )
    crossed = sum(point.count_overlaps([*marks, *taken]) for point in leader)
    covered = 10.0 * box.count_overlaps(taken) + 2.0 * box.count_overlaps(marks)
    return 100.0 * outside + covered + 0.6 * crossed
