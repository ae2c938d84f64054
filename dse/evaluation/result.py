"""What one evaluation of a network on a machine says."""

from dataclasses import dataclass
from typing import Any

from dse.hardware import Accelerator
from dse.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Totals of one run of the batch, and a row for each layer.

    Attributes
    ----------
    objective
        What each layer's mapping minimises.
    latency_s, throughput_per_s
        Time of the batch, and inferences per second.
    dram_bytes, dram_bytes_per_inference, energy_pj, energy_pj_per_inference
        Traffic and energy of the batch, and their share of one inference.
    area_mm2, power_w, cost_usd
        Area without the DRAM interface; average power with the DRAM; die and DRAM.
    dram_bytes_per_s
        Peak bandwidth bought. [bytes/s]
    num_macs, peak_macs_per_s
        MACs of the array, and that times the clock.
    warnings
        The notes of the network, and one line for each constant that is extrapolated.
    layer_rows
        One dictionary a layer; its keys carry their units.
    """

    workload: Workload
    accelerator: Accelerator
    objective: str
    latency_s: float
    throughput_per_s: float
    dram_bytes: float
    dram_bytes_per_inference: float
    energy_pj: float
    energy_pj_per_inference: float
    area_mm2: float
    power_w: float
    dram_bytes_per_s: float
    cost_usd: float
    num_macs: int
    peak_macs_per_s: float
    warnings: tuple[str, ...]
    layer_rows: tuple[dict[str, Any], ...]
