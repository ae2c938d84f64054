"""Recurrent layers: bandwidth and rate against batch, weights streamed or resident.

Source: Culurciello, Zaidy, Gokhale, Computation and memory bandwidth in deep neural networks,
2017-05-01, section RNN: systems such as Deep Speech 2 use 4 recurrent layers of 400, each a few
products like those of linear layers (GRU), so that at batch 1 they need the highest bandwidth of
all, more than keeps even efficient hardware busy. No number of their own is printed: what is
published is the law of linear layers, BW = T*w/(2B), for the 128 G-ops/s of the article.

Networks: `deepspeech2_article`, one step of the 4 GRUs of 400; and the recurrent products of
`deepspeech2`, 14 GRUs of 1760 (7 layers, two directions) over 500 steps. Their products with the
inputs are left out there: these share their weights over all steps, as DeepBench leaves them out.

Streamed: Snowflake as it is. Resident: its weight buffer grows to hold all weights and its DRAM
carries activations only. This is done for the 4 GRUs of 400, 7.7 MB; the others have 260 MB at
16 bits, which no chip of this kind holds. What a step waits for the one before is not modelled: a
machine with resident weights (Brainwave) reached 75 % of its peak at 2816 and 10 % at 1024.
"""

import sys
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dse
from dse.plots.experiments import bandwidth_against_batch
from dse.plots.style import (
    INK,
    MARKERS,
    PAPER,
    SERIES,
    log_axis,
    log_limits,
    look,
    new_figure,
    title,
)
from experiments.bandwidth import needed_bytes_per_s
from experiments.comparison import report
from experiments.culurciello2017_linear import OPERATIONS_PER_S, chip_of_128_gops
from experiments.evidence import LAW, Choice
from experiments.snowflake import OPERATIONS_PER_MAC, network

MACHINE = "128 G-ops/s"
KIND = LAW
CHOSEN_ON: tuple[Choice, ...] = ()
BATCHES = (1, 4, 16, 64)
WEIGHT_BYTES = 2
SMALL, LARGE = "4 GRUs of 400", "14 GRUs of 1760"
STREAMED, RESIDENT = "streamed", "resident"
CASES = ((SMALL, STREAMED), (LARGE, STREAMED), (SMALL, RESIDENT))

PUBLISHED = pd.DataFrame(
    [
        {
            "dram_bytes_per_s": OPERATIONS_PER_S * WEIGHT_BYTES / (2 * batch)
            if weights == STREAMED
            else float("nan"),
            "operations_per_s": float("nan"),
        }
        for _, weights in CASES
        for batch in BATCHES
    ],
    index=pd.MultiIndex.from_tuples(
        [(*case, batch) for case in CASES for batch in BATCHES],
        names=["network", "weights", "batch"],
    ),
)
# the law leaves out activations: at batch 16 they are 16*(1/400 + 1/1200) = 5.3 % of 400's weights
TOLERANCE = 16 * (1 / 400 + 1 / 1200) + 1e-4
MISSED = {
    ((SMALL, STREAMED, 64), "dram_bytes_per_s"): "activations, which the law leaves out, are 21 %",
}


def recurrent_network(name: str, batch: int) -> dse.Workload:
    """Return the layers of one of the two networks."""
    if name == SMALL:
        return network("deepspeech2_article", batch)
    whole = network("deepspeech2", batch)
    return replace(whole, layers=tuple(x for x in whole.layers if x.name.endswith(".recurrent")))


def resident(chip: dse.Accelerator, workload: dse.Workload) -> dse.Accelerator:
    """Return the chip with room for all weights, so that its DRAM carries activations only."""
    room = 2 * WEIGHT_BYTES * workload.weight_elements  # half of a buffer is prefetched into
    buffers = tuple(replace(x, bytes=room) if x.holds == ("weight",) else x for x in chip.buffers)
    return replace(chip, buffers=buffers, dram=replace(chip.dram, holds=("input", "output")))


def run() -> pd.DataFrame:
    """Find the rate needed for 128 G-ops/s, and the operations that Snowflake reaches."""
    ours = PUBLISHED * float("nan")
    for name, weights, batch in ours.index:
        layers = recurrent_network(name, batch)
        chips = [chip_of_128_gops(), dse.load_accelerator("snowflake")]
        if weights == RESIDENT:
            chips = [resident(chip, layers) for chip in chips]
        seconds = dse.evaluate(layers, chips[1]).latency_s
        row = {
            "dram_bytes_per_s": needed_bytes_per_s(layers, chips[0]),
            "operations_per_s": OPERATIONS_PER_MAC * layers.macs / seconds,
        }
        ours.loc[(name, weights, batch), list(row)] = list(row.values())
    return ours


def figure(ours: pd.DataFrame) -> Figure:
    """Draw the bandwidth needed, and the rate on Snowflake, against the batch."""
    lines = ours.assign(published_bytes_per_s=PUBLISHED["dram_bytes_per_s"]).reset_index()
    lines["series"] = lines["network"] + ", " + lines["weights"]
    snowflake = dse.load_accelerator("snowflake")
    rate = snowflake.dram_rate_bytes_per_s
    with look():
        drawn = new_figure(11.0, 5.2)
        left, right = drawn.subplots(1, 2)
        title(
            drawn,
            "At batch 1 a recurrent layer starves Snowflake of weights: 3 % of its MACs are busy",
            "16-bit data. Left, filled: least rate for 128 G-ops/s; hollow: T*w/(2B). "
            "Right: reached with the 3.85 GB/s of Snowflake, peak dashed.",
        )
        bandwidth_against_batch(left, lines, roof_bytes_per_s=rate)
        left.get_legend().remove()
        _rate_against_batch(right, lines)
    return drawn


def _rate_against_batch(ax: Axes, lines: pd.DataFrame) -> None:
    log_axis(ax, "x", "batch", log_limits(lines["batch"]), label="Batch (inferences)")
    limits = log_limits([*lines["operations_per_s"] / 1e9, 2e-9 * OPERATIONS_PER_S])
    log_axis(ax, "y", "rate", limits, label="Rate on Snowflake (G-ops/s)")
    for index, (name, rows) in enumerate(lines.groupby("series", sort=False)):
        ax.plot(
            rows["batch"],
            rows["operations_per_s"] / 1e9,
            color=SERIES[index],
            marker=MARKERS[index],
            markeredgecolor=PAPER,
            label=name,
        )
    ax.axhline(OPERATIONS_PER_S / 1e9, color=INK, linestyle=(0, (5, 2)), linewidth=1.2)
    ax.legend(loc="lower right")


if __name__ == "__main__":
    report(sys.modules[__name__])
