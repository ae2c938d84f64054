"""Processors that layers bound by DRAM bandwidth were measured on: two constants a device."""

import pandas as pd

import dse
from experiments.comparison import DATA, FOLDER

MACHINE_FILE = FOLDER / "machines" / "processor.yaml"
FP32 = dict.fromkeys(("input", "weight", "output", "psum"), 32)
SMALLEST_CALL = "gemv_512x512"

_DEEPBENCH = pd.read_csv(DATA / "rnn.csv")


def deepbench_launch_s(device: str) -> float:
    """Return the time that a call takes whatever it does, as DeepBench timed it. [s].

    That of its smallest product at batch 1, 512 x 512 weights of 8 bits: they stay in the cache
    between repeats, and would take 0.6 us if not. 6 or 7 us, three digits after the point in ms.
    """
    own = _DEEPBENCH.query("device == @device and kind == @SMALLEST_CALL and batch == 1")
    return float(own["time_ms"].iloc[0]) / 1e3


def processor(peak_bytes_per_s: float, efficiency: float, launch_s: float = 0.0) -> dse.Accelerator:
    """Return a processor with this DRAM; at small batch nothing else of it matters."""
    return dse.load_accelerator(
        MACHINE_FILE,
        dram_bytes_per_s=peak_bytes_per_s,
        dram={"efficiency": efficiency},
        launch_s=launch_s,
    )


def fitted_efficiency(
    measured_s: float, workload: dse.Workload, peak_bytes_per_s: float, launch_s: float = 0.0
) -> float:
    """Return the efficiency with which the model gives the measured time of one run of a layer."""
    transfer_s = dse.evaluate(workload, processor(peak_bytes_per_s, 1.0)).latency_s
    return transfer_s / (measured_s - launch_s)
