"""The exact front of a grid that is too large to cost whole: blocks that cannot hold it are cut.

More buffer, DRAM rate or clock never lowers the throughput, where mappings minimise the time, and
never makes a chip smaller or cheaper (DESIGN.md section 8). So the fastest corner of a block of
designs and its smallest one bound every design in it: if a known design dominates that bound, no
design of the block is on the front.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from dse.arrays import BoolArray, FloatArray, IntArray
from dse.compiling import allocating
from dse.pareto import non_dominated
from dse.quantities import minimised
from dse.search.problem import Costs, Problem, is_feasible, relative_violations

BEST_AT_MOST = frozenset({"throughput_per_s", "latency_s"})
"""Quantities that more of a resource never makes worse."""

BEST_AT_LEAST = frozenset({"area_mm2", "dram_bytes_per_s", "cost_usd"})
"""Quantities that more of a resource never makes better."""

PARTS = 4
"""Blocks are cut into so many along each knob."""

CHUNK_BLOCKS = 2**18
"""Blocks of which corners are costed in one call."""


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

    def take(self, mask: BoolArray) -> "Blocks":
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
    return problem.more_is_faster and is_bounded and is_few and is_mapped and bool(varied)


def cut_front(problem: Problem, *, progress: bool) -> Cuts:
    """Find the exact front of a problem of which `can_cut` is true.

    Parameters
    ----------
    progress
        Whether to draw a progress bar; it is drawn on a terminal only.
    """
    grid = _Grid(problem)
    known = points = np.empty((0, len(problem.objectives)))
    blocks, sizes, num_costed = grid.whole(), grid.sizes, 0
    bar = tqdm(
        total=problem.space.size, desc="exact", unit="design", disable=None if progress else True
    )
    with bar:
        while max(sizes) > 1 and len(blocks.base):
            known = points[non_dominated(points)]
            parts = tuple(max(size // PARTS, 1) for size in sizes)
            kept, found = [], []
            for chunk in grid.children(blocks, sizes, parts):
                bounds, corners = grid.bounds(chunk, parts)
                num_costed += len(chunk.base) * (1 if max(parts) == 1 else 2)
                is_open = np.array(np.isfinite(bounds).all(axis=1))
                is_open[is_open] = ~strictly_dominated(bounds[is_open], known)
                bar.update(int(grid.num_designs(chunk, parts)[~is_open].sum()))
                kept.append(chunk.take(is_open))
                found.append(corners[~strictly_dominated(corners, known)])
            blocks = Blocks(*(np.concatenate(columns) for columns in zip(*kept, strict=True)))
            points, sizes = np.concatenate([known, *found]), parts
        # each block that is left is a design now, and the last points are theirs
        blocks = blocks.take(non_dominated(points[len(points) - len(blocks.base) :]))
        bar.update(bar.total - bar.n)
    return Cuts(np.sort(grid.indices(blocks.base, blocks.low)), num_costed)


class _Grid:
    """A space as blocks: its resources, values ascending, and its other knobs."""

    def __init__(self, problem: Problem) -> None:
        space = problem.space
        names = resources(problem)
        strides = dict(zip(space.knobs, _strides(space.shape), strict=True))
        self.problem = problem
        self.lengths = tuple(len(space.knobs[name]) for name in names)
        self.sizes = tuple(_power_of_parts(length) for length in self.lengths)
        self.order = [np.argsort(np.array(space.knobs[name])) for name in names]
        self.strides = [strides[name] for name in names]
        others = [name for name in space.knobs if name not in names]
        bases = np.zeros(1, dtype=np.int64)
        for name in others:
            steps = strides[name] * np.arange(len(space.knobs[name]))
            bases = (bases[:, None] + steps).ravel()
        self.bases = bases
        self.best_at_most = np.array([name in BEST_AT_MOST for name in problem.objectives])

    def whole(self) -> Blocks:
        """Return one block for each choice of the other knobs."""
        return Blocks(self.bases, np.zeros((len(self.bases), len(self.lengths)), np.int64))

    def children(
        self, blocks: Blocks, sizes: tuple[int, ...], parts: tuple[int, ...]
    ) -> Iterator[Blocks]:
        """Yield the blocks of smaller sizes that blocks of larger sizes are made of."""
        steps = [range(0, size, part) for size, part in zip(sizes, parts, strict=True)]
        offsets = np.array(list(product(*steps)))
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

        Both of shape (..., objectives), less is better. Blocks of one design are their own bound,
        and the known points are then those of all blocks that are not infinite.
        """
        problem, objectives = self.problem, self.problem.objectives
        least = self._costs(blocks.base, blocks.low)
        is_single = max(parts) == 1
        most = least if is_single else self._costs(blocks.base, self.high(blocks, parts))
        ends = minimised(most, objectives), minimised(least, objectives)
        bounds = np.where(self.best_at_most, *ends)
        corners = []
        for costs in (least,) if is_single else (least, most):
            feasible = is_feasible(costs, objectives, problem.budget)
            corners.append(minimised(costs, objectives)[feasible])
            if is_single:
                bounds[~feasible] = np.inf
        best = {name: most[name] if name in BEST_AT_MOST else least[name] for name in most}
        known = {
            name: limit
            for name, limit in problem.budget.items()
            if name in BEST_AT_MOST | BEST_AT_LEAST
        }
        hopeless = (relative_violations(best, known) > 0).any(axis=1) | np.isinf(best["latency_s"])
        bounds[hopeless] = np.inf
        return bounds, np.concatenate(corners)

    def _costs(self, base: IntArray, places: IntArray) -> Costs:
        return self.problem.costs(self.problem.space.columns(self.indices(base, places)))


def _power_of_parts(length: int) -> int:
    """Return the least power of `PARTS` that is no less than a length."""
    size = 1
    while size < length:
        size *= PARTS
    return size


def _strides(shape: tuple[int, ...]) -> list[int]:
    """Return by how much the index of a design grows with the place of each knob."""
    return [int(np.prod(shape[place + 1 :], dtype=np.int64)) for place in range(len(shape))]


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
