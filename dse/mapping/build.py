"""Every mapping of a layer worth having: candidates, cut by what is already known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.arrays import BoolArray, IntArray
from dse.hardware import Accelerator
from dse.mapping.cut import Cut
from dse.mapping.cycles import CycleCounter
from dse.mapping.front import undominated
from dse.mapping.orders import GROUPS, TrafficModel, Variant, variants
from dse.mapping.sizes import Sizes, sizes_by_group
from dse.workload import LOOPS, Layer

LARGEST_GRID = 1_000_000
"""Points of a grid that are costed together."""

COARSE = 5
"""Sizes of each group that the first known mappings are made of."""

Columns = dict[str, IntArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Mappings and their criteria, all arrays of shape (points,) or (points, buffers).

    Attributes
    ----------
    tile
        Tile size by loop. [elements]
    footprint_bits
        Bits taken in each buffer. [bits]
    dram_bits, first_last_bits
        DRAM traffic; nominal input, weight and output tiles that it carries. [bits]
    cycles
        Compute cycles.
    variant, assignment
        Index of the loop order and of the assignment of the array's axes.
    """

    tile: Mapping[str, IntArray]
    footprint_bits: IntArray
    dram_bits: IntArray
    first_last_bits: IntArray
    cycles: IntArray
    variant: IntArray
    assignment: IntArray

    def criteria(self) -> list[IntArray]:
        """Return the criteria of dominance: buffers, first and last, DRAM bits, cycles."""
        return [*self.footprint_bits.T, self.first_last_bits, self.dram_bits, self.cycles]

    def take(self, index: IntArray | BoolArray) -> "Points":
        """Return the points at `index`."""
        arrays = {x: getattr(self, x)[index] for x in self.__slots__ if x != "tile"}
        return Points(tile={x: size[index] for x, size in self.tile.items()}, **arrays)


def joined(parts: Sequence[Points]) -> Points:
    """Return the points of all parts, in order."""
    arrays = {
        x: np.concatenate([getattr(part, x) for part in parts])
        for x in Points.__slots__
        if x != "tile"
    }
    tile = {x: np.concatenate([part.tile[x] for part in parts]) for x in LOOPS}
    return Points(tile=tile, **arrays)


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
    known = joined([builder.coarse(number) for number in range(len(builder.variants))])
    known = known.take(undominated(known.criteria()))
    for number in range(len(builder.variants)):
        found = builder.search(number, known)
        known = joined([known, found])
        known = known.take(_first_undominated(known, builder.variants))
    return known, builder.counter


def _first_undominated(points: Points, order: Sequence[Variant]) -> IntArray:
    """Return the indices of the undominated points; of equals that which ties favour."""
    total = points.footprint_bits.sum(axis=1)
    keys = [points.assignment, points.variant]
    keys += [points.tile[loop] for loop in reversed(LOOPS)]
    ordered = np.lexsort([*keys, total, *reversed(points.criteria())])
    keep = undominated([column[ordered] for column in points.criteria()])
    return ordered[keep]


class _Builder:
    def __init__(self, layer: Layer, chip: Accelerator) -> None:
        self.counter = CycleCounter(layer, chip)
        self.model = TrafficModel(layer, chip)
        self.variants = variants(layer, chip)
        self.least_cycles = self.counter.floor()
        self.sizes = [sizes_by_group(layer, chip, v, self.counter) for v in self.variants]

    def coarse(self, number: int) -> Points:
        """Return mappings of a few sizes of each group: the first known ones."""
        picks = []
        for sizes in self.sizes[number]:
            count = len(next(iter(sizes.columns.values())))
            limit = COARSE * (2 if len(sizes.columns) > 2 else 1)
            picks.append(np.unique(np.linspace(0, count - 1, limit).astype(np.int64)))
        index = [axis.ravel() for axis in np.meshgrid(*picks, indexing="ij")]
        return self._points(number, index)

    def search(self, number: int, known: Points) -> Points:
        """Return the mappings of one loop order that no known mapping beats for sure."""
        cut = Cut(
            [*known.footprint_bits.T, known.first_last_bits],
            known.dram_bits,
            known.cycles,
            self.least_cycles,
        )
        parts = [self._grown(number, index, cut) for index in self._base_grid(number, cut)]
        return joined(parts)

    def _base_grid(self, number: int, cut: Cut) -> Iterator[list[IntArray]]:
        """Yield the indices into each group's base that stay, one part of the grid at a time."""
        groups = self.sizes[number]
        shape = [len(sizes.base) for sizes in groups]
        widest = int(np.argmax(shape))
        step = max(1, LARGEST_GRID * shape[widest] // int(np.prod(shape)))
        for start in range(0, shape[widest], step):
            columns: Columns = {}
            extent = []
            for place, sizes in enumerate(groups):
                base = sizes.base[start : start + step] if place == widest else sizes.base
                form = [1] * len(groups)
                form[place] = len(base)
                extent.append(len(base))
                columns |= {x: col[base].reshape(form) for x, col in sizes.columns.items()}
            keep = np.broadcast_to(self._keeps(number, columns, cut), extent)
            index = list(np.nonzero(keep))
            index[widest] = index[widest] + start
            yield [i.astype(np.int64) for i in index]

    def _keeps(
        self, number: int, columns: Columns, cut: Cut, cycles: IntArray | None = None
    ) -> BoolArray:
        elements = self.model.tile_elements(columns)
        sizes = [*self.model.footprint_bits(elements), self.model.first_last_bits(elements)]
        return cut.keeps(sizes, self.model.dram_bits(columns, self.variants[number]), cycles)

    def _grown(self, number: int, base: list[IntArray], cut: Cut) -> Points:
        """Replace base sizes by all the sizes that they stand for, cutting after each group."""
        groups = self.sizes[number]
        index = [sizes.base[i] for sizes, i in zip(groups, base, strict=True)]
        for place, sizes in enumerate(groups):
            if len(sizes.children) == len(sizes.base):
                continue
            counts = (sizes.ends - sizes.begins)[base[place]]
            owner = np.repeat(np.arange(len(counts)), counts)
            first = np.cumsum(counts) - counts
            child = sizes.begins[base[place]][owner] + np.arange(len(owner)) - first[owner]
            index = [i[owner] for i in index]
            base = [i[owner] for i in base]
            index[place] = sizes.children[child]
            stays = self._keeps(number, self._columns(groups, index), cut)
            index, base = [i[stays] for i in index], [i[stays] for i in base]
        points = self._points(number, index)
        sizes_now = [*points.footprint_bits.T, points.first_last_bits]
        return points.take(cut.keeps(sizes_now, points.dram_bits, points.cycles))

    @staticmethod
    def _columns(groups: Sequence[Sizes], index: Sequence[IntArray]) -> Columns:
        columns: Columns = {}
        for sizes, i in zip(groups, index, strict=True):
            columns |= {name: column[i] for name, column in sizes.columns.items()}
        return columns

    def _points(self, number: int, index: Sequence[IntArray]) -> Points:
        columns = self._columns(self.sizes[number], index)
        tile = {loop: columns[f"t_{loop}"] for group in GROUPS for loop in group}
        elements = self.model.tile_elements(columns)
        cycles, assignment = self.counter.best(tile)
        return Points(
            tile=tile,
            footprint_bits=np.stack(self.model.footprint_bits(elements), axis=1),
            dram_bits=self.model.dram_bits(columns, self.variants[number]),
            first_last_bits=self.model.first_last_bits(elements),
            cycles=cycles,
            variant=np.full(len(cycles), number),
            assignment=assignment,
        )
