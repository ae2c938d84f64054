"""Snowflake's systems: peaks of four models, frames/s, the average DRAM rate, and the successor.

Source: Culurciello et al., Snowflake, 2017-05-01: tables of models and of networks, and the text on
the traffic of AlexNet ("average of 1.53 GB/s", which is in GiB: 16.36 MB in 9.95 ms). The
successor's convolution, 256 to 256 maps, 3x3 without padding on 16 x 16, is of
github.com/FWDNXT/SDK, README at commit 656fdc4: one cluster of 128 G-ops/s. Copied in
data/snowflake_system.csv.

Machine: `snowflake` as configured; the larger models are its array with 4, 8 and 12 times the
vector units, at 187 MHz. The networks are those of culurciello2017_networks (ResNet-50 at the
printed operations), AlexNet's traffic is under its published schedule. The successor is run as
Snowflake, as nothing but its peak is published: its memory (Hybrid Memory Cube) is faster, which
does not matter to a convolution bound by its MACs. Nothing is fitted here.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from experiments import culurciello2017_networks as networks
from experiments.comparison import DATA, report
from experiments.evidence import ALL, DOUBLE, ECHO, MEASURED, MODEL, Choice
from experiments.plots import ratio_figure
from experiments.snowflake import BITS, OPERATIONS_PER_MAC, scheduled

MACHINE = "Snowflake"
KIND = {
    "operations_per_s": ECHO,
    "frames_per_s": DOUBLE,  # of culurciello2017_networks
    "average_dram_bytes_per_s": MODEL,
    "ideal_s": ECHO,
    "latency_s": MEASURED,
    "dram_bytes": MODEL,
}
CHOSEN_ON = (
    Choice(
        rule="AlexNet's tiles of rows",
        on="the traffic of the same text",
        rows=ALL,
        columns=("average_dram_bytes_per_s",),
    ),
)
CHIP = "Snowflake"
MODELS = {"Snowflake 1k": 4, "Snowflake 2k": 8, "Snowflake 3k": 12}  # times the vector units
MODELS_CLOCK_HZ = 187e6
NETWORKS = {"AlexNet": "alexnet_owt", "GoogLeNet": "googlenet", "ResNet-50": "resnet50"}
SUCCESSOR = "successor, 256 to 256 maps"

_ITEMS = pd.read_csv(DATA / "snowflake_system.csv").set_index("item")["value"]


def _item(name: str) -> float:
    return float(_ITEMS[f"sdk_conv_{name}"])


_EXPECTED_S = _item("expected_time") * 1e-3
PUBLISHED = pd.DataFrame(
    {
        "operations_per_s": {
            CHIP: float(_ITEMS["peak"]) * 1e9,
            **{
                name: float(peak) * 1e9 for name, peak in zip(MODELS, (383, 766, 1148), strict=True)
            },
        },
        "frames_per_s": {
            name: float(_ITEMS[f"fps_{name.lower().replace('-', '')}"]) for name in NETWORKS
        },
        "average_dram_bytes_per_s": {"AlexNet": 1.53 * 2**30},
        "ideal_s": {SUCCESSOR: _EXPECTED_S},
        "latency_s": {SUCCESSOR: _item("measured_time") * 1e-3},
        "dram_bytes": {SUCCESSOR: _item("expected_bandwidth") * 1e9 * _EXPECTED_S},
    },
    index=[CHIP, *MODELS, *NETWORKS, SUCCESSOR],
)
TOLERANCE = {
    "operations_per_s": 0.0015,  # three digits; 1148.9 is printed as 1148
    "frames_per_s": 0.05,  # as latency_s of culurciello2017_networks
    "average_dram_bytes_per_s": 0.05,  # as the time in it
    "ideal_s": 0.001,  # five digits, of 128 G-ops/s
    "latency_s": 0.15,  # another machine of the same peak
    "dram_bytes": 0.15,  # as latency_s
}
MISSED = {
    (SUCCESSOR, "dram_bytes"): (
        "8.2 MB are the weights seven times: its buffers and tiles are not published, and in "
        "Snowflake's buffers the mapper moves them once"
    ),
}


def successor() -> "pd.Series[float]":
    """Return the successor's convolution on one cluster."""
    widths = {f"{operand}_bits": bits for operand, bits in BITS.items()}
    layer = dse.Layer(name="conv", k=256, c=256, oy=14, ox=14, fy=3, fx=3, **widths)
    network = dse.Workload(name="successor", batch=1, layers=(layer,))
    return dse.evaluate(network, dse.load_accelerator("snowflake"), objective="edp").layers.iloc[0]


def peak(times: int = 1, **changes: object) -> float:
    """Return the peak of Snowflake with so many times the vector units. [operations/s]."""
    columns = times * dse.load_accelerator("snowflake").array_columns
    chip = dse.load_accelerator("snowflake", array_columns=columns, **changes)
    return OPERATIONS_PER_MAC * chip.num_macs * chip.clock_hz


def run() -> pd.DataFrame:
    """Evaluate the machines, the networks and the one convolution."""
    ours, totals = PUBLISHED * float("nan"), networks.run()["latency_s"]
    ours.loc[CHIP, "operations_per_s"] = peak()
    for name, times in MODELS.items():
        ours.loc[name, "operations_per_s"] = peak(times, clock_hz=MODELS_CLOCK_HZ)
    for name, key in NETWORKS.items():
        ours.loc[name, "frames_per_s"] = 1 / totals[key, "total"]
    alexnet, conv = scheduled(), successor()
    mean = alexnet["dram_bytes"].sum() / alexnet["latency_s"].sum()
    ours.loc["AlexNet", "average_dram_bytes_per_s"] = mean
    ours.loc[SUCCESSOR, "ideal_s"] = conv["time_mac_s"]
    ours.loc[SUCCESSOR, ["latency_s", "dram_bytes"]] = conv[["latency_s", "dram_bytes"]]
    return ours


def figure(ours: pd.DataFrame) -> Figure:
    """Draw ours over published."""
    return ratio_figure(
        PUBLISHED,
        ours,
        finding="Snowflake's systems follow from its MACs; its successor sends weights seven times",
        band=0.15,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
