"""TPU v1: operations per second of MLP0, LSTM0 and CNN0, and what more bandwidth or clock gains.

Source: Jouppi et al., In-Datacenter Performance Analysis of a Tensor Processing Unit, ISCA 2017
(arXiv 1704.04760): Tables 1 and 3 (copied in data/tpu_v1.csv), and section 7 for the gains: memory
bandwidth x4 gives about x3 on average; clock x4 about nothing for MLPs and LSTMs, and about x2 for
CNNs. Their 512 x 512 array ("slightly slower") is printed without a number and is not compared.

Machine: `tpu_v1` as configured, nothing fitted. Layer shapes are not published: equal square layers
with the published number of layers, weights and batch; those of CNN0 are 3x3 on 19 x 19 outputs, as
its 2888 MACs for each byte of weights at batch 8 say. Weights arrive in whole tiles of 256 x 256.
Layers without weights are left out (time for them is 10 to 20 % in the paper's counters). The mean
is over these three of the paper's six.

That CNN0 gains exactly 2.0 from the clock is a coincidence of these shapes: at four times the clock
the mapper halves the tile of output channels, which doubles the cycles, to fetch weights once
instead of twice.
"""

import math
import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from experiments.comparison import DATA, report
from experiments.plots import ratio_figure

MACHINE = "TPU v1"
IS_SLOW = True  # mapping tables of large batches
APPLICATIONS = ["MLP0", "LSTM0", "CNN0"]
MEAN = "mean of the three"
TAPS = 9

_TABLE = pd.read_csv(DATA / "tpu_v1.csv").set_index("application").loc[APPLICATIONS]
_NAN = float("nan")
PUBLISHED = pd.DataFrame(
    {
        "operations_per_s": [*(_TABLE["measured_tops"] * 1e12), _NAN],
        "gain_of_memory_x4": [_NAN, _NAN, _NAN, 3.0],
        "gain_of_clock_x4": [1.0, 1.0, 2.0, _NAN],
    },
    index=[*APPLICATIONS, MEAN],
)
TOLERANCE = {
    "operations_per_s": 0.15,  # layers without weights and the host are not modelled
    "gain_of_memory_x4": 0.17,  # "about 3": half a unit of the one digit
    "gain_of_clock_x4": 0.25,  # "about 2": half a unit of the one digit
}


def application(name: str) -> dse.Workload:
    """Return equal square layers with the weights, layers and batch of an application."""
    row = _TABLE.loc[name]
    batch, reuse = int(row["batch_size"]), float(row["mac_per_weight_byte"])
    is_convolution = row["conv_layers"] > 0
    count = int(row["conv_layers"] if is_convolution else row["fc_layers"])
    taps = TAPS if is_convolution else 1
    width = round(math.sqrt(row["weights_millions"] * 1e6 / count / taps))
    rows = round(math.sqrt(reuse / batch))
    filters = {"fy": 3, "fx": 3, "pad_y": 1, "pad_x": 1} if is_convolution else {}
    shape = {"b": batch, "k": width, "c": width, "oy": rows, "ox": rows, **filters}
    return dse.Workload(
        name=name, batch=batch, layers=(dse.Layer(name="square", repeat=count, **shape),)
    )


def operations_per_s(name: str, **changes: object) -> float:
    """Return the rate of an application on a TPU with changed parameters."""
    network, chip = application(name), dse.load_accelerator("tpu_v1", **changes)
    return 2 * network.macs / dse.evaluate(network, chip).latency_s


def run() -> pd.DataFrame:
    """Evaluate the TPU, and the same with four times its bandwidth or its clock."""
    chip = dse.load_accelerator("tpu_v1")
    rows = []
    for name in APPLICATIONS:
        rate = operations_per_s(name)
        memory = operations_per_s(name, dram_bytes_per_s=4 * chip.peak_dram_bytes_per_s)
        clock = operations_per_s(name, clock_hz=4 * chip.clock_hz)
        rows.append([rate, memory / rate, clock / rate])
    ours = pd.DataFrame(rows, index=APPLICATIONS, columns=PUBLISHED.columns)
    ours.loc[MEAN] = ours.mean()
    return ours.where(PUBLISHED.notna())


def figure(ours: pd.DataFrame) -> Figure:
    """Draw ours over published for each application."""
    return ratio_figure(
        PUBLISHED,
        ours,
        finding="TPU v1: memory-bound applications follow from bandwidth and batch",
        band=0.15,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
