"""What each layer takes on many machines, as arrays of layers by quantities by machines."""

import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray
from dse.cost.energy import mac_scale
from dse.cost.time import latency_s
from dse.evaluation.lookup import write_layer
from dse.evaluation.time_of_designs import Queries, scratch_for
from dse.hardware import Accelerator, Transfers
from dse.mapping.objective import Objective
from dse.mapping.points import Criteria
from dse.network.as_run import LayerRun

QUANTITIES = ("latency_s", "dram_bits")
"""What is looked up of each layer."""


class MappedLayer(NamedTuple):
    """A layer as it runs, and the criteria of the mappings that it may have."""

    run: LayerRun
    criteria: Criteria


MOST_COSTS = 2**16
"""Layers times designs of a block, 16 bytes each: it is combined while it lies in the cache."""


class CostsBuffer(threading.local):
    """Memory for costs of layers, one for each thread: new memory costs more than look-ups."""

    def __init__(self) -> None:
        self._values: FloatArray = np.empty(0)

    def array(self, layers: int, machines: int) -> FloatArray:
        """Return an array of shape (layers, len(QUANTITIES), machines), of any content.

        It is valid until the next call of the thread.
        """
        size = layers * len(QUANTITIES) * machines
        if len(self._values) < size:
            self._values = np.empty(size)
        return self._values[:size].reshape(layers, len(QUANTITIES), machines)


class Choice(NamedTuple):
    """How the mapper of a machine chooses.

    Attributes
    ----------
    objective
        What is minimised.
    longest_share
        `dse.cost.time.longest_share` of the slack.
    """

    objective: Objective
    longest_share: float


def layer_costs(
    layers: Sequence[MappedLayer],
    chip: Accelerator,
    queries: Queries,
    choice: Choice,
    buffer: CostsBuffer,
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield what one run of each layer takes, without its launch, in blocks of layers.

    Parameters
    ----------
    layers
        Distinct layers.
    chip
        One of the machines: its array and rules count.
    queries
        The machines.
    choice
        How their mappers choose.
    buffer
        Where the costs are written.

    Yields
    ------
    slice
        Layers of a block.
    shape (layers of the block, len(QUANTITIES), machines)
        Seconds and bits; inf where no mapping fits. Valid until the next block.
    """
    machines = len(queries.clock_hz)
    at_once = max(MOST_COSTS // machines, 1)
    most = max((len(criteria.dram_bits) for _, criteria in layers), default=0)
    scratch = scratch_for(most, queries.ratios.shape[1])
    rule = int(Transfers.of(chip.transfers)), int(choice.objective)
    for first in range(0, len(layers), at_once):
        block = slice(first, min(first + at_once, len(layers)))
        costs = buffer.array(block.stop - first, machines)
        for (run, criteria), own in zip(layers[block], costs, strict=True):
            layer = run.layer
            if layer.has_macs and chip.schedule is not None:
                own[0], own[1] = _scheduled(criteria, chip, queries)
                continue
            work = layer.macs * float(mac_scale(layer.input_bits, layer.weight_bits))
            write_layer(
                criteria, queries, (*rule, work, choice.longest_share), (own[0], own[1]), scratch
            )
        yield block, costs


def _scheduled(
    criteria: Criteria, chip: Accelerator, queries: Queries
) -> tuple[FloatArray, FloatArray]:
    """Return seconds and DRAM bits of a layer under a machine's own schedule, (machines,) each."""
    shared = next(n for n, x in enumerate(chip.buffers) if {"input", "weight"} <= set(x.holds))
    rooms = queries.rooms[:, shared]
    row = np.searchsorted(criteria.footprint_bits[:, shared], rooms, side="right") - 1
    bits = np.where(row < 0, np.inf, criteria.dram_bits[row])[queries.room]
    compute = criteria.compute_cycles[0] / queries.clock_hz
    transfer = bits / 8 / queries.rate_bytes_per_s
    return latency_s(compute, transfer, 0.0, transfers=chip.transfers), bits
