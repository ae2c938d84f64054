"""GoogLeNet on a deep-learning accelerator of Jetson AGX Xavier, an NVDLA in silicon, by modules.

Source: Dagli, HaX-CoNN artifact (github.com/ismetdagli/HaX-CoNN): times that TensorRT measured of
the part of GoogLeNet that ran on a DLA in fp16, from a module to the end of the network, the rest
on the GPU. Copied in data/xavier_googlenet.csv, a file and commit for each: the artifact has three
runs (6346d84, 858dfb5, 98593b6), each of which lacks some times (TensorRT gave them to another
entry); the first is taken where it has a time, then the second, then the README; the whole network
is in a profile of the third alone. Where runs share a time they differ by no more than 0.5 %, but
by 1.2 % from 3a, so that 3a alone is 0.209 ms here and 0.179 ms in the second. Softmax is not on
the DLA. The time of a module is the difference of two such times, which the artifact takes, too,
and has the pooling before the module: pool3 is pool3 and 4a. The whole network is the first of the
times.

This is held out: machine `nvdla` and its schedule are those of NVIDIA's performance workbook, of
2017, that no measured time entered. 1024 MACs of 16 bits: NVIDIA says 2.5 TFLOPS fp16 a DLA
(quoted at codestudyblog.com/8ten84/80426044521.html), 896 MACs at this clock, and the next size
of NVDLA is 1024. 1395.2 MHz is the clock that NVIDIA sets for benchmarks (NVIDIA-AI-IOT/
jetson_benchmarks at 06e1716). The buffer is not published: 512 KiB are nv_full's [assume];
twice as many change nothing, half of them make 3b 15 % longer and the rest no more than 0.4 %.
Fitted is one constant, the rate that the DLA has of a memory shared with CPU and GPU, on the time
of the last module and the classifier (16.0 GB/s): this row is not counted.
"""

import sys
from dataclasses import replace
from functools import cache
from math import exp, log

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.evidence import FITTED, MEASURED, Choice
from experiments.plots import compared

MACHINE = "NVDLA in Xavier"
KIND = MEASURED
CHOSEN_ON = (Choice(rule="the rate of the shared memory", on="module 5b, not counted", how=FITTED),)
MACS, CLOCK_HZ = 1024, 1395.2e6
BITS = dict.fromkeys(("input", "weight", "output", "psum"), 16)
FITTED_ON = "5b"
RATES_BYTES_PER_S = (2e9, 137e9)  # between which the fit looks

_TABLE = pd.read_csv(DATA / "xavier_googlenet.csv").set_index("first_module")
_TO_THE_END = _TABLE["total_time_ms"] / 1e3
_MEASURED = _TO_THE_END - _TO_THE_END.shift(-1, fill_value=0.0)
WHOLE = "whole network"
PUBLISHED = pd.DataFrame({"latency_s": _MEASURED.drop(FITTED_ON)})
PUBLISHED.loc[WHOLE] = _TO_THE_END.iloc[0]
TOLERANCE = 0.15  # what the field expects of an analytic model
_FIRST = (
    "0.16 ms of it are an entry of its own, of the image's format; how fast the DLA normalises "
    "the maps of this part is not published"
)
_POOL = (
    "pool3 and 4a: the profiles from here and from 4b (98593b6) have an entry of the input's "
    "format, 0.05 ms longer here; the cause of the rest is unknown"
)
MISSED = {
    ("conv1", "latency_s"): _FIRST,
    ("pool3", "latency_s"): _POOL,
    (WHOLE, "latency_s"): "four fifths of what lacks are conv1's and pool3's; see there",
}


@cache
def googlenet_on_nvdla() -> tuple[dse.Workload, dse.Accelerator]:
    """Return the network, and the machine in the size and at the clock of the DLA."""
    network = dse.load_workload("googlenet", bits=BITS)
    return network, dse.load_accelerator("nvdla", macs=MACS, clock_hz=CLOCK_HZ)


def modules(rate_bytes_per_s: float, *, first: str = "") -> "pd.Series[float]":
    """Return the time of each module, with the layers behind it up to the next. [s].

    From a first one on, if given.
    """
    network, chip = googlenet_on_nvdla()
    chip = chip.with_parameters(dram_bytes_per_s=rate_bytes_per_s)
    names = [layer.name.partition("_")[0] for layer in network.layers]
    last = network.layers[names.index(first) if first else 0 :]
    layers = dse.evaluate(replace(network, layers=last), chip).layers
    module = layers["name"].str.partition("_")[0]
    module = module.where(module.isin(_MEASURED.index)).ffill()
    return layers.groupby(module, sort=False)["latency_s"].sum()


def fitted_rate() -> float:
    """Return the DRAM rate with which the last module takes the time that was measured."""
    low, high = (log(rate) for rate in RATES_BYTES_PER_S)
    for _ in range(40):  # the time falls with the rate
        middle = (low + high) / 2
        is_slow = modules(exp(middle), first=FITTED_ON)[FITTED_ON] > _MEASURED[FITTED_ON]
        low, high = (middle, high) if is_slow else (low, middle)
    return exp(low)


def run() -> pd.DataFrame:
    """Fit the rate, and time the modules and the whole network with it."""
    ours = modules(fitted_rate()).to_frame()
    ours.loc[WHOLE] = ours.sum()
    return ours.loc[PUBLISHED.index]


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    names = PUBLISHED.index
    points = compared(
        PUBLISHED["latency_s"],
        ours["latency_s"],
        label=names,
        series=["Whole network" if name == WHOLE else "Module" for name in names],
    )
    return predicted_figure(
        points,
        name="latency_s",
        finding="The workbook of 2017 predicts most of an NVDLA in silicon",
        detail="GoogLeNet on a DLA of Jetson AGX Xavier.",
        bands=(0.15,),
        num_labels=5,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
