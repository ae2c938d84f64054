"""The designs that a study has costed."""

from collections.abc import Mapping

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.exploration.problem import Problem


class Ledger:
    """The designs that were costed, each once, in the order of costing.

    Parameters
    ----------
    problem
        What is searched.
    grid
        Costs of the whole space in the order of the grid, if it was enumerated before: a design
        that is asked for is looked up there, and counts as costed.
    """

    def __init__(self, problem: Problem, grid: Mapping[str, FloatArray] | None = None) -> None:
        self.problem = problem
        self._grid = grid
        self._batches: list[tuple[IntArray, dict[str, FloatArray]]] = []
        self._told: dict[int, tuple[list[float], list[float]]] = {}

    def __len__(self) -> int:
        return len(self._told)

    def __contains__(self, index: int) -> bool:
        return index in self._told

    def cost(self, indices: list[int], *, most: int | None = None) -> int:
        """Cost those designs that are new, in one call, and return how many they were."""
        new = list(dict.fromkeys(index for index in indices if index not in self._told))[:most]
        if not new:
            return 0
        array = np.array(new, dtype=np.int64)
        if self._grid is None:
            costs = self.problem.costs(self.problem.space.columns(array))
        else:
            costs = {name: values[array] for name, values in self._grid.items()}
        points, constraints = self.problem.told(costs)
        self._batches.append((array, costs))
        told = zip(points.tolist(), constraints.tolist(), strict=True)
        self._told.update(zip(new, told, strict=True))
        return len(new)

    def told(self, index: int) -> tuple[list[float], list[float]]:
        """Return what Optuna is told of a design: values and constraints."""
        return self._told[index]

    @property
    def indices(self) -> IntArray:
        """Indices of the designs in the order of costing, of shape (designs,)."""
        return np.concatenate([np.empty(0, np.int64), *(indices for indices, _ in self._batches)])

    @property
    def costs(self) -> dict[str, FloatArray]:
        """Costs of the designs in the order of costing."""
        names = self._batches[0][1] if self._batches else {}
        return {name: np.concatenate([costs[name] for _, costs in self._batches]) for name in names}

    @property
    def checkpoints(self) -> list[int]:
        """Number of designs that had been costed after each batch."""
        return np.cumsum([len(indices) for indices, _ in self._batches]).tolist()
