"""Matrix-vector products of DeepBench on three GPUs: time at batch 1, and over it at 2 and 4.

Source: Narang and Diamos, DeepBench, github.com/baidu-research/DeepBench, results/inference/server,
workbooks of TitanXp, 1080Ti and TitanX Pascal, int8 products of M x K weights with N vectors.
Copied in data/rnn.csv. The peak rates of their DRAMs are recalled, as in narang2017_recurrent.

Nothing is fitted on these numbers but the launch, on the smallest product (512 x 512, batch 1),
which is not counted; the share of the peak rate that is delivered is that of narang2017_recurrent,
fitted on a recurrent layer of 32-bit weights.

latency_s is the time at batch 1; time_over_batch_1, at batch 2 or 4, is 1 by the law, as the
weights are read once. Products whose weights are smaller than the cache (3 MiB) keep them there
between repeats: they are cached_s, a launch and little else, and their DRAM carries no weights.

At batch 4 the law fails on int8 products, though not on the layers of 32 bits: four vectors take
1.3 to 1.7 times as long as one. No ridge explains that: they do 0.7 to 1.2 T MACs a second, where
the peak of these GPUs is recalled as 22 and more. Nor is one rate enough at batch 1: on Titan Xp
8448 x 2816 weights take 1.5 times the time of 7680 x 2560, and are 1.2 times as many. A rate and a
launch fitted to any two of the five products of a device give two of the other three at best.
"""

import sys
from dataclasses import replace
from functools import cache

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.evidence import ALL, FITTED, MEASURED, Choice
from experiments.narang2017_recurrent import device_of
from experiments.processors import MACHINE_FILE, SMALLEST_CALL

MACHINE = "Titan Xp, 1080 Ti, Titan X (Pascal)"
KIND = MEASURED
CHOSEN_ON = (
    Choice(
        rule="weights smaller than the cache stay there between repeats",
        on="rates above the peak of the DRAM",
        rows=ALL,
        columns=("cached_s",),
    ),
    Choice(rule="the launch of a call", on="512 x 512 at batch 1, not counted", how=FITTED),
)
INT8 = {"input": 8, "weight": 8, "output": 32, "psum": 32}

_ALL = pd.read_csv(DATA / "rnn.csv").query("precision == 'int8'")
_ALL = _ALL.assign(weights=_ALL["kind"].str.removeprefix("gemv_").str.replace("x", " x "))
_COUNTED = _ALL[(_ALL["kind"] != SMALLEST_CALL) | (_ALL["batch"] != 1)]
_TIME_S = _COUNTED.set_index(["device", "weights", "batch"])["time_ms"].astype(float) / 1e3


def sides(weights: str) -> tuple[int, int]:
    """Return M and K."""
    rows, columns = (int(number) for number in weights.split(" x "))
    return rows, columns


@cache
def is_cached(weights: str) -> bool:
    """Whether the weights, a byte each, are smaller than the cache."""
    rows, columns = sides(weights)
    return rows * columns < dse.load_accelerator(MACHINE_FILE).buffer_sizes_bytes[0]


def by_quantity(seconds: pd.Series) -> pd.DataFrame:
    """Return times at batch 1, ratios to them, and times of cached products."""
    cached = pd.Series([is_cached(row[1]) for row in seconds.index], index=seconds.index)
    is_single = seconds.index.get_level_values("batch") == 1
    single = pd.Series([seconds.get((*row[:2], 1)) for row in seconds.index], index=seconds.index)
    return pd.DataFrame(
        {
            "latency_s": seconds.where(~cached & is_single),
            "time_over_batch_1": (seconds / single.astype(float)).where(~cached & ~is_single),
            "cached_s": seconds.where(cached),
        }
    )


PUBLISHED = by_quantity(_TIME_S)
TOLERANCE = 0.10  # as narang2017_recurrent
_FOUR = "four vectors take 1.3 to 1.7 times the time of one, at some 5 % of the MACs' peak"
_CACHED = "ours adds 0.5 us of assumed MACs for a second vector, which costs nothing here"
_RATE = "without launch 54 to 62 % of the peak rate in this shape, 66 % and more in others"
_FASTER = "two vectors were faster than one"
_SLOW = {
    "TitanXp": ("8448 x 2816",),
    "1080Ti": ("8448 x 2816", "7680 x 2560", "3072 x 1024"),
    "TitanX Pascal": ("8448 x 2816", "7680 x 2560"),
}
MISSED = {
    **{((device, x, 1), "latency_s"): _RATE for device, slow in _SLOW.items() for x in slow},
    **{
        (row, "time_over_batch_1"): _FOUR
        for row in PUBLISHED.index
        if row[2] == 4 and not is_cached(row[1])
    },
    (("1080Ti", "6144 x 2048", 2), "time_over_batch_1"): _FASTER,
    **{
        ((device, weights, 2), "cached_s"): _CACHED
        for device in ("1080Ti", "TitanX Pascal")
        for weights in ("512 x 512", "1024 x 512")
    },
}


@cache
def product(weights: str, batch: int) -> dse.Workload:
    """Return one product of M x K weights."""
    rows, columns = sides(weights)
    return dse.load_workload("linear", inputs=columns, size=rows, batch=batch, bits=INT8)


def seconds_of(device: str, weights: str, batch: int) -> float:
    """Return the time of a product; its weights come from the DRAM if they are not cached."""
    chip = device_of(device)
    if is_cached(weights):
        chip = replace(chip, dram=replace(chip.dram, holds=("input", "output")))
    return dse.evaluate(product(weights, batch), chip).latency_s


def run() -> pd.DataFrame:
    """Evaluate each product on its device."""
    return by_quantity(
        pd.Series([seconds_of(*row) for row in PUBLISHED.index], index=PUBLISHED.index)
    )


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times, those of all batches."""
    single = {row[:2]: row for row in PUBLISHED.index if row[2] == 1}

    def times(table: pd.DataFrame) -> list[float]:
        at_one = [table["latency_s"].get(single.get(row[:2])) for row in table.index]
        scaled = table["time_over_batch_1"] * pd.Series(at_one, index=table.index, dtype=float)
        return list(table["latency_s"].fillna(table["cached_s"]).fillna(scaled))

    index = PUBLISHED.index.to_frame(index=False)
    table = pd.DataFrame(
        {
            "label": index["weights"] + ", " + index["device"],
            "series": "batch " + index["batch"].astype(str),
            "published": times(PUBLISHED),
            "predicted": times(ours),
        }
    )
    return predicted_figure(
        table,
        name="latency_s",
        finding="With one or two vectors a product takes a launch and as long as its weights",
        bands=(0.1, 0.3),
        num_labels=4,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
