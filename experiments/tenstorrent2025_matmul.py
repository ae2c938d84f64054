"""Held out: matrix products on Tenstorrent's Wormhole and Blackhole, in three formats.

Source: github.com/tenstorrent/tt-metal, tech_reports/GEMM_FLOPS/GEMM_FLOPS.md (commit 06bd373), Out
of Box Results, with trace: times of the host a call, operands in DRAM. Copied in
data/tenstorrent.csv.

Machine: machines/matrix_engine.yaml. A core does 8 x 16 by 16 x 16 in a cycle at the lowest
fidelity (bf8, bf4), half of that in bf16 (HiFi2), and has 1.5 MB. Wormhole n150: 8 x 8 cores at
1 GHz, 288 GB/s; Blackhole p150: 13 x 10 at 1.35 GHz, 512 GB/s [rates recalled]. Formats of 8 and 4
bits share an exponent, one byte for 16 values, which is left out. Nothing is fitted.

What it teaches. Default settings reach 10 to 60 % of the peak, small products least; the tuner's
choice of cores for each shape decides, and is not printed.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from experiments import matrix_engines
from experiments.comparison import DATA, report
from experiments.evidence import MEASURED, Choice
from experiments.matrix_engines import MACHINE_FILE, product_s

MACHINE = "Wormhole, Blackhole, held out"
KIND = MEASURED
CHOSEN_ON: tuple[Choice, ...] = ()
IS_HELD_OUT = True
TOLERANCE, WHY_MISSED = matrix_engines.TOLERANCE, matrix_engines.WHY_MISSED
FORMATS = {"bfloat16 HiFi2": (16, 64), "bfloat8_b LoFi": (8, 128), "bfloat4_b LoFi": (4, 128)}
"""Bits, and results that a core makes at once of 16 channels."""
CORE_BYTES = 1_572_864
DEVICES = {
    "Wormhole n150": {
        "clock_hz": 1.0e9,
        "cores_down": 8,
        "cores_across": 8,
        "buffer_bytes": 64 * CORE_BYTES,
        "dram_bytes_per_s": 288e9,
    },
    "Blackhole p150": {
        "clock_hz": 1.35e9,
        "cores_down": 10,
        "cores_across": 13,
        "buffer_bytes": 130 * CORE_BYTES,
        "dram_bytes_per_s": 512e9,
    },
}

_TABLE = pd.read_csv(DATA / "tenstorrent.csv").set_index(["device", "precision", "m", "k", "n"])
PUBLISHED = pd.DataFrame({"latency_s": _TABLE["time_us"] / 1e6})


def run() -> pd.DataFrame:
    """Evaluate each product on its device."""
    seconds = []
    for device, precision, m, k, n in PUBLISHED.index:
        bits, columns = FORMATS[precision]
        chip = dse.load_accelerator(MACHINE_FILE, core_columns=columns, **DEVICES[device])
        seconds.append(product_s(m, k, n, bits=bits, chip=chip))
    return pd.DataFrame({"latency_s": seconds}, index=PUBLISHED.index)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    finding = "Machines known from data sheets: what a tuner leaves unused is not printed"
    return matrix_engines.figure_of(PUBLISHED, ours, finding=finding)


if __name__ == "__main__":
    report(sys.modules[__name__])
