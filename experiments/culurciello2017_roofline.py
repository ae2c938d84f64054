"""Snowflake's roofline with AlexNet, GoogLeNet, ResNet-50 and a linear layer on it.

Source: the figure of Culurciello, Zaidy, Gokhale, Computation and memory bandwidth in deep neural
networks, 2017-05-01: operational intensities read by pixel position (+-1 %), rates of the networks
as printed in the tables of the authors' Snowflake post of the same day, that of the linear layer
read off the figure. Copied in data/snowflake_system.csv and data/snowflake.csv.

Machine: `snowflake` as configured, least energy-delay product of each layer; nothing but the
efficiency of the DRAM is fitted, and that on the linear layer, whose rate is therefore in
culurciello2017_linear and not here. Classifiers are left out as in the published tables, and so are
pooling and additions: they have no rows there, and what they cost is not published.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import Roof, networks_roofline_figure
from experiments.comparison import DATA, report
from experiments.evidence import FITTED, MEASURED, MODEL, Choice
from experiments.snowflake import OPERATIONS_PER_MAC, layers, operations

MACHINE = "Snowflake"
KIND = {"operations_per_byte": MODEL, "operations_per_s": MEASURED}
CHOSEN_ON = (
    Choice(
        rule="share of the DRAM's peak that is delivered",
        on="the rate of the linear layer, in culurciello2017_linear and not here",
        how=FITTED,
    ),
)
WORKLOADS = {
    "AlexNet": "alexnet_one_tower",
    "GoogLeNet": "googlenet",
    "ResNet-50": "resnet50_v1",
    "linear layer": "linear",
}

_ITEMS = pd.read_csv(DATA / "snowflake_system.csv").set_index("item")["value"]
_KEYS = ("alexnet", "googlenet", "resnet50")
PUBLISHED = pd.DataFrame(
    {
        "operations_per_byte": [
            float(_ITEMS[f"arithmetic_intensity_{key}"]) for key in (*_KEYS, "linear")
        ],
        "operations_per_s": [float(_ITEMS[f"actual_{key}"]) * 1e9 for key in _KEYS]
        + [float("nan")],
    },
    index=list(WORKLOADS),
)
TOLERANCE = {
    "operations_per_byte": 0.02,  # the figure can be read to 1 %
    "operations_per_s": 0.05,  # what a model without the control processor can ask for
}
MISSED = {
    ("AlexNet", "operations_per_byte"): (
        "118 contradicts the authors' own traffic figure, 1198 M-ops over 16.4 MB = 73; "
        "the mapper finds 2.7 times less traffic than that schedule"
    ),
    ("GoogLeNet", "operations_per_byte"): (
        "the schedule is not published; 49 MB of traffic, where each layer's data moved once are "
        "26.5 MB and the mapper needs 27.0"
    ),
    ("ResNet-50", "operations_per_byte"): (
        "162 means 42 MB for the printed operations, less than the 46.9 MB of 16-bit weights alone"
    ),
}


def run() -> pd.DataFrame:
    """Evaluate the layers with MACs of each network."""
    found = {name: layers(workload) for name, workload in WORKLOADS.items()}
    return pd.DataFrame(
        {
            "operations_per_byte": [operations(x) / x["dram_bytes"].sum() for x in found.values()],
            "operations_per_s": [
                operations(x) / x["latency_s"].sum() if name != "linear layer" else float("nan")
                for name, x in found.items()
            ],
        },
        index=list(found),
    )


def figure(ours: pd.DataFrame) -> Figure:
    """Draw the networks under the roof, ours filled and as published hollow."""
    chip = dse.load_accelerator("snowflake")
    peak = chip.num_macs * chip.clock_hz
    rate = chip.peak_dram_bytes_per_s
    linear = layers(WORKLOADS["linear layer"])
    filled = ours.assign(
        operations_per_s=ours["operations_per_s"].fillna(
            operations(linear) / linear["latency_s"].sum()
        )
    )
    printed = PUBLISHED.fillna(float(_ITEMS["performance_linear"]) * 1e9)
    columns = {"operations_per_byte": "operational_intensity", "operations_per_s": "macs_per_s"}
    points = (filled / OPERATIONS_PER_MAC).rename(columns=columns)
    hollow = (printed / OPERATIONS_PER_MAC).rename(columns=columns)
    return networks_roofline_figure(
        points.assign(
            name=points.index,
            published_macs_per_s=hollow["macs_per_s"],
            published_operational_intensity=hollow["operational_intensity"],
        ),
        Roof(peak_macs_per_s=peak, dram_bytes_per_s=rate, dram_efficiency=chip.dram.efficiency),
        finding="Networks run at Snowflake's peak, a linear layer at 3 % of it; rates agree, "
        "published intensities do not follow from one schedule",
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
