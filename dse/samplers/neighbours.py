"""Designs worth a look: near a front, mixed from its designs, or anywhere; and a choice of them."""

from collections.abc import Set

import numpy as np
from numpy.random import Generator

from dse.arrays import FloatArray, IntArray
from dse.samplers.surrogate import INACTIVE, Knobs

_CHUNK_POINTS = 32
_FRONT_POINTS = 512
_KEPT_CANDIDATES = 1500


def latin_hypercube(knobs: Knobs, count: int, rng: Generator) -> IntArray:
    """Draw designs that use the values of each knob evenly, the two far corners first.

    Returns
    -------
    shape (count, knobs)
    """
    strata = np.stack([rng.permutation(count) for _ in knobs.sizes], axis=1)
    drawn = (strata + rng.random(strata.shape)) / count
    places = (drawn * knobs.sizes).astype(np.int64)
    corners = np.stack([np.zeros_like(knobs.sizes), knobs.sizes - 1])[:count]
    places[: len(corners)] = np.where(knobs.is_ordered, corners, places[: len(corners)])
    return places


def all_designs(knobs: Knobs) -> IntArray:
    """Return every design that has all knobs, of shape (designs, knobs)."""
    shape = tuple(knobs.sizes.tolist())
    grid: IntArray = np.indices(shape, dtype=np.int64).reshape(len(shape), -1).T
    return np.ascontiguousarray(grid)


def new_rows(designs: IntArray, known: Set[bytes]) -> IntArray:
    """Return which rows are neither known nor repeat an earlier one, in order."""
    rows = {row.tobytes(): place for place, row in reversed(list(enumerate(designs)))}
    kept = sorted(place for row, place in rows.items() if row not in known)
    return np.array(kept, dtype=np.int64)


def random_designs(knobs: Knobs, templates: IntArray, count: int, rng: Generator) -> IntArray:
    """Draw designs that have the knobs of a random template.

    Where designs differ in the knobs that they have, names are left as in the template: a name may
    be what the other knobs hang on.

    Parameters
    ----------
    templates : shape (templates, knobs)

    Returns
    -------
    shape (count, knobs)
    """
    rows = templates[rng.integers(len(templates), size=count)]
    drawn = rng.integers(knobs.sizes, size=rows.shape)
    is_free = knobs.is_ordered | ~(templates == INACTIVE).any()
    return np.where((rows != INACTIVE) & is_free, drawn, rows)


def mutated(knobs: Knobs, parents: IntArray, rng: Generator) -> IntArray:
    """Draw a neighbour of each: one or two knobs some ranks up or down, or another name.

    Half of the steps are mostly of one rank, half of any length up to half of the knob's range,
    the shorter ones the likelier.

    Parameters
    ----------
    parents : shape (parents, knobs)

    Returns
    -------
    shape (parents, knobs)
    """
    rows, count = parents.copy(), len(parents)
    has_branches = (parents == INACTIVE).any()
    may_move = (rows != INACTIVE) & (knobs.is_ordered | ~has_branches) & (knobs.sizes > 1)
    for is_moved in (np.ones(count, bool), rng.random(count) < 0.5):
        lot = np.where(may_move, rng.random(rows.shape), -1.0)
        knob = lot.argmax(axis=1)
        is_moved = is_moved & (lot.max(axis=1) >= 0)
        size, here = knobs.sizes[knob], rows[np.arange(count), knob]
        far = np.maximum(size / 2, 1.0) ** rng.random(count)
        length = np.where(rng.random(count) < 0.5, far, rng.geometric(0.5, size=count)).astype(int)
        ranked = np.clip(here + rng.choice((-1, 1), size=count) * length, 0, size - 1)
        named = (here + rng.integers(1, np.maximum(size, 2))) % size
        there = np.where(knobs.is_ordered[knob], ranked, named)
        rows[np.arange(count), knob] = np.where(is_moved, there, here)
    return rows


def crossed_over(parents: IntArray, count: int, rng: Generator) -> IntArray:
    """Draw designs that have each knob from one of two parents that have the same knobs.

    Parameters
    ----------
    parents : shape (parents, knobs)

    Returns
    -------
    shape (at most count, knobs)
    """
    first, second = parents[rng.integers(len(parents), size=(2, count))]
    alike = ((first == INACTIVE) == (second == INACTIVE)).all(axis=1)
    return np.where(rng.random(first.shape) < 0.5, first, second)[alike]


def improvement(points: FloatArray, front: FloatArray) -> FloatArray:
    """Return by how much points lie before a front.

    The least, over the points of the front, of the largest gain in an objective. Positive where no
    point of the front is as good; the additive epsilon indicator of Zitzler et al. 2003 turned
    round.

    Parameters
    ----------
    points : shape (points, objectives)
    front : shape (designs of the front, objectives)

    Returns
    -------
    shape (points,)
    """
    least = np.full(len(points), np.inf)
    for start in range(0, len(front), _CHUNK_POINTS):
        part = front[start : start + _CHUNK_POINTS]
        gain = part[None, :, 0] - points[:, None, 0]
        for objective in range(1, points.shape[1]):
            np.maximum(gain, part[None, :, objective] - points[:, None, objective], out=gain)
        np.minimum(least, gain.min(axis=1), out=least)
    return least


def most_improving(
    points: FloatArray, front: FloatArray, count: int, penalty: FloatArray
) -> IntArray:
    """Choose points that improve a front most, each beside those chosen before it.

    Parameters
    ----------
    points : shape (points, objectives)
        Foretold; scaled as the front.
    front : shape (designs of the front, objectives)
    penalty : shape (points,)
        Taken off the improvement of each.

    Returns
    -------
    shape (at most count,)
        Best first.
    """
    rough = improvement(points, front[:: -(-len(front) // _FRONT_POINTS)]) - penalty
    kept = np.argsort(-rough, kind="stable")[: max(_KEPT_CANDIDATES, count)]
    points, penalty = points[kept], penalty[kept]
    gain, columns = improvement(points, front) - penalty, np.ascontiguousarray(points.T)
    chosen = []
    for _ in range(min(count, len(kept))):
        best = int(gain.argmax())
        chosen.append(kept[best])
        np.minimum(gain, (points[best][:, None] - columns).max(axis=0) - penalty, out=gain)
        gain[best] = -np.inf
    return np.array(chosen, dtype=np.int64)
