"""Every mapping of a layer worth having: sizes of each group of loops, then the search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import local

import numpy as np

from dse.arrays import IntArray
from dse.cost.time import longest_share
from dse.hardware import Accelerator, Transfers
from dse.mapping.given_order import order_cases
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.input_rows import SpatialAxis, distinct_rows
from dse.mapping.nest.orders import TrafficModel, Variant, variants
from dse.mapping.nest.tile_sizes import groups_of
from dse.mapping.operating_points import Asked
from dse.mapping.search.box_bounds import Problem
from dse.mapping.search.fastest import BINS, find_fastest, nothing_known
from dse.mapping.search.layer_trees import joined_trees
from dse.mapping.search.problem import Sought, problem_of
from dse.mapping.search.queue import FOUND, NUM_BINS, Room, desk_for, empty_room, room_for
from dse.mapping.search.size_tree import PASSES, ROWS, Trees, first_undominated
from dse.mapping.search.undominated import search
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

NO_LIMIT = 2**60
"""More bits than tiles take."""

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
    sought = Sought.of_each(floor_bits or [0] * buffers)
    return _points(_sorted(layer, chip, counter, sought), buffers)


def fitting(
    layer: Layer,
    chip: Accelerator,
    counter: CycleCounter,
    room_bits: Sequence[int],
    most: tuple[int, int] | None = None,
) -> Points:
    """Return the mappings that fit, whatever room they take, or all of those that are good enough.

    Parameters
    ----------
    layer, chip, counter
        As for `worth_having`.
    room_bits : shape (buffers,)
        Bits that tiles may take in each buffer.
    most
        Most DRAM bits and most cycles. If given, mappings are told apart by the bits of each buffer
        too, and are those of the whole table.

    Returns
    -------
    Points of shape (mappings,); their criteria say the bits of each buffer.
    """
    rooms = np.array(room_bits, dtype=np.int64)
    if most is not None:
        sought = Sought(np.zeros_like(rooms), rooms, most=most)
        return _points(_sorted(layer, chip, counter, sought), len(rooms))
    sought = Sought(rooms.sum(keepdims=True), rooms, is_together=True)
    points = _points(_sorted(layer, chip, counter, sought), 1)
    axes = {x: SpatialAxis.of(layer, x, whole_runs=chip.partial_rows_are_fetched) for x in "yx"}
    tile = {f"t_{loop}": size for loop, size in points.tile.items()}
    rows = {
        f"distinct_{x}": distinct_rows(axis, tile[f"t_o{x}"], tile[f"t_f{x}"])
        for x, axis in axes.items()
    }
    model = TrafficModel(layer, chip)
    each = model.footprint_bits(model.tile_elements(tile | rows))
    return replace(points, criteria=np.column_stack([*each, points.criteria[:, 1:]]))


def least_traffic_bits(layer: Layer, chip: Accelerator, counter: CycleCounter) -> IntArray:
    """Return the least DRAM bits for every size of all buffers together that is worth having.

    Parameters are those of `worth_having`.

    Returns
    -------
    shape (sizes, 2), ascending
        Bits that tiles take, DRAM bits.
    """
    rooms = np.full(len(chip.buffers), NO_LIMIT)
    sought = Sought(np.zeros(1, dtype=np.int64), rooms, is_together=True, has_time=False)
    return np.ascontiguousarray(_sorted(layer, chip, counter, sought)[:, [0, 2]])


def _sorted(layer: Layer, chip: Accelerator, counter: CycleCounter, sought: Sought) -> IntArray:
    """Return the undominated mappings as rows sorted by criteria; see `search`."""
    if chip.constraints.order:
        return _in_given_order(layer, chip, counter, sought)
    found = _undominated(layer, chip, counter, variants(layer, chip), FACTOR_NAMES, sought)
    return found[np.lexsort(found[:, len(sought.floor) + 2 :: -1].T)]


def _points(found: IntArray, buffers: int) -> Points:
    """Return rows with the bits of so many buffers as points."""
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
    sought = Sought.of_each([0])
    trees, problem = _trees_and_problem(
        layer, chip, counter, variants(layer, chip), FACTOR_NAMES, sought
    )
    rooms, ratios = np.array(asked.rooms), np.ascontiguousarray(np.array(asked.ratios).T)
    rows = trees.factors[problem.roots, ROWS:PASSES].prod(axis=0).min()
    bits = float(problem.traffic[:3] @ [rows, 1, 1])
    shortest = np.maximum(layer.macs / chip.num_macs, bits * ratios[0])
    rule = int(Transfers.of(chip.transfers)), longest_share(asked.slack)
    num_boxes, num_mappings = ROOM
    while True:
        room = _room(problem, num_boxes, num_mappings, len(rooms) * BINS)
        known = nothing_known(rule, rooms, ratios, shortest, num_mappings // KEPT_SHARE + 2)
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
    sought: Sought,
) -> IntArray:
    """Return the undominated mappings in some orders as rows; see `search`."""
    trees, problem = _trees_and_problem(layer, chip, counter, orders, factor_names, sought)
    least = counter.floor() if sought.has_time else 1
    levels = np.unique(np.maximum(np.floor(LEVELS * least).astype(np.int64), least))
    rows = trees.factors[problem.roots, ROWS:PASSES].prod(axis=0).min()
    once = np.array([problem.traffic[:3] @ [rows, 1, 1]])
    return _found(trees, problem._replace(levels=levels, once=once))


def _trees_and_problem(
    layer: Layer,
    chip: Accelerator,
    counter: CycleCounter,
    orders: Sequence[Variant],
    factor_names: tuple[tuple[str, ...], ...],
    sought: Sought,
) -> tuple[Trees, Problem]:
    """Return what a search of the mappings in some orders works on."""
    groups = groups_of(layer, chip, counter)
    trees, roots = joined_trees(counter, groups, factor_names)
    if not sought.has_time:
        trees = trees._replace(steps=np.ones((len(trees.nodes), 1), dtype=np.int64))
    return trees, problem_of(layer, chip, counter, roots, orders, sought=sought)


def _in_given_order(
    layer: Layer, chip: Accelerator, counter: CycleCounter, sought: Sought
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
        parts.append(_undominated(layer, bound, counter, [order], names, sought))
    found = np.concatenate(parts)
    criteria = len(sought.floor) + 3
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
