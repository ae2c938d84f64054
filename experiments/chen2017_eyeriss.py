"""Eyeriss v1 on the convolutions of AlexNet, batch 4: time and DRAM bytes of each layer.

Source: Chen, Krishna, Emer, Sze, Eyeriss, IEEE JSSC 52(1) 2017, Table V, transcribed in
github.com/cucapra/fodlam data/eyeriss-alexnet.csv (commit cde53fd). Copied in
data/eyeriss_alexnet.csv.

Machine: `eyeriss` as configured; 16-bit data. Its one fitted constant, two cycles at the end of
each pass, was fitted on CONV5, which is not counted. Processing time is that of the cycles of the
array, as the mapper chooses. DRAM bytes are those of the published mapping (Table III, in
conf/mapping/eyeriss_alexnet.yaml), feature maps compressed with the published shares of zeros; the
zeros of an output are those of the next layer's input, of CONV5 its own input's (not published).
The time of the published mapping is not compared: its two strips of 7 columns in CONV1 hold
different filters, which an axis of the model cannot give.
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
    {
        "processing_s": _TABLE["processing_latency_ms"].to_numpy() / 1e3,
        "dram_bytes": _TABLE["dram_access_mb"].to_numpy() * 1e6,
    },
    index=_TABLE["layer"].str.lower().to_list(),
)
PUBLISHED.loc[FITTED, "processing_s"] = float("nan")
TOLERANCE = 0.15  # what a pass waits for (buffers, network on chip) is one constant


def convolutions() -> dse.Workload:
    """Return the convolutions of AlexNet with the published shares of zeros."""
    alexnet = dse.load_workload("alexnet", batch=BATCH, bits=BITS)
    layers = [x for x in alexnet.layers if x.name.startswith("conv")]
    zeros = [*_TABLE["ifmap_zeros_percent"] / 100, _TABLE["ifmap_zeros_percent"].iloc[-1] / 100]
    shares = zip(layers, zeros, zeros[1:], strict=False)
    packed = (replace(x, input_zeros=own, output_zeros=after) for x, own, after in shares)
    return replace(alexnet, layers=tuple(packed))


def run() -> pd.DataFrame:
    """Count the cycles and the DRAM bytes of each convolution."""
    network, chip = convolutions(), dse.load_accelerator("eyeriss")
    free = dse.evaluate(network, chip).layers.set_index("name")
    given = dse.evaluate(network, chip, mapping="eyeriss_alexnet").layers.set_index("name")
    ours = {"processing_s": free["cycles"] / chip.clock_hz, "dram_bytes": given["dram_bytes"]}
    return pd.DataFrame(ours).rename_axis(index=None)


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
