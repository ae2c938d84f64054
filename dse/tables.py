"""Mapping tables for notebooks: arrays as pandas, which the model does without."""

import pandas as pd

from dse.hardware import Accelerator
from dse.mapping.question import Question
from dse.mapping.table import MappingTable, table_of
from dse.workload import Layer


class FramedTable(MappingTable):
    """A mapping table that gives its curves as DataFrames."""

    def curve(self) -> pd.DataFrame:
        """Return `least_traffic` as a DataFrame with columns buffer_bytes and dram_bytes."""
        sizes, traffic = self.least_traffic()
        return pd.DataFrame({"buffer_bytes": sizes, "dram_bytes": traffic})


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
