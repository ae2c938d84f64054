"""What one evaluation of a network on a machine says."""

from dataclasses import dataclass
from math import fsum
from typing import Any

from dse.hardware import Accelerator
from dse.network.schedule import NetworkSchedule
from dse.shown import short_repr
from dse.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Totals of one run of the batch, and a row for each layer.

    Attributes
    ----------
    objective
        What each layer's mapping minimises.
    slack
        Share of the least latency that a mapping may lose to move fewer bits.
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
    schedule
        What stays on the chip between layers; None where nothing may.
    """

    workload: Workload
    accelerator: Accelerator
    objective: str
    slack: float
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
    schedule: NetworkSchedule | None = None

    __repr__ = short_repr

    @property
    def energy_mac_pj(self) -> float:
        """Energy of the MACs, in which that of the buffers is. [pJ]."""
        return self._sum("energy_mac_pj")

    @property
    def energy_dram_pj(self) -> float:
        """Energy of the bits that cross the DRAM interface. [pJ]."""
        return self._sum("energy_dram_pj")

    @property
    def energy_leakage_pj(self) -> float:
        """Energy of what runs all the time; with the other two, all of ``energy_pj``. [pJ]."""
        return self._sum("energy_leakage_pj")

    def _sum(self, column: str) -> float:
        return fsum(row[column] for row in self.layer_rows)
