"""What a search of a layer's mappings works on, as arrays."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from dse.arrays import IntArray
from dse.hardware import Accelerator
from dse.mapping.nest.assignments import Assignment
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.input_rows import SpatialAxis
from dse.mapping.nest.orders import IRRELEVANT, TrafficModel, Variant
from dse.mapping.nest.tile_sizes import GROUPS, size_range
from dse.mapping.search.box_bounds import LARGEST, Problem
from dse.mapping.search.layer_trees import open_groups
from dse.workload import LOOPS, OPERANDS, Layer


class Sought(NamedTuple):
    """Which mappings a search is for, and what it tells apart of them.

    Attributes
    ----------
    floor : shape (buffers,)
        Bits up to which mappings count as equally large in each buffer.
    rooms : shape (buffers,) or (0,)
        Bits that tiles may take in each buffer; any number where nothing is said.
    is_together
        Whether mappings are told apart by the bits of all buffers together, not by those of each.
    most
        Most DRAM bits, and most cycles.
    has_time
        Whether cycles, and first and last bits, are told apart.
    """

    floor: IntArray
    rooms: IntArray
    is_together: bool = False
    most: tuple[int, int] = (LARGEST, LARGEST)
    has_time: bool = True

    @classmethod
    def of_each(cls, floor_bits: Sequence[int]) -> "Sought":
        """Return what tells mappings apart by the bits of each buffer, from a floor on."""
        return cls(np.array(floor_bits, dtype=np.int64), np.zeros(0, dtype=np.int64))


NO_TIME = {
    "flat_loops": np.full((0, 1), -1),
    "flat_sizes": np.zeros((0, 2), dtype=np.int64),
    "flat_of": np.full((1, 1), -1),
    "ends": np.zeros(3, dtype=np.int64),
    "fill": np.zeros(1, dtype=np.int64),
    "links": np.zeros(0, dtype=np.int64),
}
"""Of mappings that all take one cycle and no first and last bits."""


def problem_of(
    layer: Layer,
    chip: Accelerator,
    counter: CycleCounter,
    roots: Sequence[int],
    orders: Sequence[Variant],
    *,
    sought: Sought,
) -> Problem:
    """Return what all mappings share; see `Problem`."""
    model = TrafficModel(layer, chip)
    on_chip = model.on_chip()
    links = counter.links[3:] if counter.links else ()
    time: dict[str, IntArray] = _flattened_axes(counter) | {
        "ends": model.ends(),
        "fill": np.array([counter.fill]),
        "links": np.array(links, dtype=np.int64),
    }
    loops = [[LOOPS.index(x) for x in group] + [-1] * (2 - len(group)) for group in GROUPS]
    return Problem(
        roots=np.array(roots[:-1]),
        open_groups=np.array(open_groups(roots)),
        mirrored=np.array([int(_is_mirrored(layer, chip, counter))]),
        loops=np.array(loops),
        bounds=np.array(list(layer.bounds.values())),
        traffic=model.traffic(),
        on_chip=on_chip.sum(axis=0, keepdims=True) if sought.is_together else on_chip,
        variants=np.array([_numbered(one) for one in orders]),
        **(time if sought.has_time else NO_TIME),
        levels=np.ones(1, dtype=np.int64),
        floor=sought.floor,
        rooms=sought.rooms,
        held=on_chip,
        most=np.array(sought.most),
        once=np.zeros(1, dtype=np.int64),
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
