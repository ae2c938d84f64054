"""Eyeriss v1 on the convolutions of AlexNet, batch 4: processing time of each layer.

Source: Chen, Krishna, Emer, Sze, Eyeriss, IEEE JSSC 52(1) 2017, Table V, transcribed in
github.com/cucapra/fodlam data/eyeriss-alexnet.csv (commit cde53fd). Copied in
data/eyeriss_alexnet.csv.

Machine: `eyeriss` as configured, nothing fitted; 16-bit data. Processing time is that of the cycles
of the array. DRAM bytes are not compared: the chip compresses feature maps, the model does not.
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
PUBLISHED = pd.DataFrame(
    {"processing_s": _TABLE["processing_latency_ms"].to_numpy() / 1e3},
    index=_TABLE["layer"].str.lower().to_list(),
)
TOLERANCE = 0.15  # passes of the array, and what they cost at their ends, are not modelled
_SETS = "printed 156 of 168 PEs, 12 x 13; the configured columns also flatten filters and fill all"
MISSED = {
    ("conv1", "processing_s"): (
        "printed 154 of 168 PEs (2 sets of 7 output rows) and passes with ends of their own; the "
        "model fills 165 and has no ends"
    ),
    ("conv2", "processing_s"): (
        "printed 135 of 168 PEs: two sets of 5 filter rows leave 2 rows of PEs idle; a flattened "
        "axis lets a set straddle the edge"
    ),
    ("conv3", "processing_s"): _SETS,
    ("conv4", "processing_s"): _SETS,
}


def run() -> pd.DataFrame:
    """Count the cycles of each convolution."""
    alexnet = dse.load_workload("alexnet", batch=BATCH, bits=BITS)
    layers = tuple(x for x in alexnet.layers if x.name.startswith("conv"))
    chip = dse.load_accelerator("eyeriss")
    rows = dse.evaluate(replace(alexnet, layers=layers), chip).layers.set_index("name")
    cycles = rows["cycles"].groupby(lambda name: name[: len("conv1")], sort=False).sum()
    return pd.DataFrame({"processing_s": cycles / chip.clock_hz}).rename_axis(index=None)


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
        finding="Eyeriss v1 is slower than modelled: sets of PEs do not straddle its edges",
        bands=(0.15,),
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
