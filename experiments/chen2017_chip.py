"""Eyeriss v1 as a chip: its peak, its memory, and frames/s and DRAM accesses per MAC of networks.

Source: Chen, Krishna, Emer, Sze, Eyeriss, IEEE JSSC 52(1) 2017, abstract and chip summary: 168 PEs
at 200 MHz are 33.6 GMAC/s; 181.5 KB of SRAM; the convolutions of AlexNet at 34.7 frames/s (batch 4)
with 0.0029 DRAM accesses per MAC, of 16 bits each, those of VGG-16 at 0.7 (batch 3) with 0.0035.

Machine: `eyeriss` as configured, nothing fitted, with the mappings of chen2017_eyeriss and
chen2017_vgg16: their totals, of which the paper makes these numbers.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from experiments import chen2017_eyeriss, chen2017_vgg16
from experiments.comparison import report
from experiments.evidence import DOUBLE, ECHO, Choice
from experiments.eyeriss import BITS
from experiments.plots import ratio_figure

MACHINE = "Eyeriss v1"
KIND = {
    **dict.fromkeys(("macs_per_s", "sram_bytes", "dram_bytes_per_s"), ECHO),
    **dict.fromkeys(("dram_accesses_per_mac", "frames_per_s"), DOUBLE),
}
CHOSEN_ON: tuple[Choice, ...] = ()  # those of chen2017_eyeriss and chen2017_vgg16
CHIP, ALEXNET, VGG16 = "chip", "AlexNet", "VGG-16"

_NAN = float("nan")
PUBLISHED = pd.DataFrame(
    {
        "macs_per_s": [33.6e9, _NAN, _NAN],
        "sram_bytes": [181.5 * 1024, _NAN, _NAN],
        "dram_bytes_per_s": [0.48e9, _NAN, _NAN],
        "dram_accesses_per_mac": [_NAN, 0.0029, 0.0035],
        "frames_per_s": [_NAN, 34.7, 0.7],
    },
    index=[CHIP, ALEXNET, VGG16],
)
TOLERANCE = {
    "macs_per_s": 0.0015,  # three digits
    "sram_bytes": 0.0003,  # four digits
    "dram_bytes_per_s": 0.01,  # two digits: 64 bits at 60 MHz
    "dram_accesses_per_mac": 0.15,  # as dram_bytes of chen2017_eyeriss
    "frames_per_s": 0.15,  # as latency_s of chen2017_eyeriss
}


def run() -> pd.DataFrame:
    """Sum up the chip and the two networks."""
    chip, ours = dse.load_accelerator("eyeriss"), PUBLISHED * _NAN
    ours.loc[CHIP, "macs_per_s"] = chip.num_macs * chip.clock_hz
    ours.loc[CHIP, "sram_bytes"] = sum(chip.buffer_sizes_bytes)
    ours.loc[CHIP, "dram_bytes_per_s"] = chip.dram_rate_bytes_per_s
    for name, module in ((ALEXNET, chen2017_eyeriss), (VGG16, chen2017_vgg16)):
        total = module.run().loc[module.TOTAL]
        accesses = total["dram_bytes"] / (BITS["input"] / 8)
        ours.loc[name, "dram_accesses_per_mac"] = accesses / total["macs"]
        ours.loc[name, "frames_per_s"] = module.BATCH / total["latency_s"]
    return ours


def figure(ours: pd.DataFrame) -> Figure:
    """Draw ours over published."""
    return ratio_figure(
        PUBLISHED,
        ours,
        finding="Eyeriss v1: the chip, its traffic and its frames/s follow",
        band=0.15,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
