"""The enumerated spaces on which samplers are compared: what is varied, for which network."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dse.api import catalogue, load_accelerator, load_workload
from dse.arrays import FloatArray
from dse.evaluation.space_model import SpaceModel
from dse.exploration.front.enumerate import enumerate_space
from dse.exploration.problem import Problem
from dse.hardware import Accelerator
from dse.pareto import non_dominated
from dse.space import Space, Value

Knobs = Mapping[str, tuple[Value, ...]]


def mapped(machine: str) -> Accelerator:
    """Return a machine that leaves every layer to the mapper, NVDLA without rules of its own.

    All studies were measured so: rows of the CSV are of one model.
    """
    chip = load_accelerator(machine)
    dram = replace(chip.dram, kilobyte_bytes=1000)
    return replace(
        chip, dram=dram, schedule=None, pooling_is_fused=False, additions_are_fused=False
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network, the machines that may run it, and what is asked of them.

    Attributes
    ----------
    machines
        Accelerator to its own knobs; with several, the machine is a knob and theirs hang on it.
    shared
        The knobs of every machine.
    """

    name: str
    network: str
    machines: Mapping[str, Knobs]
    shared: Knobs
    objectives: tuple[str, ...]
    budget: Mapping[str, float]

    @cached_property
    def problems(self) -> dict[str, Problem]:
        """The grid of each machine, with its costs."""
        return {name: self._problem(mapped(name), own) for name, own in self.machines.items()}

    def _problem(self, machine: Accelerator, own: Knobs) -> Problem:
        knobs = {**own, **self.shared}
        space = Space(name=self.name, accelerator=machine, knobs=knobs, catalogue=catalogue())
        return Problem(
            model=SpaceModel(network=load_workload(self.network), space=space),
            objectives=self.objectives,
            budget=self.budget,
        )

    def told(self) -> dict[str, tuple[FloatArray, FloatArray]]:
        """Cost every design: machine to what Optuna is told of each, in the order of the grid."""
        found = {}
        for machine, problem in self.problems.items():
            costs = enumerate_space(problem, progress=False).costs
            if costs is None:
                raise ValueError(f"{self.name} must have fewer designs")
            found[machine] = problem.told(costs)
        return found


def _bytes(low: int, high: int, num: int) -> tuple[int, ...]:
    return tuple(int(x) for x in np.geomspace(low, high, num).round(-3))


def _rates(low: float, high: float, num: int) -> tuple[float, ...]:
    return tuple(float(x) for x in np.geomspace(low, high, num).round(-6))


def _clocks(num: int) -> tuple[float, ...]:
    return tuple(float(x) for x in np.linspace(0.4e9, 1.2e9, num).round(-6))


_SIDES = (8, 16, 32, 64)
_LARGE_SIDES = (16, 48, 128)
_PARTS = (
    "lpddr4_3200_x16",
    "lpddr4_3200_x32",
    "lpddr4x_4266_x32",
    "lpddr5_6400_x32",
    "ddr4_3200_x64",
    "lpddr5x_8533_x64",
)

CASES = (
    Case(
        name="edge",
        network="resnet50",
        machines={"flexible": {"array_rows": _SIDES, "array_columns": _SIDES}},
        shared={
            "buffer_bytes": _bytes(65_536, 4_194_304, 80),
            "dram_bytes_per_s": _rates(1e9, 50e9, 80),
        },
        objectives=("throughput_per_s", "area_mm2", "dram_bytes_per_s"),
        budget={},
    ),
    Case(
        name="mobile with budgets",
        network="mobilenet_v2",
        machines={"flexible": {"array_rows": _SIDES, "array_columns": _SIDES}},
        shared={
            "buffer_bytes": _bytes(32_768, 4_194_304, 40),
            "clock_hz": _clocks(10),
            "dram_channels": (1, 2, 4),
            "dram_part": _PARTS,
        },
        objectives=("latency_s", "energy_pj_per_inference", "area_mm2"),
        budget={"area_mm2": 10.0, "power_w": 3.0, "dram_bytes_per_s": 20.5e9},
    ),
    Case(
        name="cost and power",
        network="vgg16",
        machines={"systolic": {"array_rows": _LARGE_SIDES, "array_columns": _LARGE_SIDES}},
        shared={
            "buffer_bytes": _bytes(131_072, 16_777_216, 48),
            "clock_hz": _clocks(8),
            "dram_channels": (1, 2, 4, 8),
            "dram_part": _PARTS,
            "technology": ("node65", "node28", "node16", "node7"),
        },
        objectives=("throughput_per_s", "cost_usd", "power_w"),
        budget={},
    ),
    Case(
        name="batch",
        network="bert_base",
        machines={"systolic": {"array_rows": (16, 64), "array_columns": (16, 32, 64)}},
        shared={
            "batch": (1, 2, 4, 8),
            "buffer_bytes": _bytes(131_072, 16_777_216, 64),
            "dram_bytes_per_s": _rates(1e9, 100e9, 72),
        },
        objectives=("throughput_per_s", "latency_s", "area_mm2", "dram_bytes_per_s"),
        budget={},
    ),
    Case(
        name="two objectives",
        network="efficientnet_b0",
        machines={"nvdla": {"macs": (32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)}},
        shared={
            "buffer_bytes": _bytes(65_536, 2_097_152, 40),
            "clock_hz": _clocks(10),
            "dram_bytes_per_s": _rates(0.5e9, 40e9, 40),
        },
        objectives=("latency_s", "energy_pj_per_inference"),
        budget={},
    ),
    Case(
        name="conditional knobs",
        network="resnet18",
        machines={
            "flexible": {"array_rows": (8, 16, 32), "array_columns": (8, 16, 32)},
            "systolic": {"array_rows": (8, 16, 32), "array_columns": (8, 16, 32)},
            "nvdla": {"macs": (64, 128, 256, 384, 512, 1024, 1536, 2048)},
        },
        shared={
            "buffer_bytes": _bytes(65_536, 4_194_304, 60),
            "dram_bytes_per_s": _rates(1e9, 50e9, 80),
        },
        objectives=("throughput_per_s", "area_mm2", "dram_bytes_per_s"),
        budget={},
    ),
    Case(
        name="a million designs",
        network="alexnet",
        machines={"nvdla": {"macs": (64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048)}},
        shared={
            "buffer_bytes": _bytes(65_536, 4_194_304, 64),
            "clock_hz": _clocks(12),
            "dram_bytes_per_s": _rates(0.5e9, 50e9, 64),
            "technology": ("node28", "node16"),
        },
        objectives=("throughput_per_s", "power_w", "area_mm2"),
        budget={},
    ),
    Case(
        name="held out: four objectives",
        network="vit_b16",
        machines={"systolic": {"array_rows": (16, 32, 64, 128), "array_columns": (16, 32, 64)}},
        shared={
            "buffer_bytes": _bytes(131_072, 8_388_608, 80),
            "clock_hz": _clocks(6),
            "dram_channels": (1, 2, 4),
            "dram_part": _PARTS,
        },
        objectives=("latency_s", "energy_pj_per_inference", "area_mm2", "cost_usd"),
        budget={},
    ),
    Case(
        name="held out: a budget",
        network="googlenet",
        machines={"flexible": {"array_rows": _SIDES, "array_columns": (8, 16, 32)}},
        shared={
            "buffer_bytes": _bytes(32_768, 2_097_152, 72),
            "clock_hz": _clocks(8),
            "dram_bytes_per_s": _rates(1e9, 30e9, 16),
        },
        objectives=("throughput_per_s", "energy_pj_per_inference", "area_mm2"),
        budget={"power_w": 2.0},
    ),
)
"""The last two were added when sampler ridge was tuned already; it was never tuned on them."""


def size(case: Case) -> int:
    """Return the number of designs of a case."""
    return sum(problem.space.size for problem in case.problems.values())


def exact_front(told: Mapping[str, tuple[FloatArray, FloatArray]]) -> FloatArray:
    """Return the points of the exact front, of shape (designs of the front, objectives)."""
    points = [values[(limits <= 0).all(axis=1)] for values, limits in told.values()]
    joined = np.concatenate(points)
    front: FloatArray = joined[non_dominated(joined)]
    return front
