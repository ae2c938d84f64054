"""Every mapping of a layer worth having: sizes of each group of loops, then the search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import local

import numpy as np

from dse.arrays import IntArray
from dse.hardware import TRANSFERS, Accelerator
from dse.mapping.asked import Asked
from dse.mapping.assignments import Assignment
from dse.mapping.boxes import FOUND, NUM_BINS, Room, desk_for, empty_room, room_for
from dse.mapping.cycles import CycleCounter
from dse.mapping.fastest import BINS, find_fastest, nothing_known
from dse.mapping.given_order import order_cases
from dse.mapping.grown import PASSES, ROWS, Trees, first_undominated
from dse.mapping.least import Problem
from dse.mapping.orders import IRRELEVANT, TrafficModel, Variant, variants
from dse.mapping.rows import SpatialAxis
from dse.mapping.sizes import GROUPS, groups_of, size_range
from dse.mapping.skyline import search
from dse.mapping.trees import joined_trees, open_groups
from dse.workload import LOOPS, OPERANDS, Layer

LEVELS = np.concatenate(
    [
        [1, 1.003, 1.007, 1.012, 1.02, 1.04, 1.07, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5, 1.7],
        2 * 1.3 ** np.arange(16),
        [200],
    ]
)
"""Multiples of the least cycles, by which known mappings are listed."""

ROOM = 2**20, 2**14
"""Boxes and mappings that a search has room for at first; what is not used takes no memory."""

KEPT_SHARE = 256
"""Known mappings to one that a bucket of ratios has room for."""

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


class _LastRoom(local):
    """The room of a thread's last search, and what it was for."""

    room: Room | None = None
    kind: tuple[int, ...] = ()


_LAST = _LastRoom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Mappings and their criteria, all arrays of shape (points,) or (points, buffers).

    Attributes
    ----------
    tile
        Tile size by loop. [elements]
    criteria
        Bits in each buffer, first and last bits, DRAM bits, cycles: (points, buffers + 3).
    variant
        Index of the loop order.
    """

    tile: Mapping[str, IntArray]
    criteria: IntArray
    variant: IntArray


def worth_having(
    layer: Layer, chip: Accelerator, counter: CycleCounter, floor_bits: Sequence[int] = ()
) -> Points:
    """Return the undominated mappings of a layer on a chip, whatever its buffer bytes.

    Parameters
    ----------
    layer, chip
        What is computed, on what. Bytes, rates and the clock are not used.
    counter
        Of the layer on the chip.
    floor_bits
        Bits of each buffer up to which mappings count as equally large, none unless given: enough,
        and much less work, for machines whose tiles may take so much.

    Returns
    -------
    Points of shape (mappings,), sorted by criteria.
    """
    buffers = len(chip.buffers)
    floor = np.array(floor_bits or [0] * buffers)
    if chip.constraints.order:
        found = _in_given_order(layer, chip, counter, floor)
    else:
        found = _undominated(layer, chip, counter, variants(layer, chip), FACTOR_NAMES, floor)
        found = found[np.lexsort(found[:, buffers + 2 :: -1].T)]
    tiles = found[:, buffers + 3 : -1].T
    return Points(
        tile=dict(zip(LOOPS, np.ascontiguousarray(tiles), strict=True)),
        criteria=np.ascontiguousarray(found[:, : buffers + 3]),
        variant=found[:, -1].copy(),
    )


def fastest_criteria(
    layer: Layer, chip: Accelerator, counter: CycleCounter, asked: Asked
) -> IntArray:
    """Return the criteria of the mappings that can be fastest on the machines asked for.

    Parameters are those of `worth_having`; the chip has one buffer, and no order is given.

    Returns
    -------
    shape (mappings, 4), sorted
        Bits in the buffer, first and last bits, DRAM bits, cycles.
    """
    trees, problem = _trees_and_problem(
        layer, chip, counter, variants(layer, chip), FACTOR_NAMES, np.zeros(1, dtype=np.int64)
    )
    rooms, ratios = np.array(asked.rooms), np.ascontiguousarray(np.array(asked.ratios).T)
    rows = trees.factors[problem.roots, ROWS:PASSES].prod(axis=0).min()
    bits = float(problem.traffic[:3] @ [rows, 1, 1])
    shortest = np.maximum(layer.macs / chip.num_macs, bits * ratios[0])
    transfers = TRANSFERS.index(chip.transfers)
    num_boxes, num_mappings = ROOM
    while True:
        room = _room(problem, num_boxes, num_mappings, len(rooms) * BINS)
        known = nothing_known(transfers, rooms, ratios, shortest, num_mappings // KEPT_SHARE + 2)
        if find_fastest(trees, problem, known, room, desk_for(trees, problem)):
            found = room.found[: room.state[FOUND], :4]
            return np.ascontiguousarray(found[np.lexsort(found.T[::-1])])
        num_boxes, num_mappings = 4 * num_boxes, 4 * num_mappings


def _undominated(
    layer: Layer,
    chip: Accelerator,
    counter: CycleCounter,
    orders: Sequence[Variant],
    factor_names: tuple[tuple[str, ...], ...],
    floor: IntArray,
) -> IntArray:
    """Return the undominated mappings in some orders as rows; see `search`."""
    trees, problem = _trees_and_problem(layer, chip, counter, orders, factor_names, floor)
    least = counter.floor()
    levels = np.unique(np.maximum(np.floor(LEVELS * least).astype(np.int64), least))
    return _found(trees, problem._replace(levels=levels))


def _trees_and_problem(
    layer: Layer,
    chip: Accelerator,
    counter: CycleCounter,
    orders: Sequence[Variant],
    factor_names: tuple[tuple[str, ...], ...],
    floor: IntArray,
) -> tuple[Trees, Problem]:
    """Return what a search of the mappings in some orders works on."""
    groups = groups_of(layer, chip, counter)
    trees, roots = joined_trees(counter, groups, factor_names)
    return trees, _problem(layer, chip, counter, roots, orders, floor=floor)


def _in_given_order(
    layer: Layer, chip: Accelerator, counter: CycleCounter, floor: IntArray
) -> IntArray:
    """Return the undominated mappings in the order that is given, sorted by criteria."""
    parts = []
    for case in order_cases(layer, chip):
        whole = {loop: layer.bounds[loop] for loop in case.uncut}
        least = tuple({**dict(chip.constraints.min_tile), **whole}.items())
        bound = replace(chip, constraints=replace(chip.constraints, min_tile=least))
        passes = (tuple(f"n_{loop}" for loop in case.passes[operand]) for operand in OPERANDS)
        names = (*FACTOR_NAMES[:PASSES], *passes)
        order = Variant("", case.kept, frozenset(), chip.constraints.order)
        parts.append(_undominated(layer, bound, counter, [order], names, floor))
    found = np.concatenate(parts)
    criteria = len(chip.buffers) + 3
    tiles = found[:, criteria : criteria + len(LOOPS)]
    found = found[np.lexsort([*tiles.T[::-1], *found[:, criteria - 1 :: -1].T])]
    return found[first_undominated(found[:, :criteria])]


def _found(trees: Trees, problem: Problem) -> IntArray:
    """Return the undominated mappings as rows; see `search`."""
    num_boxes, num_mappings = ROOM
    while True:
        room = _room(problem, num_boxes, num_mappings, 2 * NUM_BINS)
        if search(trees, problem, room, desk_for(trees, problem)):
            return room.found[: room.state[FOUND]].copy()
        num_boxes, num_mappings = 4 * num_boxes, 4 * num_mappings


def _room(problem: Problem, num_boxes: int, num_mappings: int, bins: int) -> Room:
    """Return room for a search; that of the usual size is used again, as fresh pages cost time."""
    if (num_boxes, num_mappings) != ROOM:
        return room_for(problem, num_boxes, num_mappings, bins)
    kind = len(problem.levels), len(problem.on_chip), bins
    if _LAST.room is None or _LAST.kind != kind:
        _LAST.room, _LAST.kind = room_for(problem, num_boxes, num_mappings, bins), kind
    else:
        empty_room(_LAST.room)
    return _LAST.room


def _problem(
    layer: Layer,
    chip: Accelerator,
    counter: CycleCounter,
    roots: Sequence[int],
    orders: Sequence[Variant],
    *,
    floor: IntArray,
) -> Problem:
    """Return what all mappings share; see `Problem`."""
    model = TrafficModel(layer, chip)
    loops = [[LOOPS.index(x) for x in group] + [-1] * (2 - len(group)) for group in GROUPS]
    return Problem(
        roots=np.array(roots[:-1]),
        open_groups=np.array(open_groups(roots)),
        mirrored=np.array([int(_is_mirrored(layer, chip, counter))]),
        loops=np.array(loops),
        bounds=np.array(list(layer.bounds.values())),
        traffic=model.traffic(),
        ends=model.ends(),
        on_chip=model.on_chip(),
        variants=np.array([_numbered(one) for one in orders]),
        **_flattened_axes(counter),
        levels=np.ones(1, dtype=np.int64),
        fill=np.array([counter.fill]),
        links=np.array(counter.links[3:] if counter.links else (), dtype=np.int64),
        floor=floor,
    )


def _is_mirrored(layer: Layer, chip: Accelerator, counter: CycleCounter) -> bool:
    """Whether y and x may change places: in the layer, on the array and in the constraints."""
    runs = chip.partial_rows_are_fetched
    if chip.constraints.order:
        return False
    if SpatialAxis.of(layer, "y", whole_runs=runs) != SpatialAxis.of(layer, "x", whole_runs=runs):
        return False
    if any(size_range(layer, chip, f"{x}y") != size_range(layer, chip, f"{x}x") for x in "of"):
        return False
    return _are_mirrored(counter.assignments)


@lru_cache(maxsize=4096)
def _are_mirrored(assignments: tuple[Assignment, ...]) -> bool:
    """Whether y and x may change places on the array."""
    other = {"oy": "ox", "ox": "oy", "fy": "fx", "fx": "fy"}

    def effect(one: Assignment, swap: dict[str, str]) -> tuple[object, ...]:
        plain = frozenset((swap.get(loop, loop), factor) for loop, factor in one.plain)
        flat = (({swap.get(x, x) for x in loops}, size) for loops, size in one.flattened)
        return plain, frozenset((frozenset(loops), size) for loops, size in flat)

    effects = {effect(one, {}) for one in assignments}
    return effects == {effect(one, other) for one in assignments}


def _numbered(variant: Variant) -> tuple[int, int, int]:
    """Return a loop order as the search wants it; see `Problem`."""
    uncut = -1
    if variant.uncut:
        uncut = next(n for n, x in enumerate(OPERANDS) if IRRELEVANT[x] == variant.uncut)
    stationary = (*OPERANDS, "").index(variant.stationary)
    return stationary, ("", "y", "x").index(variant.kept), uncut


def _flattened_axes(counter: CycleCounter) -> dict[str, IntArray]:
    """Return the flattened axes of all assignments, as `Problem` wants them."""
    flats = list(counter.flats)
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
