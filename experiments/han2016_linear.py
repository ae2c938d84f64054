"""Linear layers at batch 1 on a GPU, a mobile GPU and a CPU: time, with one efficiency a device.

Source: Han et al., EIE, ISCA 2016, Table IV, dense rows, fp32; scanned text in
github.com/cucapra/fodlam raw/eie-raw.csv (commit cde53fd). Copied in data/linear_layers.csv. Shapes
of the NeuralTalk layers and the peak rates of the DRAMs (336.5, 68 and 14.9 GB/s) are recalled.

Fitted: the share of the peak rate that is delivered, one number a device, on VGG16 FC6 at batch 1,
the largest layer, which is not counted. A call on the GPU takes 7 us besides, the time of the
smallest product that DeepBench timed on the next GPU of that name (Titan X Pascal, data/rnn.csv);
nothing is added on the two others, for which no such time was found. The rows at batch 64 are not
compared: they are bound by arithmetic (27 times the rate of batch 1), and the peak of the devices
is not in the source.

No rate of a device, with or without a fixed time, would do: the CPU ran the same 4096 x 1000 layer
twice (AlexNet and VGG16 FC8) and took 47 % longer once, so that not even one number is within 10 %
of both, and its largest layer streams at 17 % of the peak, the next at 30 %. On the GPUs what is
slow are layers of 600 and 1000 outputs, and on Tegra 8791 outputs of 600 inputs as well, where as
many weights in another shape are not. A fixed time fitted to the smallest row besides would miss 2
of the other 7 on Titan X and 5 of 7 on Tegra (here it is 3 and 4 of 8), and be negative on the CPU.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.evidence import FITTED, MEASURED, Choice
from experiments.plots import compared
from experiments.processors import FP32, deepbench_launch_s, fitted_efficiency, processor

MACHINE = "GTX Titan X, Tegra K1, i7-5930K"
KIND = MEASURED
CHOSEN_ON = (
    Choice(rule="share of the DRAM's peak, one a device", on="VGG16 FC6, not counted", how=FITTED),
    Choice(
        rule="the launch of a call on Titan X",
        on="the smallest product of narang2017_linear",
        how=FITTED,
    ),
)
LAUNCH_S = {"GeForce GTX Titan X": deepbench_launch_s("TitanX Pascal")}
FITTED_ON = "VGG16 FC6"

_ALL = pd.read_csv(DATA / "linear_layers.csv").query("batch == 1")
_ALL = _ALL.set_index(["device", "layer"])
_COUNTED = _ALL.drop(index=FITTED_ON, level="layer")
PUBLISHED = pd.DataFrame({"latency_s": _COUNTED["time_per_frame_us"].astype(float) / 1e6})
TOLERANCE = (
    0.10  # one efficiency for layers of 10 to 411 MB; equal shapes differ by 15 % on the CPU
)
_TITAN = (
    "23 and 30 us more than the weights take, where 1201 x 2400 take 11 more: a matter of shape"
)
_TEGRA = "49 to 55 % of the peak, where 1201 x 2400 weights reach 81 %: a matter of shape"
_CPU = "the delivered bandwidth of the CPU varies between 16 and 36 % of its peak"
_SMALL = ("AlexNet FC8", "VGG16 FC8", "NeuralTalk We", "NeuralTalk Wd")
_REASONS = {
    ("GeForce GTX Titan X", _TITAN): ("AlexNet FC8", "VGG16 FC8", "NeuralTalk We"),
    ("Tegra K1", _TEGRA): _SMALL,
    ("Core i7-5930K", _CPU): (*_SMALL, "AlexNet FC6", "NeuralTalk LSTM"),
}
MISSED = {
    ((device, layer), "latency_s"): reason
    for (device, reason), layers in _REASONS.items()
    for layer in layers
}


def linear(inputs: int, outputs: int) -> dse.Workload:
    """Return one fp32 layer."""
    return dse.load_workload("linear", inputs=inputs, size=outputs, bits=FP32)


def run() -> pd.DataFrame:
    """Fit each device on its one row, and evaluate the others."""
    seconds = []
    for device, rows in _COUNTED.groupby(level="device", sort=False):
        fitted = _ALL.loc[(device, FITTED_ON)]
        peak = float(fitted["peak_dram_gb_s"]) * 1e9
        shape = linear(int(fitted["inputs"]), int(fitted["outputs"]))
        measured_s, launch_s = float(fitted["time_per_frame_us"]) / 1e6, LAUNCH_S.get(device, 0.0)
        chip = processor(peak, fitted_efficiency(measured_s, shape, peak, launch_s), launch_s)
        seconds += [
            dse.evaluate(linear(int(row["inputs"]), int(row["outputs"])), chip).latency_s
            for _, row in rows.iterrows()
        ]
    return pd.DataFrame({"latency_s": seconds}, index=PUBLISHED.index)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    table = compared(PUBLISHED["latency_s"], ours["latency_s"], label="layer", series="device")
    return predicted_figure(
        table,
        name="latency_s",
        finding="Large linear layers at batch 1 take as long as their weights; small ones differ",
        bands=(0.1, 0.3),
        num_labels=5,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
