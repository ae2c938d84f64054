"""Labels beside points: near their point, inside the axes, never on top of each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from dse.arrays import FloatArray, IntArray
from dse.plots.style import INK, MUTED, fix_layout, halo

_DIRECTIONS = (45, 135, -45, -135, 0, 180, 90, -90, 22, 158, -22, -158, 68, 112, -68, -112)
_RADII_POINTS = (9, 15, 24, 36, 52, 72, 96, 130)
_ALONG = (0.35, 0.5, 0.65, 0.8, 0.95)
_SHARE_LEFT = {"left": 0.0, "right": 1.0, "center": 0.5}
"""Share of a text that is left of its anchor, by alignment."""


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
    fix_layout(figure)  # type: ignore[arg-type]
    scale = figure.dpi / 72
    marks = np.array([_mark(ax, label, scale) for label in (*labels, *obstacles)])
    taken = [np.array(box.extents) for box in _texts(ax)]
    return [_place_one(ax, label, taken, marks, scale, fontsize) for label in labels]


def _mark(ax: Axes, label: Label, scale: float) -> tuple[float, float, float, float]:
    x, y = ax.transData.transform((label.x, label.y))
    radius = label.radius_points * scale
    return x - radius, y - radius, x + radius, y + radius


def _texts(ax: Axes) -> list[Bbox]:
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    legend = ax.get_legend()
    return boxes + ([legend.get_window_extent()] if legend else [])


def _place_one(
    ax: Axes,
    label: Label,
    taken: list[FloatArray],
    marks: FloatArray,
    scale: float,
    fontsize: float,
) -> Annotation:
    trial = _note(ax, label, (0.0, 0.0), fontsize)
    size = np.array(_text_box(trial).size)
    trial.remove()
    frame = np.array(ax.get_window_extent().extents)
    centre = ax.transData.transform((label.x, label.y))
    others = np.array(taken).reshape(-1, 4)
    best, offset = math.inf, (0.0, 0.0)
    for radius in _RADII_POINTS:
        for angle in _DIRECTIONS:
            reach = radius + label.radius_points
            dx, dy = (reach * f(math.radians(angle)) for f in (math.cos, math.sin))
            step = scale * np.array([dx, dy])
            leader = [(*(centre + t * step), *(centre + t * step + 1)) for t in _ALONG]
            low = centre + step - size * np.array([_SHARE_LEFT[_side(dx)], 0.5])
            cost = _cost(np.array([(*low, *(low + size)), *leader]), frame, others, marks)
            cost += radius / 1e3
            if cost < best - 1e-9:
                best, offset = cost, (dx, dy)
        if best < 1:
            break
    note = _note(ax, label, offset, fontsize)
    taken.append(np.array(_text_box(note).padded(2 * scale).extents))
    return note


def _side(dx: float) -> Literal["left", "center", "right"]:
    return "left" if dx > 1 else "right" if dx < -1 else "center"


def _note(ax: Axes, label: Label, offset: tuple[float, float], fontsize: float) -> Annotation:
    across = _SHARE_LEFT[_side(offset[0])]
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


def _cost(boxes: FloatArray, frame: FloatArray, taken: FloatArray, marks: FloatArray) -> float:
    """Return what a text, the first box, and the boxes along its leader cover."""
    text = boxes[0]
    outside = not ((frame[:2] <= text[:2]).all() and (text[2:] <= frame[2:]).all())
    on_texts, on_marks = _overlaps(boxes, taken), _overlaps(boxes, marks)
    crossed = on_texts[1:].sum() + on_marks[1:].sum()
    return float(100.0 * outside + 10.0 * on_texts[0] + 2.0 * on_marks[0] + 0.6 * crossed)


def _overlaps(boxes: FloatArray, others: FloatArray) -> IntArray:
    """Count the others that each box overlaps; rows are left, bottom, right, top."""
    first, second = boxes[:, None], others[None]
    is_apart = (first[..., 2:] <= second[..., :2]) | (second[..., 2:] <= first[..., :2])
    return np.asarray((~is_apart.any(axis=-1)).sum(axis=1))
