"""Eyeriss v1 on the convolutions of AlexNet, batch 4: processing time of each layer.

Source: Chen, Krishna, Emer, Sze, Eyeriss, IEEE JSSC 52(1) 2017, Table V, transcribed in
github.com/cucapra/fodlam data/eyeriss-alexnet.csv (commit cde53fd). Copied in
data/eyeriss_alexnet.csv.

Machine: `eyeriss` as configured; 16-bit data. Its one fitted constant, two cycles at the end of
each pass, was fitted on CONV5, which is not counted. Processing time is that of the cycles of the
array. DRAM bytes are not compared: the chip compresses feature maps.
"""

import sys
from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report

MACHINE = "Eyeriss v1"
BATCH = 4
BITS = dict.fromkeys(("input", "weight", "output", "psum"), 16)

_TABLE = pd.read_csv(DATA / "eyeriss_alexnet.csv").query("layer != 'total'")
FITTED = "conv5"  # the constant fill_cycles was fitted on it, so that it is not counted
PUBLISHED = pd.DataFrame(
    {"processing_s": _TABLE["processing_latency_ms"].to_numpy() / 1e3},
    index=_TABLE["layer"].str.lower().to_list(),
).drop(index=FITTED)
TOLERANCE = 0.15  # what a pass waits for (buffers, network on chip) is one constant


def run() -> pd.DataFrame:
    """Count the cycles of each convolution."""
    alexnet = dse.load_workload("alexnet", batch=BATCH, bits=BITS)
    layers = tuple(x for x in alexnet.layers if x.name.startswith("conv"))
    chip = dse.load_accelerator("eyeriss")
    rows = dse.evaluate(replace(alexnet, layers=layers), chip).layers.set_index("name")
    cycles = rows["cycles"].groupby(lambda name: name[: len("conv1")], sort=False).sum()
    seconds = pd.DataFrame({"processing_s": cycles / chip.clock_hz}).rename_axis(index=None)
    return seconds.drop(index=FITTED)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    table = pd.DataFrame(
        {
            "label": ours.index,
            "published": PUBLISHED["processing_s"].to_numpy(),
            "predicted": ours["processing_s"].to_numpy(),
        }
    )
    return predicted_figure(
        table,
        name="latency_s",
        finding="Eyeriss v1 takes the time of its whole sets of PEs, and some more",
        bands=(0.15,),
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
