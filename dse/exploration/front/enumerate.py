"""Exact enumeration of a space in chunks."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dse.arrays import BoolArray, FloatArray, IntArray
from dse.exploration.front.large_grids import can_screen, screened
from dse.exploration.problem import Costs, Problem, is_feasible
from dse.exploration.progress import Progress
from dse.pareto import minimised, non_dominated
from dse.space import Space

CHUNK_DESIGNS = 65_536
"""Designs that are costed in one call; their columns fit a processor's cache."""

SCREENED_AT_ONCE = 2**19
"""Designs that a screen leaves and that are costed in one call."""

CHUNKS = 16
"""Chunks of a small space, so that its progress shows."""

FEWEST_COMPARED = 2**14
"""Candidates for the front that are worth a comparison with it."""

KEPT_DESIGNS = 2_000_000
"""Designs up to which the costs of a whole grid are kept; of more, only those of the front."""


@dataclass(frozen=True, kw_only=True)
class Enumeration:
    """A space that was costed whole.

    Attributes
    ----------
    front : shape (designs of the front,)
        Indices of the feasible designs that no other dominates, rising.
    costs
        Costs of every design in the order of the grid, or None if they were too many to keep.
    front_costs
        Costs of the front, in its order.
    num_costed
        Designs costed; the others were proved to be dominated.
    """

    num_costed: int
    front: IntArray
    front_costs: dict[str, FloatArray]
    costs: dict[str, FloatArray] | None


def enumerate_space(problem: Problem, *, progress: bool) -> Enumeration:
    """Cost every design of the space and keep the exact front.

    Parameters
    ----------
    progress
        Whether to draw a progress bar; it is drawn on a terminal only.
    """
    if problem.space.size > KEPT_DESIGNS and can_screen(problem):
        return _enumerate_screened(problem, progress=progress)
    return cost_whole_grid(problem, progress=progress)


def cost_whole_grid(problem: Problem, *, progress: bool) -> Enumeration:
    """Cost every design, however many they are; see `enumerate_space`."""
    space = problem.space
    found = _Front(problem)
    kept: dict[str, FloatArray] | None = {} if space.size <= KEPT_DESIGNS else None
    with Progress(space.size, label="exact", is_shown=progress) as bar:
        for indices in _chunks(space):
            costs = problem.costs(space.columns(indices))
            if kept is not None:
                _store(kept, costs, indices, space.size)
            found.add(indices, costs)
            bar.update(len(indices))
    return found.enumeration(num_costed=space.size, costs=kept)


def _enumerate_screened(problem: Problem, *, progress: bool) -> Enumeration:
    """Cost the designs that a screen leaves, and keep the exact front."""
    space, found, num_costed = problem.space, _Front(problem), 0
    with Progress(space.size, label="exact", is_shown=progress) as bar:
        for left, num_done in screened(problem):
            for some in np.array_split(left, -(-len(left) // SCREENED_AT_ONCE) or 1):
                if len(some):
                    found.add(some, problem.costs(space.columns(some)))
                    num_costed += len(some)
            bar.update(num_done)
    return found.enumeration(num_costed=num_costed, costs=None)


class _Front:
    """The front of the designs so far, and their costs.

    Candidates wait until they are as many as the front: to compare it with all is dear.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._indices: IntArray = np.empty(0, np.int64)
        self._costs: dict[str, FloatArray] = {}
        self._waiting: list[tuple[IntArray, dict[str, FloatArray]]] = []
        self._num_waiting = 0

    def add(self, indices: IntArray, costs: Costs) -> None:
        """Add designs: the feasible ones that none of them dominates."""
        objectives = self._problem.objectives
        rows = np.flatnonzero(is_feasible(costs, objectives, self._problem.budget))
        rows = rows[non_dominated(minimised(costs, objectives)[rows])]
        self._waiting.append((indices[rows], {name: x[rows] for name, x in costs.items()}))
        self._num_waiting += len(rows)
        if self._num_waiting > max(len(self._indices), FEWEST_COMPARED):
            self._compare()

    def _compare(self) -> None:
        """Compare the candidates with the front and with each other."""
        self._indices = np.concatenate([self._indices, *(x for x, _ in self._waiting)])
        names = self._waiting[0][1] if self._waiting else self._costs
        parts = [self._costs, *(costs for _, costs in self._waiting)]
        self._costs = {
            name: np.concatenate([part[name] for part in parts if part]) for name in names
        }
        self._waiting, self._num_waiting = [], 0
        if len(self._indices):
            self._keep(non_dominated(minimised(self._costs, self._problem.objectives)))

    def _keep(self, rows: BoolArray | IntArray) -> None:
        self._indices = self._indices[rows]
        self._costs = {name: values[rows] for name, values in self._costs.items()}

    def enumeration(self, *, num_costed: int, costs: dict[str, FloatArray] | None) -> Enumeration:
        """Return the front in the order of the grid."""
        self._compare()
        self._keep(np.argsort(self._indices))
        return Enumeration(
            num_costed=num_costed, front=self._indices, front_costs=self._costs, costs=costs
        )


def _chunks(space: Space) -> Iterator[IntArray]:
    """Yield all designs, those of one array after another, as their mappings are found once.

    A chunk has all designs that share an array, if those are few.
    """
    axes = {axis.size for axis in space.accelerator.array} | {"batch"}
    slow = [name for name in space.knobs if name in axes]
    fast = [name for name in space.knobs if name not in axes]
    together = math.prod(len(space.knobs[name]) for name in fast)
    count = min(max(space.size // CHUNKS, 1), CHUNK_DESIGNS)
    if together <= CHUNK_DESIGNS:
        count = -(-count // together) * together
    for start in range(0, space.size, count):
        rest = np.arange(start, min(start + count, space.size), dtype=np.int64)
        if [*slow, *fast] == list(space.knobs):
            yield rest
            continue
        indices = np.zeros_like(rest)
        for name in reversed([*slow, *fast]):
            rest, place = np.divmod(rest, len(space.knobs[name]))
            indices += place * space.strides[name]
        yield indices


def _store(
    kept: dict[str, FloatArray], costs: Mapping[str, FloatArray], indices: IntArray, size: int
) -> None:
    for name, values in costs.items():
        if name not in kept:
            kept[name] = np.empty(size, values.dtype)
        kept[name][indices] = values
