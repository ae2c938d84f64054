"""The exact front of a grid that is too large to cost whole: blocks that cannot hold it are cut.

More buffer, DRAM rate or clock never lowers the throughput, where mappings minimise the time, and
never makes a chip smaller or cheaper (dse/docs/model.md#laws). So the fastest corner of a block of
designs and its smallest one bound every design in it: if a known design dominates that bound, no
design of the block is on the front.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice, product
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from dse.arrays import BoolArray, FloatArray, IntArray
from dse.compiling import allocating
from dse.exploration.problem import Problem, is_feasible, relative_violations
from dse.pareto import minimised, non_dominated
from dse.space import Columns

BEST_AT_MOST = frozenset({"throughput_per_s", "latency_s"})
"""Quantities that more of a resource never makes worse."""

BEST_AT_LEAST = frozenset({"area_mm2", "dram_bytes_per_s", "cost_usd"})
"""Quantities that more of a resource never makes better."""

PARTS = 4
"""Blocks are cut into so many along each knob."""

LEAST_BLOCK = 16
"""Designs of a block below which to cost each is cheaper than to cut further."""

CHUNK_BLOCKS = 2**19
"""Blocks or designs that are costed in one call."""

NUM_THREADS = 2
"""Calls at a time; each uses all processors where it looks designs up."""


class Blocks(NamedTuple):
    """Blocks of designs of one size.

    Attributes
    ----------
    base : shape (blocks,)
        Index of a design with the block's other knobs and the least of each resource.
    low : shape (blocks, resources)
        The least place of each resource in the block, its values ascending.
    """

    base: IntArray
    low: IntArray

    def take(self, mask: BoolArray | np.bool_) -> "Blocks":
        """Return the blocks that are marked."""
        return Blocks(self.base[mask], self.low[mask])


class Cuts(NamedTuple):
    """Indices of the front, rising, and how many designs were costed to prove it."""

    front: IntArray
    num_costed: int


def resources(problem: Problem) -> tuple[str, ...]:
    """Return the knobs of which more never lowers the throughput: buffers, DRAM rate, clock."""
    chip = problem.space.accelerator
    names = {buffer.bytes for buffer in chip.buffers} - {axis.size for axis in chip.array}
    names |= {"dram_bytes_per_s", "dram_channels", "clock_hz"}
    return tuple(name for name in problem.space.knobs if name in names)


def can_cut(problem: Problem) -> bool:
    """Whether blocks can be cut: all of two or three objectives are bounded at the corners."""
    is_bounded = set(problem.objectives) <= BEST_AT_MOST | BEST_AT_LEAST
    is_few = len(problem.objectives) <= 3
    is_mapped = problem.space.accelerator.schedule is None
    varied = [name for name in resources(problem) if len(problem.space.knobs[name]) > 1]
    return problem.model.is_monotone and is_bounded and is_few and is_mapped and bool(varied)


def cut_front(problem: Problem, *, progress: bool) -> Cuts:
    """Find the exact front of a problem of which `can_cut` is true.

    Parameters
    ----------
    progress
        Whether to draw a progress bar; it is drawn on a terminal only.
    """
    grid, space = _Grid(problem), problem.space
    blocks, sizes = grid.whole(), grid.sizes
    known = np.empty((0, len(problem.objectives)))
    grid.bounds(blocks, (1,) * len(sizes))  # so that what needs least room is known first
    num_costed = len(blocks.base)
    bar = tqdm(total=space.size, desc="exact", unit="design", disable=None if progress else True)
    with bar, ThreadPoolExecutor(NUM_THREADS) as pool:
        parts = _smaller(sizes)
        while np.prod(parts) >= LEAST_BLOCK:
            chunks = list(grid.children(blocks, sizes, parts))
            found = list(pool.map(partial(grid.bounds, parts=parts), chunks))
            blocks, bounds = joined(chunks), np.concatenate([bound for bound, _ in found])
            num_costed += len(blocks.base)
            known = np.concatenate([known, *(corners for _, corners in found)])
            known = known[non_dominated(known)]
            is_open = np.isfinite(bounds).all(axis=1) & ~strictly_dominated(bounds, known)
            bar.update(int(grid.num_designs(blocks, parts)[~is_open].sum()))
            blocks, sizes, parts = blocks.take(is_open), parts, _smaller(parts)
        designs, points = [blocks.take(np.zeros(len(blocks.base), bool))], [known[:0]]
        for some in _several(grid.children(blocks, sizes, (1,) * len(sizes))):
            for chunk, front, costs in pool.map(grid.front_of, some):
                designs.append(front)
                points.append(costs)
                num_costed += len(chunk.base)
                bar.update(len(chunk.base))
    found_designs = joined(designs).take(non_dominated(np.concatenate(points)))
    return Cuts(np.sort(grid.indices(*found_designs)), num_costed)


def _smaller(sizes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(max(size // PARTS, 1) for size in sizes)


def _several(chunks: Iterator[Blocks]) -> Iterator[list[Blocks]]:
    """Yield as many chunks at a time as there are threads, so that few are in memory."""
    while some := list(islice(chunks, NUM_THREADS)):
        yield some


def joined(blocks: Sequence[Blocks]) -> Blocks:
    """Return blocks as one."""
    return Blocks(*(np.concatenate(columns) for columns in zip(*blocks, strict=True)))


class _Grid:
    """A space as blocks: its resources, values ascending, and its other knobs."""

    def __init__(self, problem: Problem) -> None:
        space = problem.space
        names = resources(problem)
        self.problem = problem
        self.lengths = tuple(len(space.knobs[name]) for name in names)
        self.sizes = tuple(_power_of_parts(length) for length in self.lengths)
        self.order = [np.argsort(np.array(space.knobs[name])) for name in names]
        self.strides = [space.strides[name] for name in names]
        others = [name for name in space.knobs if name not in names]
        bases = np.zeros(1, dtype=np.int64)
        for name in others:
            steps = space.strides[name] * np.arange(len(space.knobs[name]))
            bases = (bases[:, None] + steps).ravel()
        self.bases = bases

    def whole(self) -> Blocks:
        """Return one block for each choice of the other knobs."""
        return Blocks(self.bases, np.zeros((len(self.bases), len(self.lengths)), np.int32))

    def children(
        self, blocks: Blocks, sizes: tuple[int, ...], parts: tuple[int, ...]
    ) -> Iterator[Blocks]:
        """Yield the blocks of smaller sizes that blocks of larger sizes are made of."""
        steps = [range(0, size, part) for size, part in zip(sizes, parts, strict=True)]
        offsets = np.array(list(product(*steps)), dtype=np.int32)
        at_once = max(CHUNK_BLOCKS // len(offsets), 1)
        for start in range(0, len(blocks.base), at_once):
            low = blocks.low[start : start + at_once, None] + offsets
            base = np.repeat(blocks.base[start : start + at_once], len(offsets))
            low = low.reshape(-1, len(self.lengths))
            yield Blocks(base, low).take((low < np.array(self.lengths)).all(axis=1))

    def high(self, blocks: Blocks, parts: tuple[int, ...]) -> IntArray:
        """Return the most place of each resource in blocks."""
        return np.minimum(blocks.low + np.array(parts), self.lengths) - 1

    def num_designs(self, blocks: Blocks, parts: tuple[int, ...]) -> IntArray:
        """Return the number of designs of each block."""
        return np.asarray((self.high(blocks, parts) - blocks.low + 1).prod(axis=1))

    def indices(self, base: IntArray, places: IntArray) -> IntArray:
        """Return the indices of designs, given the place of each resource."""
        index = base.copy()
        for column, (order, stride) in enumerate(zip(self.order, self.strides, strict=True)):
            index += stride * order[places[:, column]]
        return index

    def bounds(self, blocks: Blocks, parts: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
        """Return the bound of each block, infinite where no design is feasible, and known points.

        Both of shape (..., objectives), less is better. A block is bounded by the time of its most
        and the size of its least design; known is the front of the former that are feasible.
        """
        problem, objectives = self.problem, self.problem.objectives
        most = problem.costs(self._columns(blocks.base, self.high(blocks, parts)))
        least = problem.model.chip_costs(self._columns(blocks.base, blocks.low))
        corners = minimised(most, objectives)[is_feasible(most, objectives, problem.budget)]
        best = {**most, **{name: least[name] for name in BEST_AT_LEAST}}
        limits = {
            name: limit
            for name, limit in problem.budget.items()
            if name in BEST_AT_MOST | BEST_AT_LEAST
        }
        hopeless = (relative_violations(best, limits) > 0).any(axis=1) | np.isinf(best["latency_s"])
        bounds = np.where(hopeless[:, None], np.inf, minimised(best, objectives))
        return bounds, corners[non_dominated(corners)]

    def front_of(self, blocks: Blocks) -> tuple[Blocks, Blocks, FloatArray]:
        """Return blocks of one design each, those of their own front, and the points of these."""
        problem, objectives = self.problem, self.problem.objectives
        costs = problem.costs(self._columns(blocks.base, blocks.low))
        feasible = is_feasible(costs, objectives, problem.budget)
        front, points = blocks.take(feasible), minimised(costs, objectives)[feasible]
        mask = non_dominated(points)
        return blocks, front.take(mask), points[mask]

    def _columns(self, base: IntArray, places: IntArray) -> Columns:
        return self.problem.space.columns(self.indices(base, places))


def _power_of_parts(length: int) -> int:
    """Return the least power of `PARTS` that is no less than a length."""
    size = 1
    while size < length:
        size *= PARTS
    return size


def strictly_dominated(points: FloatArray, rivals: FloatArray) -> BoolArray:
    """Mark the points that some rival dominates.

    Parameters
    ----------
    points, rivals : shape (points, objectives), (rivals, objectives)
        Up to three objectives, less is better.

    Returns
    -------
    shape (points,)
    """
    if not len(points) or not len(rivals):
        return np.zeros(len(points), dtype=bool)
    wide = [np.zeros((len(x), 3)) for x in (points, rivals)]
    for columns, x in zip(wide, (points, rivals), strict=True):
        columns[:, : x.shape[1]] = x
    points, rivals = wide
    order = np.argsort(points[:, 0], kind="stable")
    rivals = rivals[np.argsort(rivals[:, 0], kind="stable")]
    heights = np.unique(rivals[:, 1])
    ranks = np.stack(
        [np.searchsorted(heights, points[order, 1], side) for side in ("left", "right")]
    )
    marks = np.empty(len(points), dtype=bool)
    marks[order] = _sweep(points[order], rivals, ranks, np.searchsorted(heights, rivals[:, 1]))
    return marks


@allocating
def _least_up_to(tree: FloatArray, rank: int) -> float:
    """Return the least value of the first ranks of a Fenwick tree."""
    least = np.inf
    while rank > 0:
        least = min(least, tree[rank])
        rank -= rank & -rank
    return least


@allocating
def _sweep(points: FloatArray, rivals: FloatArray, ranks: IntArray, places: IntArray) -> BoolArray:
    """Mark the points that a rival dominates, both sorted by the first objective.

    `ranks` count the distinct second objectives of rivals below, and up to, that of each point;
    `places` are those of the rivals. The tree knows the least third objective of rivals that are no
    larger in the first, by the second.
    """
    tree = np.full(len(rivals) + 2, np.inf)
    marks = np.zeros(len(points), dtype=np.bool_)
    rival, start = 0, 0
    while start < len(points):
        end = start
        while end < len(points) and points[end, 0] == points[start, 0]:
            end += 1
        for is_equal in (False, True):
            while rival < len(rivals) and (
                rivals[rival, 0] < points[start, 0]
                or (is_equal and rivals[rival, 0] == points[start, 0])
            ):
                rank = places[rival] + 1
                while rank < len(tree):
                    tree[rank] = min(tree[rank], rivals[rival, 2])
                    rank += rank & -rank
                rival += 1
            for one in range(start, end):
                least = _least_up_to(tree, ranks[1, one])
                if is_equal:
                    lower = _least_up_to(tree, ranks[0, one])
                    marks[one] |= least < points[one, 2] or lower <= points[one, 2]
                else:
                    marks[one] = least <= points[one, 2]
        start = end
    return marks
