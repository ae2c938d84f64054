"""Processors that layers bound by DRAM bandwidth were measured on: one efficiency a device."""

import dse
from experiments.comparison import FOLDER

MACHINE_FILE = FOLDER / "machines" / "processor.yaml"
FP32 = dict.fromkeys(("input", "weight", "output", "psum"), 32)


def processor(peak_bytes_per_s: float, efficiency: float) -> dse.Accelerator:
    """Return a processor with this DRAM; at small batch nothing else of it matters."""
    return dse.load_accelerator(
        MACHINE_FILE, dram_bytes_per_s=peak_bytes_per_s, dram={"efficiency": efficiency}
    )


def fitted_efficiency(measured_s: float, workload: dse.Workload, peak_bytes_per_s: float) -> float:
    """Return the efficiency with which the model gives the measured time of one workload."""
    return dse.evaluate(workload, processor(peak_bytes_per_s, 1.0)).latency_s / measured_s
