"""Eyeriss v1 on the convolutions of AlexNet, batch 4: time, active PEs and DRAM bytes by layer.

Source: Chen, Krishna, Emer, Sze, Eyeriss, IEEE JSSC 52(1) 2017, Table V, transcribed in
github.com/cucapra/fodlam data/eyeriss-alexnet.csv (commit cde53fd). Copied in
data/eyeriss_alexnet.csv.

Machine: `eyeriss` as configured; 16-bit data, nothing fitted. All is that of the published mapping
(Table III, in conf/mapping/eyeriss_alexnet.yaml), feature maps compressed with the published shares
of zeros. The zeros of an output are those of the next layer's input, of CONV5 its own input's (not
published). An axis of the model cannot hold two strips of 7 columns of different filters, as CONV1
has them: its time is that of one strip of 14 columns and half the filters, which does as much in a
cycle and leaves the buffer as full. latency_s adds the transfer of the maps over the chip's link,
which is not overlapped; filters are fetched during processing (its section on the link).

Filters pass into the array at 64 bits a cycle, before a pass (that it waits for them is assumed:
hidden, CONV1 and 2 would be 15.5 % low); sums pass in and out at 64 bits each, during it, which
takes longer than the MACs in CONV3. What is left of the measured time, up to 11 %, is the wait of a
pass for its first inputs (the paper's second reason: "to ramp up each processing pass"). It has no
published length and follows from no constant: passes of one shape take 410 cycles more than ours in
CONV4 and 110 fewer in CONV5. Power and accesses to the global buffer have no counterpart in the
model.
"""

import sys
from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.evidence import ALL, ECHO, MEASURED, MODEL, Choice
from experiments.eyeriss import packed_convolutions
from experiments.plots import compared

MACHINE = "Eyeriss v1"
KIND = {
    **dict.fromkeys(("processing_s", "latency_s", "dram_bytes"), MEASURED),
    "active_pes": MODEL,
    "macs": ECHO,
}
CHOSEN_ON = (
    Choice(
        rule="filters pass before a pass, hidden by nothing",
        on="the times of CONV1 and CONV2, 15.5 % low otherwise",
        rows=ALL,
        columns=("processing_s", "latency_s"),
    ),
    Choice(
        rule="whole sets of processing elements", on="active PEs", rows=ALL, columns=("active_pes",)
    ),
)
BATCH = 4

_ROWS = pd.read_csv(DATA / "eyeriss_alexnet.csv")
_TABLE = _ROWS.query("layer != 'total'")
MAPPING = "eyeriss_alexnet"
ONE_STRIP = {"b": 1, "k": 48, "c": 1, "oy": 14, "ox": 55, "fy": 11, "fx": 11}
TOTAL = "total"
PUBLISHED = pd.DataFrame(
    {
        "processing_s": _ROWS["processing_latency_ms"].to_numpy() / 1e3,
        "latency_s": _ROWS["total_latency_ms"].to_numpy() / 1e3,
        "dram_bytes": _ROWS["dram_access_mb"].to_numpy() * 1e6,
        "active_pes": _ROWS["active_pes"].to_numpy(float),
        "macs": _ROWS["macs_g"].to_numpy() * 1e9,
    },
    index=_ROWS["layer"].str.lower().to_list(),
)
PUBLISHED.loc[TOTAL, "active_pes"] = float("nan")  # their mean over time
TOLERANCE = {
    "processing_s": 0.15,  # what a pass waits for its first inputs is not published
    "latency_s": 0.15,  # as processing_s
    "dram_bytes": 0.15,  # the zeros of the outputs are those of the next layer
    "active_pes": 0.03,  # strips of 7 and of 14 columns differ at the edge of CONV1
    "macs": 0.0125,  # two digits
}


def convolutions() -> dse.Workload:
    """Return the convolutions of AlexNet with the published shares of zeros."""
    return packed_convolutions("alexnet", BATCH, _TABLE["ifmap_zeros_percent"] / 100)


def run() -> pd.DataFrame:
    """Count the cycles and the DRAM bytes of each convolution."""
    network, chip = convolutions(), dse.load_accelerator("eyeriss")
    given = dse.evaluate(network, chip, mapping=MAPPING).layers.set_index("name")
    first = replace(network, layers=network.layers[:1])
    strip = dse.evaluate(first, chip, mapping={"tile": ONE_STRIP}).layers.set_index("name")
    busy = pd.concat([strip, given.drop(index=strip.index)])
    processing = busy["cycles"] / chip.clock_hz
    maps = given["dram_bytes"] - given["dram_bytes_weight"]
    ideal_share = busy["time_mac_s"] / (busy["time_mac_s"] + busy["time_edge_s"])
    ours = pd.DataFrame(
        {
            "processing_s": processing,
            "latency_s": processing + maps / chip.dram_rate_bytes_per_s,
            "dram_bytes": given["dram_bytes"],
            "active_pes": chip.num_macs * ideal_share,
            "macs": given["macs"],
        }
    ).rename_axis(index=None)
    ours.loc[TOTAL] = ours.sum()
    return ours.where(PUBLISHED.notna())


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    table = compared(PUBLISHED["processing_s"], ours["processing_s"], label=ours.index).dropna()
    return predicted_figure(
        table,
        name="latency_s",
        finding="Eyeriss v1 takes the time of its whole sets of PEs, their filters and their sums",
        bands=(0.15,),
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
