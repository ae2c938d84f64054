"""The one way around costing each design of a large grid: a screen of buffers and DRAM rates.

The time of all sizes and rates of an array is known at once but for its last digits. A design goes
if one of the same rate that is smaller is surely faster, or if the next smaller buffer takes the
same time. What is left is costed exactly.

Measured on two cores, in seconds of CPU against those of costing each design, ResNet-50 with 1,000
buffers: 2.2 against 5.3 for 10^7 designs on 6 arrays, 10.9 against 48.1 for 10^8 on 36. A second
way, blocks of designs cut by bounds at their corners, was taken out: with three objectives it took
0.6 to 1.4 times as long as costing each design (7.5 against 12.6 with a clock, 15.5 against 11.3
with DRAM parts, 5.4 against 4.6 under a budget on power), with two 1.4 against 5.0, and its bounds
do not hold where a slower mapping may be chosen to move less.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import NamedTuple

import numpy as np

from dse.arrays import BoolArray, FloatArray, IntArray
from dse.compiling import compiled
from dse.exploration.problem import Problem
from dse.processors import num_workers
from dse.stopping import workers

RATE = "dram_bytes_per_s"
TIMES = frozenset({"throughput_per_s", "latency_s"})
SIZES = ("area_mm2", "cost_usd")
"""Objectives that a larger buffer makes worse."""

PRICES = frozenset({RATE, "cost_usd"})
"""Objectives that a higher rate makes worse."""

FEWEST_POINTS = 4096
"""Buffers times rates of an array from which on a screen pays."""

MOST_CELLS = 2**24
"""Sizes by rates that a screen remembers the fastest of."""

SURELY = 1 - 1e-9
"""A design is faster only if it is by more than what rounding can do."""


def can_screen(problem: Problem) -> bool:
    """Whether a screen finds all of the front: see the module."""
    space, wanted = problem.space, set(problem.objectives)
    lengths = [len(space.knobs.get(name, ())) for name in (_buffer(problem), RATE)]
    is_traded = len(wanted & TIMES) == 1 and bool(wanted & set(SIZES)) and bool(wanted & PRICES)
    known = TIMES | PRICES | set(SIZES)
    is_known = wanted <= known and set(problem.budget) <= known
    is_fine = lengths[0] * lengths[1] >= FEWEST_POINTS
    return problem.model.has_time_grid and is_traded and is_known and is_fine


def screened(problem: Problem) -> Iterator[tuple[IntArray, int]]:
    """Yield, one array at a time, the designs that can be on the front, and how much is done.

    Each array is looked at twice: a first round finds what is fastest.

    Yields
    ------
    Indices of designs, none in the first round, and of how many designs a round is over, halves in
    each.
    """
    space, knobs = problem.space, problem.space.knobs
    axes = {axis.size for axis in space.accelerator.array}
    arrays = [name for name in knobs if name in axes]
    others = [name for name in knobs if name not in (*arrays, _buffer(problem), RATE)]
    for values in product(*(range(len(knobs[name])) for name in others)):
        group = dict(zip(others, values, strict=True))
        places = product(*(range(len(knobs[name])) for name in arrays))
        yield from _ArrayGrids(
            problem, [{**group, **dict(zip(arrays, place, strict=True))} for place in places]
        ).left()


def _buffer(problem: Problem) -> str:
    return str(problem.space.accelerator.buffers[0].bytes)


class _Cells(NamedTuple):
    """The sizes of designs, numbered in ascending order; sizes that are too many share numbers.

    Attributes
    ----------
    cell : shape (arrays, buffers)
        The size of each array and buffer.
    is_larger : shape (arrays, buffers)
        Whether a design is larger than that with the next smaller buffer.
    """

    cell: IntArray
    is_larger: BoolArray


class _ArrayGrids:
    """Designs that differ in array, buffer and rate only."""

    def __init__(self, problem: Problem, arrays: Sequence[Mapping[str, int]]) -> None:
        space = problem.space
        self.problem, self.arrays = problem, arrays
        self.names = _buffer(problem), RATE
        self.order = [np.argsort(np.array(space.knobs[name])) for name in self.names]
        self.lines = {
            name: np.array(space.knobs[name])[order]
            for name, order in zip(self.names, self.order, strict=True)
        }
        steps = [
            space.strides[name] * order for name, order in zip(self.names, self.order, strict=True)
        ]
        self.offsets = steps[0][:, None] + steps[1]
        self.bases = np.array(
            [sum(space.strides[name] * place for name, place in one.items()) for one in arrays]
        )

    def left(self) -> Iterator[tuple[IntArray, int]]:
        """Yield what `screened` does."""
        cells = self._cells()
        fastest = np.full((cells.cell.max() + 1, len(self.lines[RATE])), np.inf)
        with workers() as pool:
            for cell, (cycles, _) in zip(cells.cell, self._found(pool), strict=True):
                _lower(fastest, cell, cycles)
                yield np.empty(0, np.int64), cycles.size // 2
            smaller = np.full_like(fastest, np.inf)
            np.minimum.accumulate(fastest[:-1], axis=0, out=smaller[1:])
            arrays = zip(self.bases, *cells, self._found(pool), strict=True)
            for base, cell, is_larger, (cycles, is_changed) in arrays:
                stays = np.isfinite(cycles) & (smaller[cell] >= cycles * SURELY)
                stays &= is_changed | ~is_larger[:, None]
                yield base + self.offsets[stays], cycles.size - cycles.size // 2

    def _found(self, pool: ThreadPoolExecutor) -> Iterator[tuple[FloatArray, BoolArray]]:
        """Yield the lines of each array; few are in memory at a time."""
        step = num_workers()
        for start in range(0, len(self.arrays), step):
            yield from pool.map(self._lines, self.arrays[start : start + step])

    def _lines(self, array: Mapping[str, int]) -> tuple[FloatArray, BoolArray]:
        model = self.problem.model
        values = {name: model.space.knobs[name][place] for name, place in array.items()}
        return model.time_grid(values, self.lines)

    def _cells(self) -> _Cells:
        """Return the size of each array and buffer, from the sizes at the least rate."""
        problem = self.problem
        designs = self.bases[:, None] + self.offsets[:, 0]
        costs = problem.model.chip_costs(problem.space.columns(designs.ravel()))
        sizes = [costs[name].reshape(designs.shape) for name in SIZES if name in problem.objectives]
        rank = np.unique(sizes[0], return_inverse=True)[1].reshape(designs.shape)
        order = np.argsort(rank, axis=None, kind="stable")
        if any((np.diff(size.ravel()[order]) < 0).any() for size in sizes):
            rank = np.zeros_like(rank)  # no order of sizes: none is known to be smaller
        most = max(min(MOST_CELLS // len(self.lines[RATE]), int(rank.max()) + 1), 1)
        is_larger = np.zeros(designs.shape, dtype=bool)
        changes = [np.diff(size, axis=1) for size in sizes]
        is_larger[:, 1:] = np.all([x >= 0 for x in changes], axis=0)
        is_larger[:, 1:] &= np.any([x > 0 for x in changes], axis=0)
        return _Cells(rank * most // (int(rank.max()) + 1), is_larger)


@compiled
def _lower(fastest: FloatArray, cell: IntArray, cycles: FloatArray) -> None:
    """Note the cycles of an array, shape (buffers, rates), in the cells of its buffers."""
    for buffer in range(cycles.shape[0]):
        for rate in range(cycles.shape[1]):
            if cycles[buffer, rate] < fastest[cell[buffer], rate]:
                fastest[cell[buffer], rate] = cycles[buffer, rate]
