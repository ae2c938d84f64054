"""Eyeriss v1 on the convolutions of AlexNet, batch 4: time, active PEs and DRAM bytes by layer.

Source: Chen, Krishna, Emer, Sze, Eyeriss, IEEE JSSC 52(1) 2017, Table V, transcribed in
github.com/cucapra/fodlam data/eyeriss-alexnet.csv (commit cde53fd). Copied in
data/eyeriss_alexnet.csv.

Machine: `eyeriss` as configured; 16-bit data. Its one fitted constant, two cycles at the end of
each pass, was fitted on CONV5, which is not counted. Processing time is that of the cycles of the
array, as the mapper chooses. DRAM bytes are those of the published mapping (Table III, in
conf/mapping/eyeriss_alexnet.yaml), feature maps compressed with the published shares of zeros; the
zeros of an output are those of the next layer's input, of CONV5 its own input's (not published).
The time of the published mapping is not compared: its two strips of 7 columns in CONV1 hold
different filters, which an axis of the model cannot give. latency_s adds the transfer of the maps
over the chip's link, which is not overlapped; filters are fetched during processing (its section on
the link). Totals contain CONV5 and are compared where nothing was fitted on it.

The passes of the published mapping do not explain the fill. Beyond its MACs on the active PEs a
pass of CONV1 to 5 takes 1780, 780, 1370, 850 and 320 cycles: CONV4 and CONV5 have passes of one
shape (4 images, 32 filters, 6 channels), 384 and 256 of them, and so no constant and no function of
the mapping gives both. Without any fill the times are 4 to 17 % low. Power and accesses to the
global buffer have no counterpart in the model.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.eyeriss import packed_convolutions

MACHINE = "Eyeriss v1"
BATCH = 4

_ROWS = pd.read_csv(DATA / "eyeriss_alexnet.csv")
_TABLE = _ROWS.query("layer != 'total'")
FITTED = "conv5"  # the constant fill_cycles was fitted on it, so that it is not counted
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
PUBLISHED.loc[[FITTED, TOTAL], ["processing_s", "latency_s"]] = float("nan")
PUBLISHED.loc[TOTAL, "active_pes"] = float("nan")  # their mean over time
TOLERANCE = {
    "processing_s": 0.15,  # what a pass waits for (buffers, network on chip) is one constant
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
    free = dse.evaluate(network, chip).layers.set_index("name")
    given = dse.evaluate(network, chip, mapping="eyeriss_alexnet").layers.set_index("name")
    processing = free["cycles"] / chip.clock_hz
    maps = given["dram_bytes"] - given["dram_bytes_weight"]
    ideal_share = free["time_mac_s"] / (free["time_mac_s"] + free["time_edge_s"])
    ours = pd.DataFrame(
        {
            "processing_s": processing,
            "latency_s": processing + maps / chip.dram_rate_bytes_per_s,
            "dram_bytes": given["dram_bytes"],
            "active_pes": chip.num_macs * ideal_share,
            "macs": free["macs"],
        }
    ).rename_axis(index=None)
    ours.loc[TOTAL] = ours.sum()
    return ours.where(PUBLISHED.notna() | (ours.index == FITTED)[:, None])


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    table = pd.DataFrame(
        {
            "label": ours.index,
            "published": PUBLISHED["processing_s"].to_numpy(),
            "predicted": ours["processing_s"].to_numpy(),
        }
    ).dropna()
    return predicted_figure(
        table,
        name="latency_s",
        finding="Eyeriss v1 takes the time of its whole sets of PEs, and some more",
        bands=(0.15,),
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
