"""Labels beside points: near their point, inside the axes, never on top of each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from dse.arrays import FloatArray, IntArray
from dse.plots.style import INK, MUTED, fix_layout, halo

_DEGREES = (45, 135, -45, -135, 0, 180, 90, -90, 22, 158, -22, -158, 68, 112, -68, -112)
_DIRECTIONS = np.array([(math.cos(a), math.sin(a)) for a in map(math.radians, _DEGREES)])
_RADII_POINTS = (9, 15, 24, 36, 52, 72, 96, 130)
_ALONG = np.array([0.35, 0.5, 0.65, 0.8, 0.95])


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
    marks = _marks(ax, [*labels, *obstacles], scale)
    taken = [np.array(box.extents) for box in _texts(ax)]
    return [_place_one(ax, label, taken, marks, scale, fontsize) for label in labels]


def _marks(ax: Axes, labels: Sequence[Label], scale: float) -> FloatArray:
    """Return the boxes of the points' markers in pixels: left, bottom, right, top."""
    points = np.array([(label.x, label.y) for label in labels]).reshape(-1, 2)
    radii = scale * np.array([label.radius_points for label in labels])[:, None]
    centres = ax.transData.transform(points)
    return np.hstack([centres - radii, centres + radii])


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
    size = _text_size(ax, label, fontsize)
    frame = np.array(ax.get_window_extent().extents)
    centre = ax.transData.transform((label.x, label.y))
    others = np.array(taken).reshape(-1, 4)
    best, offset, low, leader = math.inf, np.zeros(2), centre, np.zeros((0, 4))
    for radius in _RADII_POINTS:
        offsets = (radius + label.radius_points) * _DIRECTIONS
        anchors = centre + scale * offsets
        lows = anchors - size * np.array([(_share_left(dx), 0.5) for dx in offsets[:, 0]])
        texts = np.hstack([lows, lows + size])[:, None]
        along = centre + scale * _ALONG[:, None] * offsets[:, None]
        leaders = np.concatenate([along, along + 1], axis=-1)
        costs = _costs(np.concatenate([texts, leaders], axis=1), frame, others, marks)
        first = int(np.argmin(costs.round(9)))
        if costs[first] + radius / 1e3 < best - 1e-9:
            best, offset, low = costs[first] + radius / 1e3, offsets[first], lows[first]
            leader = leaders[first]
        if best < 1:
            break
    room = 2 * scale
    taken.append(np.hstack([low - room, low + size + room]))
    taken.extend(leader)
    return _note(ax, label, (float(offset[0]), float(offset[1])), fontsize)


def _text_size(ax: Axes, label: Label, fontsize: float) -> FloatArray:
    text = Text(text=label.text, figure=ax.figure, **_font(label, fontsize))
    return np.array(text.get_window_extent().size)


def _font(label: Label, fontsize: float) -> dict[str, Any]:
    return {"fontsize": fontsize, "fontweight": "bold" if label.is_bold else "normal"}


def _share_left(dx: float) -> float:
    """Return the share of a text that is left of its anchor, by where it is from the point."""
    return 0.0 if dx > 1 else 1.0 if dx < -1 else 0.5


def _note(ax: Axes, label: Label, offset: tuple[float, float], fontsize: float) -> Annotation:
    across = _share_left(offset[0])
    up = 0.5 if across != 0.5 else 0.0 if offset[1] > 0 else 1.0
    note = ax.annotate(
        label.text,
        (label.x, label.y),
        offset,
        textcoords="offset points",
        color=INK,
        horizontalalignment={0.0: "left", 1.0: "right"}.get(across, "center"),
        verticalalignment="center",
        zorder=9,
        bbox=halo(),
        arrowprops={
            "arrowstyle": "-",
            "color": MUTED,
            "linewidth": 0.7,
            "shrinkA": 1,
            "shrinkB": label.radius_points,
            "relpos": (across, up),
        },
        **_font(label, fontsize),
    )
    note.set_in_layout(False)
    return note


def _costs(
    boxes: FloatArray, frame: FloatArray, taken: FloatArray, marks: FloatArray
) -> FloatArray:
    """Return what texts, the first box of each row, and the boxes along their leaders cover."""
    texts = boxes[:, 0]
    is_inside = (frame[:2] <= texts[:, :2]) & (texts[:, 2:] <= frame[2:])
    on_texts, on_marks = _overlaps(boxes, taken), _overlaps(boxes, marks)
    crossed = 3.0 * on_texts[:, 1:].sum(axis=1) + 0.6 * on_marks[:, 1:].sum(axis=1)
    covered = 10.0 * on_texts[:, 0] + 2.0 * on_marks[:, 0] + crossed
    return np.asarray(100.0 * ~is_inside.all(axis=1) + covered)


def _overlaps(boxes: FloatArray, others: FloatArray) -> IntArray:
    """Count the others that each box overlaps; their last axis is left, bottom, right, top."""
    left, bottom, right, top = np.moveaxis(boxes[..., None], -2, 0)
    is_beside = (right <= others[:, 0]) | (others[:, 2] <= left)
    is_apart = is_beside | (top <= others[:, 1]) | (others[:, 3] <= bottom)
    return np.asarray((~is_apart).sum(axis=-1))
