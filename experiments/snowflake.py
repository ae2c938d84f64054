"""Snowflake and its networks, as several experiments run them: 16-bit data, one configuration."""

from dataclasses import replace
from functools import lru_cache

import pandas as pd

import dse
from dse.config.files import load_group

BITS = {"input": 16, "weight": 16, "output": 16, "psum": 16}
OPERATIONS_PER_MAC = 2

SCHEDULED = ("conv1", "conv2", "conv3", "conv4", "conv5")
"""Layers of AlexNet with a published schedule, in conf/mapping/snowflake_alexnet.yaml."""


def network(name: str, batch: int = 1) -> dse.Workload:
    """Return a network with 16-bit operands."""
    return dse.load_workload(name, batch=batch, bits=BITS)


def only(workload: dse.Workload, name: str) -> dse.Workload:
    """Return the one layer of this name as a network of its own."""
    return replace(workload, layers=tuple(x for x in workload.layers if x.name == name))


def published_schedule(layer_name: str) -> dict[str, object]:
    """Return the published schedule of a layer of AlexNet as a given mapping.

    Whole rows in as many tiles as published, sums never cut, one kernel in each of the 16 vector
    units at a time, so that all weights are sent again for each tile of rows.
    """
    own = load_group("mapping", "snowflake_alexnet")["layers"][layer_name]
    return {"layers": {layer_name: own}}


def scheduled_row(layer_name: str) -> pd.Series:
    """Return the row of a layer of AlexNet under its published schedule."""
    layer, chip = only(network("alexnet_one_tower"), layer_name), dse.load_accelerator("snowflake")
    return dse.evaluate(layer, chip, mapping=published_schedule(layer_name)).layers.iloc[0]


@lru_cache(maxsize=8)
def layers(name: str) -> pd.DataFrame:
    """Return the layers with MACs but the classifier, each with its least energy-delay product.

    The published tables leave out the classifier, and have no rows for pooling and additions. The
    energy-delay product weighs time against traffic; for the least time alone a layer bound by its
    MACs may waste any amount of traffic.
    """
    chip = dse.load_accelerator("snowflake")
    rows = dse.evaluate(network(name), chip, objective="edp").layers
    is_convolution = (rows["macs"] > 0) & ~rows["name"].str.startswith("fc")
    return rows[is_convolution | (name == "linear")]


def operations(rows: pd.DataFrame) -> float:
    """Return the operations of layers without the taps that fall on padding, as published."""
    peak = dse.load_accelerator("snowflake")
    macs = rows["time_mac_s"].sum() * peak.num_macs * peak.clock_hz
    return float(OPERATIONS_PER_MAC * macs)
