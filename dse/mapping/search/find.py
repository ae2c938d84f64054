"""The search for the mappings that answer a question: sizes of each group of loops, then boxes."""

from collections.abc import Sequence
from dataclasses import replace
from threading import local

import numpy as np

from dse.arrays import IntArray
from dse.cost.time import longest_share
from dse.mapping.given_order import order_cases
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.nest.dominance import first_undominated
from dse.mapping.nest.input_rows import SpatialAxis, distinct_rows
from dse.mapping.nest.orders import TrafficModel, Variant, variants
from dse.mapping.nest.tile_sizes import groups_of
from dse.mapping.operating_points import OperatingPoints
from dse.mapping.points import Criteria, Points
from dse.mapping.question import Question
from dse.mapping.search.fastest import BINS, empty_buckets, find_fastest
from dse.mapping.search.layer_trees import joined_trees
from dse.mapping.search.mapping_problem import MappingProblem, mapping_problem
from dse.mapping.search.queue import (
    FOUND,
    NUM_BINS,
    SearchState,
    empty_state,
    scratch_for,
    state_for,
)
from dse.mapping.search.size_tree import PASSES, ROWS, Trees
from dse.mapping.search.undominated import search
from dse.stopping import check_stop
from dse.workload import LOOPS, OPERANDS

LEVELS = np.concatenate(
    [
        [1, 1.003, 1.007, 1.012, 1.02, 1.04, 1.07, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5, 1.7],
        2 * 1.3 ** np.arange(16),
        [200],
    ]
)
"""Multiples of the least cycles: the archive of mappings has a part for each."""

SIZES = 2**20, 2**14
"""Lengths of a search's arrays of boxes and of mappings at first; unused pages take no memory."""

FOUND_TO_BUCKET = 256
"""Mappings that a search has arrays for, to one that a bucket of ratios has."""

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


class _LastState(local):
    """The state of a thread's last search, and what it was for."""

    state: SearchState | None = None
    kind: tuple[int, ...] = ()


_LAST = _LastState()


def find(one: LayerOnArray, question: Question) -> Points:
    """Return the mappings of a layer on an array that answer a question, sorted by criteria.

    Parameters
    ----------
    one
        What is computed, on what. Bytes, rates and the clock are not used.
    question
        As `Question.on` returns it.
    """
    if question.points is not None:
        return _fastest(one, question, question.points)
    points = _points(_sorted(one, question))
    return points if not question.is_together or not question.has_time else _split(one, points)


def _split(one: LayerOnArray, points: Points) -> Points:
    """Return mappings found by the bits of all buffers together with the bits of each."""
    runs = one.chip.partial_rows_are_fetched
    axes = {x: SpatialAxis.of(one.layer, x, whole_runs=runs) for x in "yx"}
    tile = {f"t_{loop}": size.astype(np.int64) for loop, size in points.tile.items()}
    rows = {
        f"distinct_{x}": distinct_rows(axis, tile[f"t_o{x}"], tile[f"t_f{x}"])
        for x, axis in axes.items()
    }
    model = TrafficModel(one.layer, one.chip)
    footprints = model.footprint_bits(model.tile_elements(tile | rows))
    criteria = points.criteria._replace(footprint_bits=np.column_stack(footprints))
    return replace(points, criteria=criteria)


def _sorted(one: LayerOnArray, question: Question) -> IntArray:
    """Return the undominated mappings as rows sorted by criteria; see `search`."""
    if one.chip.constraints.order:
        return _in_given_order(one, question)
    found = _undominated(one, variants(one.layer, one.chip), FACTOR_NAMES, question)
    criteria = found.shape[1] - len(LOOPS) - 1
    return found[np.lexsort(found[:, criteria - 1 :: -1].T)]


def _points(found: IntArray) -> Points:
    """Return rows of `search` as points."""
    return Points(
        criteria=Criteria.of_columns(found[:, : -len(LOOPS) - 1]),
        tiles=np.ascontiguousarray(found[:, -len(LOOPS) - 1 : -1].T, dtype=np.int32),
        variant=found[:, -1].copy(),
    )


def _fastest(one: LayerOnArray, question: Question, points: OperatingPoints) -> Points:
    """Return the mappings that can be fastest at operating points of one buffer, no order given."""
    trees, problem = _trees_and_problem(one, variants(one.layer, one.chip), FACTOR_NAMES, question)
    rooms, ratios = np.array(points.rooms), np.ascontiguousarray(np.array(points.ratios).T)
    rows = trees.factors[problem.roots, ROWS:PASSES].prod(axis=0).min()
    bits = float(problem.traffic[:3] @ [rows, 1, 1])
    shortest = np.maximum(one.layer.macs / one.chip.num_macs, bits * ratios[0])
    assert question.transfers is not None  # given with the points
    rule = int(question.transfers), longest_share(points.slack)
    num_boxes, num_mappings = SIZES
    while True:
        state = _state(problem, num_boxes, num_mappings, len(rooms) * BINS)
        most = num_mappings // FOUND_TO_BUCKET + 2
        buckets = empty_buckets(rule, rooms, ratios, shortest, most)
        is_done = find_fastest(trees, problem, buckets, state, scratch_for(trees, problem))
        check_stop()
        if is_done:
            found = state.found[: state.counters[FOUND]]
            return _points(found[np.lexsort(found[:, 3::-1].T)])
        num_boxes, num_mappings = 4 * num_boxes, 4 * num_mappings


def _undominated(
    one: LayerOnArray,
    orders: Sequence[Variant],
    factor_names: tuple[tuple[str, ...], ...],
    question: Question,
) -> IntArray:
    """Return the undominated mappings in some orders as rows; see `search`."""
    trees, problem = _trees_and_problem(one, orders, factor_names, question)
    fewest = one.counter.floor() if question.has_time else 1
    levels = np.unique(np.maximum(np.floor(LEVELS * fewest).astype(np.int64), fewest))
    rows = trees.factors[problem.roots, ROWS:PASSES].prod(axis=0).min()
    compulsory = np.array([problem.traffic[:3] @ [rows, 1, 1]])
    return _found(trees, problem._replace(levels=levels, compulsory_dram_bits=compulsory))


def _trees_and_problem(
    one: LayerOnArray,
    orders: Sequence[Variant],
    factor_names: tuple[tuple[str, ...], ...],
    question: Question,
) -> tuple[Trees, MappingProblem]:
    """Return the size trees and the problem of a search for the mappings in some loop orders."""
    groups = groups_of(one.layer, one.chip, one.counter)
    trees, roots = joined_trees(one.counter, groups, factor_names)
    if not question.has_time:
        trees = trees._replace(steps=np.ones((len(trees.nodes), 1), dtype=np.int64))
    return trees, mapping_problem(one, roots, orders, question)


def _in_given_order(one: LayerOnArray, question: Question) -> IntArray:
    """Return the undominated mappings in the order that is given, sorted by criteria."""
    parts = []
    for case in order_cases(one.layer, one.chip):
        own = one.chip.constraints
        whole = {loop: one.layer.bounds[loop] for loop in case.uncut}
        own = replace(own, min_tile=tuple({**dict(own.min_tile), **whole}.items()))
        bound = LayerOnArray(one.layer, replace(one.chip, constraints=own))
        passes = (tuple(f"n_{loop}" for loop in case.passes[operand]) for operand in OPERANDS)
        names = (*FACTOR_NAMES[:PASSES], *passes)
        order = Variant("", case.halo_axis, frozenset(), own.order)
        parts.append(_undominated(bound, [order], names, question))
    found = np.concatenate(parts)
    criteria = found.shape[1] - len(LOOPS) - 1
    tiles = found[:, criteria:-1]
    found = found[np.lexsort([*tiles.T[::-1], *found[:, criteria - 1 :: -1].T])]
    return found[first_undominated(found[:, :criteria])]


def _found(trees: Trees, problem: MappingProblem) -> IntArray:
    """Return the undominated mappings as rows; see `search`."""
    num_boxes, num_mappings = SIZES
    while True:
        state = _state(problem, num_boxes, num_mappings, 2 * NUM_BINS)
        is_done = search(trees, problem, state, scratch_for(trees, problem))
        check_stop()
        if is_done:
            return state.found[: state.counters[FOUND]].copy()
        num_boxes, num_mappings = 4 * num_boxes, 4 * num_mappings


def _state(problem: MappingProblem, num_boxes: int, num_mappings: int, bins: int) -> SearchState:
    """Return the arrays of a search; a thread uses those of the usual size again.

    Fresh pages of memory cost time.
    """
    if (num_boxes, num_mappings) != SIZES:
        return state_for(problem, num_boxes, num_mappings, bins)
    kind = len(problem.levels), len(problem.on_chip), bins
    if _LAST.state is None or _LAST.kind != kind:
        _LAST.state, _LAST.kind = state_for(problem, num_boxes, num_mappings, bins), kind
    else:
        empty_state(_LAST.state)
    return _LAST.state
