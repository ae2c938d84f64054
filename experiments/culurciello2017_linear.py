"""Linear layers: bandwidth needed at 128 G-ops/s, and the rate that Snowflake reached.

Source: Culurciello, Zaidy, Gokhale, Computation and memory bandwidth in deep neural networks,
2017-05-01, section Linear layers: a system of T operations/s needs BW = T/B for B vectors, so
128 GB/s for 128 G-ops/s and one vector. This holds as printed for 16-bit data only (one weight is
two operations and two bytes); with w bytes a weight it is BW = T*w/(2B). The measured row is the
linear layer of the roofline figure in the same article, read by pixel position: 3.85 G-ops/s.

Machines: 256 MACs at 250 MHz, which are 128 G-ops/s, and room for a whole batch; the least DRAM
rate at which the layer is bound by the MACs is searched with the model. The measured row is
`snowflake` with the full peak of its DRAM, 4.2 GB/s: its configured efficiency of 0.917 is fitted
on this very number and would reproduce it by construction.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import bandwidth_figure
from experiments.bandwidth import needed_bytes_per_s
from experiments.comparison import report
from experiments.evidence import LAW, MEASURED, Choice

MACHINE = "128 G-ops/s; Snowflake"
KIND = {"dram_bytes_per_s": LAW, "operations_per_s": MEASURED}
CHOSEN_ON: tuple[Choice, ...] = ()  # the peak of the DRAM, nothing fitted
OPERATIONS_PER_S = 128e9
SIZE = 4096
BATCHES = (1, 4, 16, 64)
WEIGHT_BYTES = {"8-bit weights": 1, "16-bit weights": 2}
MEASURED = "measured, 16-bit weights"
ROWS = pd.MultiIndex.from_tuples(
    [(kind, batch) for kind in WEIGHT_BYTES for batch in BATCHES] + [(MEASURED, 1)],
    names=["weights", "batch"],
)

LAW = [OPERATIONS_PER_S * w / (2 * b) for w in WEIGHT_BYTES.values() for b in BATCHES]
PUBLISHED = pd.DataFrame(
    {
        "dram_bytes_per_s": [*LAW, float("nan")],
        "operations_per_s": [float("nan")] * len(LAW) + [3.85e9],
    },
    index=ROWS,
)
TOLERANCE = {
    # the law leaves out activations: 2*B*SIZE elements beside SIZE^2 weights, 3.1 % at batch 64
    "dram_bytes_per_s": 2 * max(BATCHES) / SIZE + 1e-4,
    # what a DRAM interface loses of its peak; read off the figure to about 1 %
    "operations_per_s": 0.10,
}


def network(bytes_per_element: int, batch: int) -> dse.Workload:
    """Return the linear layer with all operands of one width."""
    bits = dict.fromkeys(("input", "weight", "output", "psum"), 8 * bytes_per_element)
    return dse.load_workload("linear", batch=batch, size=SIZE, bits=bits)


def chip_of_128_gops() -> dse.Accelerator:
    """Return 256 MACs at 250 MHz that a single vector fills, with room for any batch here."""
    return dse.load_accelerator(
        "flexible",
        array_rows=16,
        array_columns=16,
        clock_hz=250e6,
        buffer_bytes=8 * 2**20,
        dram_bytes_per_s=OPERATIONS_PER_S,
        dram={"efficiency": 1.0},
        transfers="overlapped",
        array=[{"size": "array_rows", "dims": ["c"]}, {"size": "array_columns", "dims": ["k"]}],
    )


def run() -> pd.DataFrame:
    """Search the least rate of each batch, and evaluate Snowflake at the peak of its DRAM."""
    chip, ours = chip_of_128_gops(), PUBLISHED * float("nan")
    for kind, width in WEIGHT_BYTES.items():
        for batch in BATCHES:
            needed = needed_bytes_per_s(network(width, batch), chip)
            ours.loc[(kind, batch), "dram_bytes_per_s"] = needed
    snowflake = dse.load_accelerator("snowflake", dram={"efficiency": 1.0})
    layer = network(2, 1)
    seconds = dse.evaluate(layer, snowflake).latency_s
    ours.loc[(MEASURED, 1), "operations_per_s"] = 2 * layer.macs / seconds
    return ours


def figure(ours: pd.DataFrame) -> Figure:
    """Draw the bandwidth needed against the batch, with the law as hollow marks."""
    lines = ours.assign(published_bytes_per_s=PUBLISHED["dram_bytes_per_s"])
    lines = lines.drop(index=MEASURED, level="weights").reset_index()
    return bandwidth_figure(
        lines.rename(columns={"weights": "series"}),
        finding="A linear layer of 16-bit weights needs as many GB/s at batch 1 as the machine has "
        "G-ops/s",
        detail="Filled: the least rate at which 128 G-ops/s are reached. Hollow: T*w/(2B). "
        f"{SIZE} x {SIZE} weights.",
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
