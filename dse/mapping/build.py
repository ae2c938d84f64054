"""Every mapping of a layer worth having: sizes of each group of loops, then the search."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse.arrays import IntArray
from dse.hardware import Accelerator
from dse.mapping.cycles import CycleCounter
from dse.mapping.orders import IRRELEVANT, TrafficModel, Variant, variants
from dse.mapping.sizes import GROUPS, Sizes, sizes_worth_trying
from dse.mapping.skyline import FOUND, Problem, grow_tree, room_for, search
from dse.workload import LOOPS, OPERANDS, Layer

LEVELS = np.concatenate(
    [[1, 1.02, 1.04, 1.07, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5, 1.7], 2 * 1.3 ** np.arange(16), [200]]
)
"""Multiples of the least cycles, by which known mappings are listed."""

ROOM = 2**20, 2**14
"""Boxes and mappings that a search has room for at first; what is not used takes no memory."""

FACTOR_NAMES = (
    ("t_b", "t_g", "t_c", "distinct_y", "distinct_x"),
    ("t_g", "t_k", "t_c", "t_fy", "t_fx"),
    ("t_b", "t_g", "t_k", "t_oy", "t_ox"),
    ("fetched_y", "fetched_x"),
    ("kept_y", "fetched_x"),
    ("fetched_y", "kept_x"),
    ("n_k",),
    ("n_b", "n_oy", "n_ox"),
    ("n_c", "n_fy", "n_fx"),
)
"""The columns of sizes that make up each factor of the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Mappings and their criteria, all arrays of shape (points,) or (points, buffers).

    Attributes
    ----------
    tile
        Tile size by loop. [elements]
    criteria
        Bits in each buffer, first and last bits, DRAM bits, cycles: (points, buffers + 3).
    variant, assignment
        Index of the loop order and of the assignment of the array's axes.
    """

    tile: Mapping[str, IntArray]
    criteria: IntArray
    variant: IntArray
    assignment: IntArray


def worth_having(layer: Layer, chip: Accelerator) -> tuple[Points, CycleCounter]:
    """Return the undominated mappings of a layer on a chip, whatever its buffer bytes.

    Parameters
    ----------
    layer, chip
        What is computed, on what. Bytes, rates and the clock are not used.

    Returns
    -------
    Points of shape (mappings,), sorted by criteria, and the counter that knows the assignments.
    """
    counter = CycleCounter(layer, chip)
    trees = []
    roots = [0]
    for group in GROUPS:
        sizes = sizes_worth_trying(layer, chip, counter, group)
        trees.append(_tree(counter, group, sizes, roots[-1]))
        roots.append(roots[-1] + len(trees[-1]))
    problem = _problem(layer, chip, counter, np.array(roots[:-1]))
    found = _found(np.concatenate(trees), problem)
    buffers = len(chip.buffers)
    found = found[np.lexsort(found[:, buffers + 2 :: -1].T)]
    tiles = found[:, buffers + 3 : -2].T
    points = Points(
        tile=dict(zip(LOOPS, np.ascontiguousarray(tiles), strict=True)),
        criteria=np.ascontiguousarray(found[:, : buffers + 3]),
        variant=found[:, -2].copy(),
        assignment=found[:, -1].copy(),
    )
    return points, counter


def _found(tree: IntArray, problem: Problem) -> IntArray:
    """Return the undominated mappings as rows; see `search`."""
    num_boxes, num_mappings = ROOM
    while True:
        room = room_for(problem, num_boxes, num_mappings)
        if search(tree, problem, room):
            return room.found[: room.state[FOUND]]
        num_boxes, num_mappings = 4 * num_boxes, 4 * num_mappings


def _tree(counter: CycleCounter, group: tuple[str, ...], sizes: Sizes, first: int) -> IntArray:
    """Return the tree of a group's sizes, with what each multiplies; see `grow_tree`."""
    ones = np.ones_like(sizes[f"t_{group[0]}"])
    tiles = [sizes[f"t_{loop}"] for loop in group] + [ones] * (2 - len(group))
    order = np.lexsort(tiles)
    columns = []
    for names in FACTOR_NAMES:
        factor = ones
        for name in names:
            if name in sizes:
                factor = factor * sizes[name]
        columns.append(factor)
    columns += counter.costs_of(group, sizes)
    costs = np.stack(columns, axis=1)[order]
    return grow_tree(np.stack(tiles, axis=1)[order], costs, first)


def _problem(layer: Layer, chip: Accelerator, counter: CycleCounter, roots: IntArray) -> Problem:
    """Return what all mappings share; see `Problem`."""
    model = TrafficModel(layer, chip)
    loops = [[LOOPS.index(x) for x in group] + [-1] * (2 - len(group)) for group in GROUPS]
    least = counter.floor()
    levels = np.unique(np.maximum(np.floor(LEVELS * least).astype(np.int64), least))
    return Problem(
        roots=roots,
        loops=np.array(loops),
        bounds=np.array(list(layer.bounds.values())),
        traffic=model.traffic(),
        ends=model.ends(),
        on_chip=model.on_chip(),
        variants=np.array([_numbered(one) for one in variants(layer, chip)]),
        **_flattened_axes(counter),
        levels=levels,
        fill=np.array([counter.fill]),
    )


def _numbered(variant: Variant) -> tuple[int, int, int]:
    """Return a loop order as the search wants it; see `Problem`."""
    uncut = -1
    if variant.uncut:
        uncut = next(n for n, x in enumerate(OPERANDS) if IRRELEVANT[x] == variant.uncut)
    return OPERANDS.index(variant.stationary), ("", "y", "x").index(variant.kept), uncut


def _flattened_axes(counter: CycleCounter) -> dict[str, IntArray]:
    """Return the flattened axes of all assignments, as `Problem` wants them."""
    flats = list(dict.fromkeys(flat for one in counter.assignments for flat in one.flattened))
    axes = max(len(one.flattened) for one in counter.assignments)
    flat_loops = np.full((len(flats), len(LOOPS)), -1)
    flat_sizes = np.zeros((len(flats), 2), dtype=np.int64)
    for row, (names, size) in enumerate(flats):
        flat_loops[row, : len(names)] = [LOOPS.index(loop) for loop in names]
        flat_sizes[row] = size, bool(counter.own & set(names))
    flat_of = np.full((len(counter.assignments), axes), -1)
    for row, one in enumerate(counter.assignments):
        flat_of[row, : len(one.flattened)] = [flats.index(flat) for flat in one.flattened]
    return {"flat_loops": flat_loops, "flat_sizes": flat_sizes, "flat_of": flat_of}
