"""Gemmini in RTL simulation: 222 layers, each under the mapping that DOSA's search gave it.

Source: cycles and mappings of github.com/ucb-bar/dosa, data/firesim_test_data (analytical.csv and
both.csv at commit 31df891, dnn.csv at 612f65b; target.gemmini_cycle and the loops of DRAM, L3, of
mapping.mapping), simulated in FireSim for Hong et al., DOSA, MICRO 2023, and copied in
data/gemmini.csv: all layers of BERT, ResNet-50, RetinaNet and U-Net, under what a search found with
each of three predictors. How they ran: github.com/ucb-bar/gemmini-rocc-tests,
gemmini-data-collection (layers/extract_data_csv.py at commit 6bae4f9, templates/conv_tilings.c at
370fa83, matmul_tilings.c at 629d720) and tiled_conv_dosa of include/gemmini.h (913b83b).

Left out: the cycles of Gemmini's own tiler in the same files, which differ by up to 50 % from file
to file for the same tiles of a layer, and gemmini_test_data.csv, where different mappings of a
layer have one and the same time.

Machine: `gemmini`, with memories twice the largest tile, since those of the simulated image are not
published; nothing else depends on them under a given mapping. Nothing is fitted. Each tile loads
its inputs and its weights, changed or not, and its outputs leave once, when the last channels and
taps are in; so any order of the loops moves what the order with channels and taps innermost does,
and where a tile has all of them it is given as two tiles of half the channels. P are columns and Q
rows. A filter of 2 x 2 ran with padding 1, so that its output has a row and a column more.

The 16 cycles of new weights are the rows of the array; with 8 instead, 135 numbers would be within
and not 154. Tiles of 2 or 4 columns show what is not modelled: a row of a tile takes 7.6 to 8.0
cycles at least.
"""

import sys
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.evidence import ALL, SIMULATED, Choice
from experiments.plots import compared

MACHINE = "Gemmini (RTL)"
KIND = SIMULATED
CHOSEN_ON = (
    Choice(
        rule="new weights take 16 cycles, in which no inputs pass",
        on="all layers: with 8 cycles 135 would be within, with 16 they are 154",
        rows=ALL,
    ),
)
MEMORIES = {"buffer_bytes": 1048576, "sums_bytes": 524288}
TOLERANCE = 0.15  # what the field asks for
NETWORKS = {"bert": "BERT", "resnet50": "ResNet-50", "retinanet": "RetinaNet", "unet": "U-Net"}
ANALYTICAL, BOTH, DNN = PREDICTORS = ("analytical", "both", "dnn")


def _named(row: pd.Series) -> str:
    stride = f"/{row['stride']}" if row["stride"] > 1 else ""
    filter_ = f"{row['filter']}x{row['filter']}{stride}"
    return f"{row['c']} to {row['k']}, {filter_}, {row['q']} x {row['p']}"


_TABLE = pd.read_csv(DATA / "gemmini.csv")
_TABLE["layer"] = _TABLE.apply(_named, axis=1)
_TABLE = _TABLE.set_index(["predictor", "network", "layer"])
PUBLISHED = _TABLE[["cycles"]].astype(float)

_NARROW = "tiles of 2 or 4 columns: each row of a tile costs some 8 cycles however few its columns"
_BYTES = "one channel in or two out: runs of 1 or 2 bytes, most likely each a request of its own"
_RUNS = (
    "weights and outputs in runs of 16 or 32 bytes, a tile's channels: most likely slow for that"
)
_WAITS = "loads and products overlap in part only: they add up to 0.9 to 1.4 times the cycles"
_CACHE = (
    "9 to 14 bytes a cycle: what is loaded again comes, most likely, from the cache before DRAM"
)
_ONE_TILE = "one tile: its products begin with its first rows, and not when it is in"
_WEIGHTS = "new weights for each 64 columns: they seem to pass while inputs do, not modelled"
_ROWS_OF = {
    _NARROW: {
        ("resnet50", "256 to 64, 1x1, 56 x 56"): (ANALYTICAL,),
        ("resnet50", "128 to 128, 3x3, 28 x 28"): (ANALYTICAL,),
        ("resnet50", "512 to 256, 1x1, 28 x 28"): PREDICTORS,
        ("resnet50", "256 to 1024, 1x1, 14 x 14"): (ANALYTICAL,),
        ("resnet50", "512 to 1024, 1x1/2, 14 x 14"): (ANALYTICAL,),
        ("retinanet", "512 to 256, 1x1, 28 x 28"): PREDICTORS,
        ("retinanet", "256 to 720, 3x3, 4 x 4"): (ANALYTICAL,),
        ("resnet50", "256 to 512, 1x1/2, 28 x 28"): (BOTH, DNN),
        ("unet", "512 to 512, 3x3, 52 x 52"): (BOTH, DNN),
        ("resnet50", "128 to 512, 1x1, 28 x 28"): (DNN,),
        ("retinanet", "256 to 36, 3x3, 2 x 2"): (DNN,),
    },
    _BYTES: {
        ("unet", "1 to 64, 3x3, 570 x 570"): PREDICTORS,
        ("unet", "64 to 2, 1x1, 388 x 388"): PREDICTORS,
    },
    _RUNS: {
        ("unet", "1024 to 1024, 3x3, 28 x 28"): PREDICTORS,
        ("unet", "1024 to 512, 3x3, 54 x 54"): (ANALYTICAL, DNN),
        ("unet", "128 to 64, 2x2, 392 x 392"): (ANALYTICAL,),
        ("unet", "512 to 1024, 3x3, 30 x 30"): (BOTH,),
        ("unet", "1024 to 512, 2x2, 56 x 56"): (BOTH,),
        ("unet", "512 to 256, 2x2, 104 x 104"): (BOTH,),
        ("unet", "64 to 64, 3x3, 388 x 388"): (BOTH, DNN),
        ("unet", "256 to 128, 2x2, 200 x 200"): (DNN,),
    },
    _WAITS: {
        ("resnet50", "512 to 2048, 1x1, 7 x 7"): PREDICTORS,
        ("resnet50", "2048 to 1000, 1x1, 1 x 1"): (ANALYTICAL,),
        ("retinanet", "2048 to 256, 3x3/2, 4 x 4"): PREDICTORS,
        ("retinanet", "256 to 720, 3x3, 2 x 2"): PREDICTORS,
        ("resnet50", "64 to 256, 1x1, 56 x 56"): (BOTH, DNN),
        ("resnet50", "64 to 64, 1x1, 56 x 56"): (DNN,),
        ("resnet50", "512 to 1024, 1x1/2, 14 x 14"): (DNN,),
        ("resnet50", "1024 to 2048, 1x1/2, 7 x 7"): (DNN,),
        ("unet", "1024 to 512, 2x2, 56 x 56"): (DNN,),
    },
    _CACHE: {
        ("bert", "768 to 768, 1x1, 1 x 128"): (ANALYTICAL,),
        ("bert", "64 to 128, 1x1, 1 x 128"): (ANALYTICAL,),
        ("resnet50", "256 to 512, 1x1/2, 28 x 28"): (ANALYTICAL,),
        ("resnet50", "1024 to 256, 1x1, 14 x 14"): (ANALYTICAL,),
        ("resnet50", "1024 to 512, 1x1, 14 x 14"): (ANALYTICAL,),
        ("unet", "64 to 128, 3x3, 282 x 282"): (ANALYTICAL,),
        ("unet", "128 to 256, 3x3, 138 x 138"): (ANALYTICAL,),
        ("retinanet", "256 to 256, 3x3, 2 x 2"): (BOTH, DNN),
        ("bert", "768 to 3072, 1x1, 1 x 128"): (DNN,),
    },
    _ONE_TILE: {
        ("bert", "128 to 64, 1x1, 1 x 128"): (BOTH, DNN),
        ("retinanet", "256 to 256, 1x1, 4 x 4"): (BOTH, DNN),
        ("retinanet", "256 to 256, 1x1, 2 x 2"): (BOTH, DNN),
    },
    _WEIGHTS: {
        ("bert", "3072 to 768, 1x1, 1 x 128"): (DNN,),
    },
}
MISSED = {
    ((predictor, *layer), "cycles"): reason
    for reason, layers in _ROWS_OF.items()
    for layer, predictors in layers.items()
    for predictor in predictors
}


def layer_of(row: pd.Series) -> dse.Layer:
    """Return a layer as it ran; rows of a matrix product are columns of a map of one row."""
    loops = {"k": row["k"], "c": row["c"], "oy": 1, "ox": row["p"]}
    if row["q"] > 1:
        padding, side = row["filter"] // 2, row["p"] * row["stride"]
        loops |= dict.fromkeys(("iy", "ix"), side)
        side = (side + 2 * padding - row["filter"]) // row["stride"] + 1
        loops |= dict.fromkeys(("oy", "ox"), side) | dict.fromkeys(("pad_y", "pad_x"), padding)
        loops |= dict.fromkeys(("stride_y", "stride_x"), row["stride"])
        loops |= dict.fromkeys(("fy", "fx"), row["filter"])
    return dse.Layer(name="layer", **{name: int(size) for name, size in loops.items()})


def mapping_of(row: pd.Series) -> dict[str, Any]:
    """Return the published tile as a given mapping that loads it again each time."""
    parts = dict.fromkeys("CKNPQRS", 1)
    parts |= {loop[0]: int(loop[1:]) for loop in row["dram_loops"].split()}
    tile = {"b": 1, "g": 1, "k": row["k"] // parts["K"], "c": row["c"] // parts["C"]}
    tile |= {"oy": row["q"] // parts["Q"], "ox": row["p"] // parts["P"]}
    tile |= {"fy": row["filter"] // parts["S"], "fx": row["filter"] // parts["R"]}
    is_whole_sum = parts["C"] * parts["R"] * parts["S"] == 1
    if is_whole_sum and parts["K"] * parts["P"] * parts["Q"] > 1 and tile["c"] > 16:
        tile["c"] = -(-tile["c"] // 32) * 16  # half of it, in whole rows of the array
    return {
        "tile": {loop: int(size) for loop, size in tile.items()},
        "order": ["b", "g", "oy", "ox", "k", "fy", "fx", "c"],
        "unrolled": ["c", "k"],
    }


def cycles(row: pd.Series, chip: dse.Accelerator) -> float:
    """Return the cycles of a layer under its published mapping."""
    network = dse.Workload(name="layer", batch=1, layers=(layer_of(row),))
    return dse.evaluate(network, chip, mapping=mapping_of(row)).latency_s * chip.clock_hz


def run() -> pd.DataFrame:
    """Evaluate each layer under its own mapping."""
    chip = dse.load_accelerator("gemmini", **MEMORIES)
    found = [cycles(row, chip) for _, row in _TABLE.iterrows()]
    return pd.DataFrame({"cycles": found}, index=PUBLISHED.index)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against simulated cycles."""
    table = compared(
        PUBLISHED["cycles"] / 1e6,
        ours["cycles"] / 1e6,
        label="layer",
        series=PUBLISHED.index.get_level_values("network").map(NETWORKS),
    )
    return predicted_figure(
        table,
        name="Cycles [millions]",
        finding="Gemmini: narrow tiles and short runs take longer",
        detail="222 layers under the mappings of DOSA's search.",
        bands=(0.15,),
        num_labels=3,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
