"""Many designs of which tensors may stay on the chip between layers."""

from collections.abc import Iterator

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.cost.energy import scaled_macs
from dse.evaluation.design_columns import Machines
from dse.evaluation.held_tensors import HeldTensors
from dse.evaluation.query_parts import parts_of_designs, queries_of
from dse.evaluation.time_and_traffic import Chosen, Energies, chosen
from dse.evaluation.time_of_designs import Queries
from dse.hardware import Accelerator
from dse.mapping.objective import Objective
from dse.network.places import LayerStep
from dse.network.shortest import Weights
from dse.workload import Workload

MOST_COSTS = 2**22
"""Layers with what is held of them, times designs, that are looked up together: 16 bytes each."""


class HeldDesigns:
    """A network on designs that share an array.

    Parameters
    ----------
    network, chip
        The layers at their batch; one of the machines.
    machines
        All machines.
    designs : shape (designs,)
        Which of them have the array.
    """

    def __init__(
        self, network: Workload, chip: Accelerator, machines: Machines, designs: IntArray
    ) -> None:
        self.machines, self.designs = machines, designs
        self.held = HeldTensors(network, chip, [bits[designs] for bits in machines.room_bits])
        self._macs = scaled_macs(network.layers)

    def write(
        self, objective: Objective, longest: float, costs: tuple[FloatArray, FloatArray]
    ) -> None:
        """Write seconds and bits of the designs.

        Parameters
        ----------
        objective, longest
            As for `dse.evaluation.time_and_traffic.chosen`.
        costs : two of shape (machines,)
            Of which those of the designs are written; inf where a layer does not fit.
        """
        for designs, queries in self._parts():
            found = self._chosen(designs, queries, objective, longest)
            costs[0][designs], costs[1][designs] = found.seconds, found.bits

    def schedule(
        self, objective: Objective, longest: float
    ) -> tuple[tuple[LayerStep, ...], tuple[float, float], float]:
        """Return the steps of the one design, the weights that choose them, and their gap.

        The gap is the share of the weighted sum that a schedule not found may save, 0 where none.
        """
        ((designs, queries),) = self._parts()
        found = self._chosen(designs, queries, objective, longest)
        if not np.isfinite(found.seconds[0]):
            return (), (0.0, 0.0), 0.0
        steps, gap = self.held.path(queries, found.weights), 0.0
        if not self.held.is_exact:
            least = float(found.weights.of(found.seconds, found.bits)[0])
            gap = 1 - self.held.bound(queries, found.weights) / least
        return steps, (float(found.weights.second[0]), float(found.weights.bit[0])), gap

    def _parts(self) -> Iterator[tuple[IntArray, Queries]]:
        at_once = max(MOST_COSTS // self.held.num_parts, 1)
        for first in range(0, len(self.designs), at_once):
            some = self.designs[first : first + at_once]
            for part in parts_of_designs(self.machines, some, is_fastest=False):
                yield queries_of(self.machines, *part, is_fastest=False)

    def _chosen(
        self, designs: IntArray, queries: Queries, objective: Objective, longest: float
    ) -> Chosen:
        machines = self.machines
        energies = Energies(
            self._macs * machines.mac_pj[designs],
            machines.leakage_w[designs],
            machines.dram_pj_per_bit[designs],
        )

        def least(where: IntArray, weights: Weights) -> tuple[FloatArray, FloatArray]:
            return self.held.least(_some(queries, where), weights)

        return chosen(least, objective, energies, longest)


def _some(queries: Queries, where: IntArray) -> Queries:
    """Return some of the machines, in their order."""
    return queries._replace(
        room=queries.room[where],
        starts=np.array([0, len(where)]),
        rate_bytes_per_s=queries.rate_bytes_per_s[where],
        clock_hz=queries.clock_hz[where],
        mac_pj=np.zeros(len(where)),
    )
