"""The problem of a search as arrays: bounds, traffic, loop orders and flattened axes of a layer."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from dse.arrays import IntArray
from dse.hardware import Accelerator
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.nest.assignments import Assignment
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.input_rows import SpatialAxis
from dse.mapping.nest.orders import IRRELEVANT, TrafficModel, Variant
from dse.mapping.nest.tile_sizes import GROUPS, size_range
from dse.mapping.question import Question
from dse.mapping.search.layer_trees import open_groups
from dse.workload import LOOPS, OPERANDS, Layer


class MappingProblem(NamedTuple):
    """The facts of a layer on an array that all its mappings share.

    Attributes
    ----------
    roots : shape (GROUPS,)
        Rows of the trees' roots.
    open_groups : shape (open groups,)
        Groups with more than one size; the trees of the others have costs of 1. At least one.
    mirrored : shape (1,)
        Whether y and x may change places, so that the smaller output tile may be that of y.
    loops : shape (GROUPS, 2)
        The loops of each group, -1 for none.
    bounds : shape (loops,)
        Loop bounds.
    traffic : shape (4,)
        DRAM bits of inputs for each row that is fetched, of weights, of outputs, and those of
        partial sums that are written and read once.
    ends : shape (3,)
        DRAM bits of an element of each operand.
    on_chip : shape (buffers, 3)
        Bits that an element of each operand takes in each buffer.
    variants : shape (variants, 3)
        Loop orders: stationary operand; rows of the input, as in the factors; operand whose
        irrelevant loops must have one tile, -1 for none.
    flat_loops : shape (flattened, loops)
        Loops of flattened axes, padded with -1.
    flat_sizes : shape (flattened, 2)
        MACs along a flattened axis, and whether it counts in passes.
    flat_of : shape (assignments, axes)
        The flattened axes of each assignment, padded with -1.
    levels : shape (levels,), ascending
        Numbers of cycles, from the fewest: the archive has a part for each.
    fill : shape (1,)
        Cycles of an array pass.
    links : shape (3,) or (0,)
        Bits of partial sums, of weights and of inputs that pass in a cycle; none if the array never
        waits, 0 of inputs if it never waits for them.
    floor : shape (buffers,)
        Bits up to which mappings count as equally large in each buffer.
    rooms : shape (buffers of the machine,) or (0,)
        Bits that tiles may take in each; any number where nothing is said.
    held : shape (buffers of the machine, 3)
        As `on_chip`, for each.
    most : shape (2,)
        Most DRAM bits, and most cycles, of mappings that are sought.
    compulsory_dram_bits : shape (1,)
        DRAM bits that any mapping moves.
    """

    roots: IntArray
    open_groups: IntArray
    mirrored: IntArray
    loops: IntArray
    bounds: IntArray
    traffic: IntArray
    ends: IntArray
    on_chip: IntArray
    variants: IntArray
    flat_loops: IntArray
    flat_sizes: IntArray
    flat_of: IntArray
    levels: IntArray
    fill: IntArray
    links: IntArray
    floor: IntArray
    rooms: IntArray
    held: IntArray
    most: IntArray
    compulsory_dram_bits: IntArray


NO_TIME = {
    "flat_loops": np.full((0, 1), -1),
    "flat_sizes": np.zeros((0, 2), dtype=np.int64),
    "flat_of": np.full((1, 1), -1),
    "ends": np.zeros(3, dtype=np.int64),
    "fill": np.zeros(1, dtype=np.int64),
    "links": np.zeros(0, dtype=np.int64),
}
"""Of mappings that all take one cycle and no first and last bits."""


def mapping_problem(
    one: LayerOnArray, roots: Sequence[int], orders: Sequence[Variant], question: Question
) -> MappingProblem:
    """Return the problem of a search for the mappings in some loop orders.

    `roots` are those of `dse.mapping.search.layer_trees.joined_trees`.
    """
    layer, chip, counter = one.layer, one.chip, one.counter
    model = TrafficModel(layer, chip)
    on_chip = model.on_chip()
    links = counter.links[3:] if counter.links else ()
    time: dict[str, IntArray] = _flattened_axes(counter) | {
        "ends": model.ends(),
        "fill": np.array([counter.fill]),
        "links": np.array(links, dtype=np.int64),
    }
    loops = [[LOOPS.index(x) for x in group] + [-1] * (2 - len(group)) for group in GROUPS]
    floor = question.floor_bits or (0,) * len(on_chip)
    return MappingProblem(
        roots=np.array(roots[:-1]),
        open_groups=np.array(open_groups(roots)),
        mirrored=np.array([int(_is_mirrored(layer, chip, counter))]),
        loops=np.array(loops),
        bounds=np.array(list(layer.bounds.values())),
        traffic=model.traffic(),
        on_chip=on_chip.sum(axis=0, keepdims=True) if question.is_together else on_chip,
        variants=np.array([_numbered(one) for one in orders]),
        **(time if question.has_time else NO_TIME),
        levels=np.ones(1, dtype=np.int64),
        floor=np.array(floor, dtype=np.int64),
        rooms=np.array(question.room_bits, dtype=np.int64),
        held=on_chip,
        most=np.array([question.most_dram_bits, question.most_cycles]),
        compulsory_dram_bits=np.zeros(1, dtype=np.int64),
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
    """Return a loop order as the search wants it; see `MappingProblem`."""
    uncut = -1
    if variant.uncut:
        uncut = next(n for n, x in enumerate(OPERANDS) if IRRELEVANT[x] == variant.uncut)
    stationary = (*OPERANDS, "").index(variant.stationary)
    return stationary, ("", "y", "x").index(variant.halo_axis), uncut


def _flattened_axes(counter: CycleCounter) -> dict[str, IntArray]:
    """Return the flattened axes of all assignments, as `MappingProblem` wants them."""
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
