"""Mapping tables and schedules of networks for notebooks."""

import pandas as pd

from dse.cost.time import DEFAULT_SLACK
from dse.errors import DseError
from dse.evaluation.model import evaluate
from dse.hardware import Accelerator
from dse.mapping.question import Question
from dse.mapping.table import MappingTable, table_of
from dse.network.schedule import NetworkSchedule
from dse.workload import Layer, Workload


class FramedTable(MappingTable):
    """A mapping table that gives its curves as DataFrames."""

    def curve(self) -> pd.DataFrame:
        """Return `least_traffic` as a DataFrame with columns buffer_bytes and dram_bytes."""
        sizes, traffic = self.least_traffic()
        return pd.DataFrame({"buffer_bytes": sizes, "dram_bytes": traffic})

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each mapping: bytes of buffers and of the DRAM, and cycles."""
        costs = {
            "footprint_bytes": self.footprint_bits.sum(axis=1) / 8,
            "dram_bytes": self.dram_bits / 8,
            "compute_cycles": self.compute_cycles,
        }
        return pd.DataFrame(costs)


def mapping_table(layer: Layer, chip: Accelerator) -> FramedTable:
    """Return the exact mapping table of a layer on a machine, computed once and stored.

    Parameters
    ----------
    layer
        A layer with MACs.
    chip
        The machine; its bytes, rates and clock do not count.

    Raises
    ------
    DseError
        If the layer has no MACs, or is too large to count in 64 bits.
    """
    table = table_of(layer, chip, Question())
    return FramedTable(layer=table.layer, chip=table.chip, points=table.points)


def network_schedule(
    network: Workload,
    accelerator: Accelerator,
    *,
    objective: str = "latency_s",
    slack: float = DEFAULT_SLACK,
) -> NetworkSchedule:
    """Return what stays on the chip between the layers of a network on a machine.

    Parameters
    ----------
    network, accelerator
        What runs, on what; its ``between_layers`` says what may stay.
    objective, slack
        As for `evaluate`.

    Raises
    ------
    DseError
        If the machine has ``between_layers: none``, or no mapping of some layer fits.
    """
    schedule = evaluate(network, accelerator, objective=objective, slack=slack).schedule
    if schedule is None:
        raise DseError(
            f"accelerator {accelerator.name!r}.between_layers must be tensors for a schedule of "
            f"the network, got {accelerator.between_layers!r}"
        )
    return schedule
