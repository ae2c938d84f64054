"""PipeCNN, an accelerator in OpenCL, on two FPGA boards in three sizes: the layers of AlexNet.

Source: Wang, Xu and Jiang, PipeCNN: An OpenCL-Based Open-Source FPGA Accelerator for Convolution
Neural Networks, FPT 2017. Measured times, batch 1, copied in data/pipecnn_alexnet.csv: DE1-SoC from
github.com/doonny/PipeCNN documents/README.md (commit 208a75a), 149.988 ms in all, and DE5-Net from
the authors' note, github.com/doonny/basic_knowledge PipeCNN_note.md (commit 1649097). A user's 4 x
4 on a DE1-SoC, in all layers, is in issue 95 of PipeCNN; what of his log he quotes is not said, the
sum of the layers here. The note does not print the size of its build. Its column of theoretical
times (formula_ms, not counted) says which it is: among the twenty builds in the authors' script
PipeCNN_note_resource/flops_calculation_v2.py (commit bfbe2bd) 16 x 8 at 232.3 MHz gives these times
of the convolutions to all printed digits, as the model does, and no other is nearer than 23 %.

Machine: `experiments/machines/pipecnn.yaml`, VEC_SIZE channels x LANE_NUM filters. Clocks are those
of the builds: 122.53 MHz (issue 37, where an author gives the size for these 149 ms), 139.56 MHz
(issue 95), 232.3 MHz. Fitted on fc6, one constant a board, and this row is not counted: the
efficiency of the DRAM, 0.82 of 3.2 and 0.62 of 23.85 GB/s (the latter rate from the script; the
note exchanges two of its digits). fc8 has 1024 outputs, as there.

What the model lacks: weights of a group of filters come from DRAM again for every seven pixels, in
the steps of the first one (conv_pipe.cl, commit 13e2840), and if the array takes them faster than
the DRAM gives them it waits, whatever the other six leave unused. Of 8 x 8 it takes 7.8 GB/s, the
DRAM gives 2.6: 14 to 18 % are lost. Of 4 x 4 it takes 2.2: that size is predicted to 3 %. On the
DE5-Net it takes 29.7 of 14.7 GB/s, and 3 to 5 % are lost; why not more is not published.
"""

import sys
from dataclasses import replace

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, FOLDER, report
from experiments.evidence import FITTED, MEASURED, Choice
from experiments.plots import compared

MACHINE = "PipeCNN (FPGA)"
KIND = MEASURED
CHOSEN_ON = (
    Choice(rule="share of the DRAM's peak, one a board", on="fc6, not counted", how=FITTED),
)
MACHINE_FILE = FOLDER / "machines" / "pipecnn.yaml"
SMALL, MEDIUM, LARGE = "DE1-SoC 4 x 4", "DE1-SoC 8 x 8", "DE5-Net 16 x 8"
SIZES = {SMALL: (4, 4, 139.56e6), MEDIUM: (8, 8, 122.53e6), LARGE: (16, 8, 232.3e6)}
"""VEC_SIZE, LANE_NUM and the clock [Hz]."""
DE5_NET_BYTES_PER_S = 2 * 95.4e9 / 8
FITTED_ON = {SMALL: (MEDIUM, "fc6"), MEDIUM: (MEDIUM, "fc6"), LARGE: (LARGE, "fc6")}
BITS = dict.fromkeys(("input", "weight", "output", "psum"), 8)
BUFFER_BYTES, GROUP_PIXELS, CLASSES = 9216, 7, 1024
ALL_LAYERS = "all layers"

_ALL = pd.read_csv(DATA / "pipecnn_alexnet.csv").set_index(["run", "layer"])
_COUNTED = _ALL[~_ALL.index.isin(FITTED_ON.values())]
PUBLISHED = pd.DataFrame({"latency_s": _COUNTED["time_ms"] / 1e3})
TOLERANCE = 0.15  # what the field asks for
_WAITS = "its weights come again for every 7 pixels in the time of the first: the array waits"
MISSED = {
    ((MEDIUM, layer), "latency_s"): f"{_WAITS}; not modelled"
    for layer in ("conv2", "conv3", "conv4", "conv5")
}


def alexnet() -> dse.Workload:
    """Return the layers of AlexNet with MACs; the classifier has as many outputs as in PipeCNN."""
    whole = dse.load_workload("alexnet", bits=BITS)
    layers = [layer for layer in whole.layers if layer.has_macs]
    layers[-1] = replace(layers[-1], k=CLASSES, extra_parameters=CLASSES)
    return replace(whole, layers=tuple(layers))


def board(size: str, efficiency: float) -> dse.Accelerator:
    """Return the machine in a size, on its board."""
    channels, filters, clock_hz = SIZES[size]
    rate = {"dram_bytes_per_s": DE5_NET_BYTES_PER_S} if size == LARGE else {}
    return dse.load_accelerator(
        MACHINE_FILE,
        clock_hz=clock_hz,
        array_rows=channels,
        array_columns=filters,
        buffer_bytes=BUFFER_BYTES * filters,
        sums_bytes=GROUP_PIXELS * filters,
        constraints={"min_tile": {"k": filters}, "max_tile": {"k": filters}},
        dram={"efficiency": efficiency},
        **rate,
    )


def layers(size: str, efficiency: float) -> pd.Series:
    """Return the time of each layer. [s]."""
    return dse.evaluate(alexnet(), board(size, efficiency)).layers.set_index("name")["latency_s"]


def fitted_efficiency(size: str) -> float:
    """Return the efficiency of a board's DRAM, at which fc6 takes the time measured there."""
    fitted_size, layer = FITTED_ON[size]
    at_peak_s = layers(fitted_size, efficiency=1.0)[layer]
    return float(at_peak_s / (_ALL.loc[(fitted_size, layer), "time_ms"] / 1e3))


def run() -> pd.DataFrame:
    """Fit each board on one row, and evaluate the layers in each size."""
    found = {size: layers(size, fitted_efficiency(size)) for size in SIZES}
    ours = pd.concat(found)
    ours[SMALL, ALL_LAYERS] = found[SMALL].sum()
    return pd.DataFrame({"latency_s": ours.reindex(PUBLISHED.index)})


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    table = compared(PUBLISHED["latency_s"], ours["latency_s"], label="layer", series="run")
    return predicted_figure(
        table,
        name="latency_s",
        finding="PipeCNN takes the time of its MACs if its DRAM keeps up",
        bands=(0.05, 0.15),
        num_labels=4,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
