"""Every mapping of a layer worth having: sizes of each group, then branch and bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.arrays import BoolArray, IntArray
from dse.hardware import Accelerator
from dse.mapping.branch import FACTORS, Choices, Rules, search
from dse.mapping.cycles import Assignment, CycleCounter, loop_steps
from dse.mapping.known import LEVELS, bin_of, first_undominated
from dse.mapping.orders import GROUPS, TrafficModel, Variant, variants
from dse.mapping.rows import SpatialAxis, distinct_rows
from dse.mapping.sizes import Sizes, sizes_by_group
from dse.workload import LOOPS, OPERANDS, Layer

COARSE = 4
"""Sizes of each group that the first known mappings are made of."""

Columns = dict[str, IntArray]


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
        points, known, count = builder.search(number, known, count)
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
        runs = chip.partial_rows_are_fetched
        self.axes = {axis: SpatialAxis.of(layer, axis, whole_runs=runs) for axis in "yx"}
        holds = [[operand in held for operand in OPERANDS] for held in self.model.holds]
        self.rules = Rules(
            self.model.numbers(),
            np.array(holds, dtype=np.int64),
            np.array(list(layer.bounds.values()), dtype=np.int64),
            *_flattened_axes(self.counter),
            np.array([self.counter.fill], dtype=np.int64),
            *self._table_form(layer),
        )

    def _table_form(self, layer: Layer) -> tuple[IntArray, IntArray]:
        """Return levels of cycles and range of bins of the table of known mappings, or none."""
        if len(self.model.holds) > 1:
            return np.empty(0, dtype=np.int64), np.zeros(2, dtype=np.int64)
        least = self.counter.floor()
        levels = np.unique(np.maximum(np.floor(LEVELS * least).astype(np.int64), least))
        whole = {f"t_{loop}": np.array([bound]) for loop, bound in layer.bounds.items()}
        for group, columns in zip(GROUPS[4:], self.sizes[0][4:], strict=True):
            axis = group[0][1]
            most = distinct_rows(self.axes[axis], whole[f"t_o{axis}"], whole[f"t_f{axis}"])
            whole[f"distinct_{axis}"] = np.maximum(most, columns[f"distinct_{axis}"].max())
        elements = self.model.tile_elements(whole)
        bits = max(int(self.model.footprint_bits(elements)[0][0]), 1)
        room = np.empty(1, dtype=np.int64)
        return levels, np.array([bin_of(1, room), bin_of(2 * bits, room)])

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

    def search(self, number: int, known: IntArray, count: int) -> tuple[Points, IntArray, int]:
        """Return the mappings of one loop order that no known mapping beats, and all known."""
        variant, sizes = self.variants[number], self.sizes[number]
        lengths = [len(c[f"t_{group[0]}"]) for group, c in zip(GROUPS, sizes, strict=True)]
        outer_index = np.indices(lengths[:4])
        outer: Columns = {}
        for columns, index in zip(sizes[:4], outer_index.reshape(4, -1), strict=True):
            outer |= {name: column[index] for name, column in columns.items()}
        y, x = dict(sizes[4]), dict(sizes[5])
        first = self._with_fixed(self._choices(outer, variant))
        second, third = self._choices(y, variant), self._choices(x, variant)
        least = Choices(*(column.min(axis=0, keepdims=True) for column in third))
        places, criteria, known, count = search(
            known, count, first, second, third, least, self.rules
        )
        tile = {
            name[2:]: column[places[:, part]]
            for part, columns in enumerate((outer, y, x))
            for name, column in columns.items()
            if name.startswith("t_")
        }
        assignment = places[:, 3]
        variants_of = np.full(len(places), number)
        points = Points(tile=tile, criteria=criteria, variant=variants_of, assignment=assignment)
        return points, known, count

    def _choices(self, columns: Columns, variant: Variant) -> Choices:
        """Return what each row of sizes of some loops multiplies."""
        loops = [loop for loop in LOOPS if f"t_{loop}" in columns]
        size = len(columns[f"t_{loops[0]}"])
        tiles = np.zeros((size, len(LOOPS)), dtype=np.int64)
        for loop in loops:
            tiles[:, LOOPS.index(loop)] = columns[f"t_{loop}"]
        factors = np.ones((size, FACTORS), dtype=np.int64)
        for factor, names in enumerate(_factor_names(variant)):
            for name in names:
                if name in columns:
                    factors[:, factor] *= columns[name]
        steps = np.ones((size, len(self.counter.assignments)), dtype=np.int64)
        passes = np.ones_like(steps)
        for one, assigned in enumerate(self.counter.assignments):
            for loop in loops:
                work, trips = self._loop_factors(assigned, loop, columns)
                steps[:, one] *= work
                passes[:, one] *= trips
        return Choices(factors, steps, passes, tiles)

    def _loop_factors(
        self, assigned: Assignment, loop: str, columns: Sizes
    ) -> tuple[IntArray | int, IntArray | int]:
        """Return what sizes of one loop multiply in array steps and in passes."""
        factor = dict(assigned.plain).get(loop)
        counted = loop in self.counter.tiles_in_passes(assigned)
        trips = columns[f"n_{loop}"] if counted else 1
        if factor is None:
            return 1, trips
        steps = loop_steps(columns[f"t_{loop}"], self.counter.bounds[loop], factor)
        return steps, steps if loop in self.counter.own else trips

    def _with_fixed(self, outer: Choices) -> Choices:
        """Multiply in the steps and passes of loops that are on no axis."""
        free = [self.counter.free_steps(one) for one in self.counter.assignments]
        trips = [self.counter.free_passes(one) for one in self.counter.assignments]
        return outer._replace(steps=outer.steps * free, passes=outer.passes * trips)


def _factor_names(variant: Variant) -> tuple[tuple[str, ...], ...]:
    """Return the columns of sizes that make up each of the `FACTORS`."""
    return (
        ("t_b", "t_g", "t_c", "distinct_y", "distinct_x"),
        ("t_g", "t_k", "t_c", "t_fy", "t_fx"),
        ("t_b", "t_g", "t_k", "t_oy", "t_ox"),
        (variant.rows("y"), variant.rows("x")),
        () if variant.stationary == "input" else ("n_k",),
        () if variant.stationary == "weight" else ("n_b", "n_oy", "n_ox"),
        () if variant.stationary == "output" else ("n_c", "n_fy", "n_fx"),
    )


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
