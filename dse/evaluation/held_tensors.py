"""Networks whose tensors may stay on the chip between layers, on many machines that share an array.

Each layer is looked up with what is held of its operands, in the room that held tensors leave; the
dynamic program of `dse.network.shortest` then chooses places.
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.evaluation.criteria import criteria_of
from dse.evaluation.lookup import write_layer
from dse.evaluation.overheads import launch_s
from dse.evaluation.time_of_designs import Queries, scratch_for
from dse.hardware import Accelerator, Transfers
from dse.hardware.memory import Sizes, copies_of_a_tile
from dse.mapping.objective import Objective
from dse.mapping.points import Criteria
from dse.mapping.question import Question
from dse.network.as_run import LayerRun, layer_runs, run_key
from dse.network.places import LayerStep, PlaceGraph
from dse.network.shortest import Way, Weights, path, rests
from dse.network.tensors import NetworkTensor, crossing_limited, tensors_of
from dse.stopping import workers
from dse.workload import Workload


class _HeldLayer(NamedTuple):
    """A layer with what is held of it, and the bits of all that is held while it runs."""

    run: LayerRun
    held_bits: int


class _LookUps:
    """Distinct layers, with what is held, that are looked up on the machines of an array.

    Parameters
    ----------
    chip
        One of the machines.
    least_bits
        The fewest bits that tiles may take in each buffer where nothing is held.
    """

    def __init__(self, chip: Accelerator, least_bits: Sequence[int]) -> None:
        self.chip, self.buffer = chip, tensor_buffer(chip)
        self.least_bits, self.copies = tuple(least_bits), copies_of_a_tile(chip.transfers)
        self.parts: list[_HeldLayer] = []
        self._places: dict[Hashable, int] = {}

    def place(self, run: LayerRun, held_bits: int) -> int:
        """Return the place of a layer among those that differ."""
        key = run_key(run, self.chip), run.layer.repeat, held_bits
        place = self._places.setdefault(key, len(self.parts))
        if place == len(self.parts):
            self.parts.append(_HeldLayer(run, held_bits))
        return place

    @cached_property
    def criteria(self) -> list[Criteria]:
        """The criteria of the mappings of each layer, found with all processors."""
        most: dict[Hashable, int] = {}
        for run, held_bits in self.parts:
            most[run.layer.key] = max(most.get(run.layer.key, 0), held_bits)

        def found(part: _HeldLayer) -> Criteria:
            rooms = list(self.least_bits)
            rooms[self.buffer] = self._left(rooms[self.buffer], most[part.run.layer.key])
            return criteria_of(part.run, self.chip, Question.above(rooms))

        with workers() as pool:
            return list(pool.map(found, self.parts))

    def _left(self, room_bits: Sizes, held_bits: int) -> Sizes:
        """Return the bits that tiles may take beside what is held."""
        return (room_bits * self.copies - held_bits) // self.copies

    def costs(self, queries: Queries, weights: Weights) -> FloatArray:
        """Return seconds and bits of each layer in the mapping of the least weighted sum.

        Returns
        -------
        shape (layers, 2, machines)
        """
        costs = np.empty((len(self.parts), 2, len(queries.clock_hz)))
        scratch = scratch_for(max(len(x.dram_bits) for x in self.criteria), 1)
        rule = int(Transfers.of(self.chip.transfers)), int(Objective.ENERGY_PJ), 0.0, 1.0
        for part, criteria, cost in zip(self.parts, self.criteria, costs, strict=True):
            rooms = queries.rooms.copy()
            rooms[:, self.buffer] = self._left(rooms[:, self.buffer], part.held_bits)
            asked = queries._replace(
                rooms=rooms, leakage_w=weights.second, dram_pj_per_bit=weights.bit
            )
            write_layer(criteria, asked, rule, (cost[0], cost[1]), scratch)
            cost[0] += launch_s(part.run, self.chip)
            cost *= part.run.layer.repeat
        return costs


class HeldTensors:
    """A network on the machines of an array, of which tensors may stay on the chip.

    Parameters
    ----------
    network, chip
        What runs; one of the machines.
    room_bits : for each buffer, shape (machines,)
        Bits that tiles may take where nothing is held.

    Attributes
    ----------
    is_exact
        Whether the best schedule is found; see `dse.network.tensors.crossing_limited`.
    """

    def __init__(self, network: Workload, chip: Accelerator, room_bits: Sequence[IntArray]) -> None:
        self.chip, self.runs = chip, layer_runs(network, chip)
        self.tensors, self.is_exact = crossing_limited(tensors_of(network, self.runs))
        self._look_ups = _LookUps(chip, [int(bits.min()) for bits in room_bits])
        most = int(room_bits[self._look_ups.buffer].max()) * self._look_ups.copies
        steps = PlaceGraph(self.runs, self.tensors, most).steps()
        place = self._look_ups.place
        self._ways = [
            [Way(step, place(step.run, step.held_bits)) for step in layer] for layer in steps
        ]

    @property
    def num_parts(self) -> int:
        """Distinct layers with what is held of them."""
        return len(self._look_ups.parts)

    def least(self, queries: Queries, weights: Weights) -> tuple[FloatArray, FloatArray]:
        """Return seconds and bits of the schedules of the least weighted sum."""
        costs = self._look_ups.costs(queries, weights)
        whole = rests(self._ways, costs, weights)[0][()]
        return whole.seconds, whole.bits

    def path(self, queries: Queries, weights: Weights) -> tuple[LayerStep, ...]:
        """Return the steps of the schedule of the least weighted sum on a single machine."""
        return path(self._ways, self._look_ups.costs(queries, weights), weights)

    def bound(self, queries: Queries, weights: Weights) -> float:
        """Return a sum that no schedule of a single machine is below: what may stay does, free."""
        look_ups = _LookUps(self.chip, self._look_ups.least_bits)
        written = {one.writer: one for one in self.tensors}
        places = [
            look_ups.place(self._freest(run, written.get(number)), 0)
            for number, run in enumerate(self.runs)
        ]
        costs = look_ups.costs(queries, weights)
        sums = [float(weights.of(costs[x, 0], costs[x, 1])[0]) for x in places]
        return float(np.sum(sums))

    def _freest(self, run: LayerRun, own: NetworkTensor | None) -> LayerRun:
        """Return a layer with all operands held that can be."""
        layer = run.layer
        if own is None or layer.repeat > 1:
            return run
        reads = [x for one in self.tensors for x in one.reads if self.runs[x.run] is run]
        masked = replace(
            layer,
            held_elements=sum(x.elements for x in reads if x.operand == "input"),
            held_added_elements=sum(x.elements for x in reads if x.operand == "added"),
            output_is_held=not own.is_result,
        )
        return replace(run, layer=masked)


def tensor_buffer(chip: Accelerator) -> int:
    """Return which buffer holds tensors: that of inputs and outputs."""
    return next(n for n, x in enumerate(chip.buffers) if {"input", "output"} <= set(x.holds))


def room_with(chip: Accelerator, held_bits: int) -> tuple[int, ...]:
    """Return the bits that tiles may take in each buffer while tensors are held."""
    rooms, place = list(chip.usable_buffer_bits), tensor_buffer(chip)
    copies = copies_of_a_tile(chip.transfers)
    rooms[place] = (rooms[place] * copies - held_bits) // copies
    return tuple(rooms)
