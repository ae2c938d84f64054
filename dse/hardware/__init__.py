"""Accelerators: the machine that a workload runs on."""

from dse.hardware.accelerator import PARAMETERS, Accelerator
from dse.hardware.array import Axis, Granule
from dse.hardware.constraints import Constraints, Unrolling
from dse.hardware.memory import Buffer, Dram, Memory
from dse.hardware.rules import HELD, SWITCHES
from dse.hardware.schedule import Schedule, Winograd
from dse.hardware.transfers import TRANSFERS, Transfers

__all__ = [
    "HELD",
    "PARAMETERS",
    "SWITCHES",
    "TRANSFERS",
    "Accelerator",
    "Axis",
    "Buffer",
    "Constraints",
    "Dram",
    "Granule",
    "Memory",
    "Schedule",
    "Transfers",
    "Unrolling",
    "Winograd",
]
