"""Held out: matrix products in 16 bits on A100 and MI210.

Source: Zhang et al., LLMCompass, ISCA 2024, Figure 5: measured times in
github.com/PrincetonUniversity/LLMCompass, ae/figure5/ab/real_hardware (commit 2e015fd). Copied in
data/llmcompass.csv.

Machine: machines/matrix_engine.yaml. A100: 108 cores of 4 x 16 x 16 MACs at 1410 MHz, 40 MB of
cache, 2039 GB/s (configs/GA100.json there). MI210: 104 cores of 512 MACs at 1700 MHz, which are its
181 TFLOPS [recalled], 8 MB, 1638 GB/s. Nothing is fitted, and a call costs nothing.

What it teaches. Large products take 0.8 of the peak on A100 and less on MI210; a call of some 30 us
is all of the time of small ones.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from experiments import matrix_engines
from experiments.comparison import DATA, report
from experiments.evidence import MEASURED, Choice
from experiments.matrix_engines import MACHINE_FILE, product_s

MACHINE = "A100, MI210, held out"
KIND = MEASURED
CHOSEN_ON: tuple[Choice, ...] = ()
IS_HELD_OUT = True
TOLERANCE, WHY_MISSED = matrix_engines.TOLERANCE, matrix_engines.WHY_MISSED
BITS = 16
DEVICES = {
    "A100": {
        "clock_hz": 1410e6,
        "core_columns": 64,
        "cores_down": 12,
        "cores_across": 9,
        "buffer_bytes": 41_943_040,
        "dram_bytes_per_s": 2039e9,
    },
    "MI210": {
        "clock_hz": 1700e6,
        "core_columns": 32,
        "cores_down": 13,
        "cores_across": 8,
        "buffer_bytes": 8_388_608,
        "dram_bytes_per_s": 1638e9,
    },
}

_TABLE = pd.read_csv(DATA / "llmcompass.csv").set_index(["device", "m", "k", "n"])
PUBLISHED = pd.DataFrame({"latency_s": _TABLE["time_ms"] / 1e3})


def run() -> pd.DataFrame:
    """Evaluate each product on its device."""
    chips = {x: dse.load_accelerator(MACHINE_FILE, **own) for x, own in DEVICES.items()}
    seconds = [
        product_s(m, k, n, bits=BITS, chip=chips[device]) for device, m, k, n in PUBLISHED.index
    ]
    return pd.DataFrame({"latency_s": seconds}, index=PUBLISHED.index)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    finding = "GPUs known from data sheets: large products reach less than the peak"
    return matrix_engines.figure_of(PUBLISHED, ours, finding=finding)


if __name__ == "__main__":
    report(sys.modules[__name__])
