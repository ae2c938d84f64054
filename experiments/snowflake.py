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


def only(workload: dse.Workload, *names: str) -> dse.Workload:
    """Return the layers of these names as a network of its own."""
    return replace(workload, layers=tuple(x for x in workload.layers if x.name in names))


def published_schedule(layer_name: str) -> dict[str, object]:
    """Return the published schedule of a layer of AlexNet as a given mapping.

    Whole rows in as many tiles as published, sums never cut, one kernel in each of the 16 vector
    units at a time, so that all weights are sent again for each tile of rows.
    """
    own = load_group("mapping", "snowflake_alexnet")["layers"][layer_name]
    return {"layers": {layer_name: own}}


@lru_cache(maxsize=1)
def scheduled() -> pd.DataFrame:
    """Return the convolutions of AlexNet under their published schedule, by name."""
    alexnet = network("alexnet_one_tower")
    convolutions = tuple(x for x in alexnet.layers if not x.name.startswith("fc"))
    chip = dse.load_accelerator("snowflake")
    found = dse.evaluate(replace(alexnet, layers=convolutions), chip, mapping="snowflake_alexnet")
    return found.layers.set_index("name").loc[list(SCHEDULED)]


@lru_cache(maxsize=8)
def all_layers(name: str) -> pd.DataFrame:
    """Return all layers of a network, each with its least energy-delay product.

    It weighs time against traffic; for the least time alone a layer bound by its MACs may waste any
    amount of traffic.
    """
    return dse.evaluate(network(name), dse.load_accelerator("snowflake"), objective="edp").layers


def layers(name: str) -> pd.DataFrame:
    """Return the layers with MACs but the classifier.

    The published tables leave out the classifier, and have no rows for pooling and additions.
    """
    rows = all_layers(name)
    is_convolution = (rows["macs"] > 0) & ~rows["name"].str.startswith("fc")
    return rows[is_convolution | (name == "linear")]


def operations(rows: pd.DataFrame) -> float:
    """Return the operations of layers without the taps that fall on padding, as published."""
    peak = dse.load_accelerator("snowflake")
    macs = rows["time_mac_s"].sum() * peak.num_macs * peak.clock_hz
    return float(OPERATIONS_PER_MAC * macs)
