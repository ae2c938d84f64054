"""Every mapping of a layer worth having: sizes of each group, then branch and bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.arrays import BoolArray, IntArray
from dse.hardware import Accelerator
from dse.mapping.branch import FACTORS, first_undominated, search
from dse.mapping.cycles import Assignment, CycleCounter, loop_steps
from dse.mapping.orders import GROUPS, TrafficModel, Variant, variants
from dse.mapping.sizes import Sizes, sizes_by_group
from dse.workload import LOOPS, OPERANDS, Layer

COARSE = 4
"""Sizes of each group that the first known mappings are made of."""

Columns = dict[str, IntArray]

LOOPS_OF_GROUP = np.array(
    [[LOOPS.index(loop) for loop in group] + [-1] * (2 - len(group)) for group in GROUPS]
)
"""Places of the loops of each group in `LOOPS`, -1 where there is none."""


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

    def take(self, index: IntArray | BoolArray) -> "Points":
        """Return the points at `index`."""
        return Points(
            tile={loop: size[index] for loop, size in self.tile.items()},
            criteria=self.criteria[index],
            variant=self.variant[index],
            assignment=self.assignment[index],
        )


def joined(parts: Sequence[Points]) -> Points:
    """Return the points of all parts, in order."""
    return Points(
        tile={loop: np.concatenate([part.tile[loop] for part in parts]) for loop in LOOPS},
        criteria=np.concatenate([part.criteria for part in parts]),
        variant=np.concatenate([part.variant for part in parts]),
        assignment=np.concatenate([part.assignment for part in parts]),
    )


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
    builder = _Builder(layer, chip)
    numbers = range(len(builder.variants))
    first = undominated_points(joined([builder.coarse(number) for number in numbers]))
    known, count = first.criteria.copy(), len(first.criteria)
    found = []
    for number in numbers:
        points, (known, count) = builder.search(number, known, count)
        found.append(points)
    return undominated_points(joined(found)), builder.counter


def undominated_points(points: Points) -> Points:
    """Return the undominated points, sorted by criteria; of equals that which ties favour."""
    buffers = points.criteria.shape[1] - 3
    total = points.criteria[:, :buffers].sum(axis=1)
    keys = [points.assignment, points.variant]
    keys += [points.tile[loop] for loop in reversed(LOOPS)]
    ordered = np.lexsort([*keys, total, *points.criteria.T[::-1]])
    return points.take(ordered[first_undominated(points.criteria[ordered])])


class _Builder:
    def __init__(self, layer: Layer, chip: Accelerator) -> None:
        self.counter = CycleCounter(layer, chip)
        self.model = TrafficModel(layer, chip)
        self.variants = variants(layer, chip)
        self.sizes = [sizes_by_group(layer, chip, v, self.counter) for v in self.variants]
        self.bounds = np.array(list(layer.bounds.values()), dtype=np.int64)
        self.holds = np.array(
            [[operand in held for operand in OPERANDS] for held in self.model.holds], dtype=np.int64
        )
        self.numbers = self.model.numbers()
        self.flattened = _flattened_axes(self.counter)

    def coarse(self, number: int) -> Points:
        """Return mappings of a few sizes of each group: the first known ones."""
        picks = []
        for group, sizes in zip(GROUPS, self.sizes[number], strict=True):
            count = len(sizes[f"t_{group[0]}"])
            spread = np.linspace(0, count - 1, COARSE * len(group))
            picks.append(np.unique(spread.astype(np.int64)))
        index = [axis.ravel() for axis in np.meshgrid(*picks, indexing="ij")]
        columns: Columns = {}
        for sizes, place in zip(self.sizes[number], index, strict=True):
            columns |= {name: column[place] for name, column in sizes.items()}
        tile = {loop: columns[f"t_{loop}"] for group in GROUPS for loop in group}
        elements = self.model.tile_elements(columns)
        cycles, assignment = self.counter.best(tile)
        criteria = [
            *self.model.footprint_bits(elements),
            self.model.first_last_bits(elements),
            self.model.dram_bits(columns, self.variants[number]),
            cycles,
        ]
        return Points(
            tile=tile,
            criteria=np.stack(criteria, axis=1),
            variant=np.full(len(cycles), number),
            assignment=assignment,
        )

    def search(
        self, number: int, known: IntArray, count: int
    ) -> tuple[Points, tuple[IntArray, int]]:
        """Return the mappings of one loop order that no known mapping beats, and all known."""
        sizes = self.sizes[number]
        lengths = np.array([len(s[f"t_{group[0]}"]) for s, group in zip(sizes, GROUPS, strict=True)])
        most = int(lengths.max())
        tiles = np.ones((len(LOOPS), most), dtype=np.int64)
        for group, columns in zip(GROUPS, sizes, strict=True):
            for loop in group:
                column = columns[f"t_{loop}"]
                tiles[LOOPS.index(loop), : len(column)] = column
        factors = _traffic_factors(sizes, self.variants[number], most)
        steps, passes, fixed = _cycle_factors(self.counter, sizes, most)
        places, criteria, known_now = search(
            known, count, lengths, factors, steps, passes, fixed, tiles, LOOPS_OF_GROUP,
            self.bounds, *self.flattened, self.counter.fill, self.numbers, self.holds,
        )  # fmt: skip
        tile = {
            loop: columns[f"t_{loop}"][places[:, place]]
            for place, (group, columns) in enumerate(zip(GROUPS, sizes, strict=True))
            for loop in group
        }
        found = Points(
            tile=tile,
            criteria=criteria,
            variant=np.full(len(places), number),
            assignment=places[:, -1],
        )
        return found, known_now


def _traffic_factors(sizes: Sequence[Sizes], variant: Variant, most: int) -> IntArray:
    """Return what each size multiplies: see `dse.mapping.branch.FACTORS`."""
    rows = {"y": variant.rows("y"), "x": variant.rows("x")}
    factors = np.ones((FACTORS, len(GROUPS), most), dtype=np.int64)
    names = (
        ("t_b", "t_g", "t_c", "distinct_y", "distinct_x"),
        ("t_g", "t_k", "t_c", "t_fy", "t_fx"),
        ("t_b", "t_g", "t_k", "t_oy", "t_ox"),
        (rows["y"], rows["x"]),
        () if variant.stationary == "input" else ("n_k",),
        () if variant.stationary == "weight" else ("n_b", "n_oy", "n_ox"),
        () if variant.stationary == "output" else ("n_c", "n_fy", "n_fx"),
    )
    for factor, wanted in enumerate(names):
        for place, columns in enumerate(sizes):
            for name in wanted:
                if name in columns:
                    factors[factor, place, : len(columns[name])] *= columns[name]
    return np.ascontiguousarray(factors.transpose(1, 2, 0))


def _cycle_factors(
    counter: CycleCounter, sizes: Sequence[Sizes], most: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return what each size multiplies in array steps and in passes, and what no size changes."""
    shape = (len(counter.assignments), len(GROUPS), most)
    steps, passes = np.ones(shape, dtype=np.int64), np.ones(shape, dtype=np.int64)
    fixed = np.ones((2, shape[0]), dtype=np.int64)
    for one, assigned in enumerate(counter.assignments):
        fixed[:, one] = counter.free_steps(assigned), counter.free_passes(assigned)
        plain = dict(assigned.plain)
        counted = counter.tiles_in_passes(assigned)
        for place, (group, columns) in enumerate(zip(GROUPS, sizes, strict=True)):
            for loop in group:
                tile = columns[f"t_{loop}"]
                if loop in plain:
                    column = loop_steps(tile, counter.bounds[loop], plain[loop])
                    steps[one, place, : len(tile)] *= column
                    if loop in counter.own:
                        passes[one, place, : len(tile)] *= column
                if loop in counted:
                    passes[one, place, : len(tile)] *= columns[f"n_{loop}"]
    by_size = [np.ascontiguousarray(a.transpose(1, 2, 0)) for a in (steps, passes)]
    return by_size[0], by_size[1], fixed


def _flattened_axes(counter: CycleCounter) -> tuple[IntArray, IntArray]:
    """Return loops and sizes of flattened axes by assignment, padded with -1 and 0."""
    most = max((len(one.flattened) for one in counter.assignments), default=0)
    loops = np.full((len(counter.assignments), max(most, 1), len(LOOPS)), -1, dtype=np.int64)
    sizes = np.zeros((len(counter.assignments), max(most, 1)), dtype=np.int64)
    for one, assigned in enumerate(counter.assignments):
        for place, (names, size) in enumerate(assigned.flattened):
            loops[one, place, : len(names)] = [LOOPS.index(loop) for loop in names]
            sizes[one, place] = size if counter.own & set(names) else -size
    return loops, sizes
