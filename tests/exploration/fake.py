"""A closed-form stand-in for the cost model: a small network on an array with one buffer."""

from dataclasses import dataclass, field

import numpy as np

from dse.hardware import Accelerator, Axis, Buffer, Dram
from dse.space import Space
from dse.technology import Catalogue, Constant, DramPart, Technology

RATES = {
    "lpddr4_3200_x16": 6.4e9,
    "lpddr4_3200_x32": 12.8e9,
    "lpddr4x_4266_x32": 17.064e9,
    "lpddr5_6400_x32": 25.6e9,
}
KIB = [64, 91, 128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 2896, 4096]
SIDES = (8, 12, 16, 24, 32, 48, 64)
# oy*ox, k, c*fy*fx: matrix products of about the sizes of ResNet-50's layers
PRODUCTS = np.array(
    [
        (12544, 64, 147),
        (3136, 64, 64),
        (3136, 64, 576),
        (3136, 256, 64),
        (784, 128, 1152),
        (784, 512, 128),
        (196, 256, 2304),
        (196, 1024, 256),
        (196, 256, 1024),
        (49, 512, 4608),
        (49, 2048, 512),
        (1, 1000, 2048),
    ],
    dtype=float,
).T
REPEATS = np.array([1, 1, 3, 4, 4, 4, 6, 6, 5, 3, 3, 1], dtype=float)


def constant(value):
    return Constant(value=value, low=value, high=value, source="[assume]")


TECHNOLOGY = Technology(
    name="node28",
    node_nm=28,
    area_fixed_mm2=constant(0.5),
    area_mm2_per_mac=constant(0.0015),
    area_mm2_per_kib=constant(0.0032),
    area_fit_macs=(32, 2048),
    area_fit_kib=(128, 512),
    mac_pj=constant(0.3),
    leakage_w_per_mm2=constant(0.01),
    wafer_usd=constant(2891),
    defects_per_cm2=constant(0.05),
)


def part(name, rate):
    return DramPart(
        name=name,
        bytes_per_s=rate,
        burst_bytes=32,
        pj_per_bit=constant(8),
        usd=constant(3),
        source="[assume]",
    )


CATALOGUE = Catalogue(
    dram_parts={name: part(name, rate) for name, rate in RATES.items()},
    technologies={"node28": TECHNOLOGY},
)
ACCELERATOR = Accelerator(
    name="flexible",
    clock_hz=1e9,
    array_rows=16,
    array_columns=16,
    buffer_bytes=131072,
    dram_part=CATALOGUE.dram_parts["lpddr4_3200_x32"],
    array=(Axis(size="array_rows", dims=(("c",),)), Axis(size="array_columns", dims=(("k",),))),
    buffers=(Buffer(name="global", bytes="buffer_bytes", holds=("input", "weight", "output")),),
    dram=Dram(efficiency=0.75),
    technology=TECHNOLOGY,
)
KNOBS = {
    "array_rows": SIDES,
    "array_columns": SIDES,
    "buffer_bytes": tuple(1024 * kib for kib in KIB),
    "dram_part": tuple(RATES),
    "dram_channels": (1, 2),
}


@dataclass(frozen=True)
class Model:
    """The stand-in as a search takes it.

    `costs_of` is called as `design_costs`, `network` scales the products.
    """

    space: Space
    costs_of: object = field(default_factory=lambda: design_costs)
    network: float = 1.0
    has_time_grid = False

    def costs(self, columns):
        space = self.space
        return self.costs_of(self.network, space.accelerator, columns, catalogue=space.catalogue)


def space(**knobs):
    return Space(name="fake", accelerator=ACCELERATOR, knobs=knobs or KNOBS, catalogue=CATALOGUE)


def design_costs(network, accelerator, columns, *, catalogue, objective="latency_s"):
    """Cost designs in closed form; `network` scales the products (any positive number)."""
    size = len(next(iter(columns.values())))

    def knob(name, default):
        return np.asarray(columns.get(name, np.full(size, default)), dtype=float)[:, None]

    rows, cols = knob("array_rows", 16), knob("array_columns", 16)
    buffer, clock = knob("buffer_bytes", 131072), knob("clock_hz", 1e9)
    names = columns.get("dram_part", np.full(size, "lpddr4_3200_x32", dtype=object))
    rates = np.array([catalogue.dram_parts[name].bytes_per_s for name in names])
    peak = (rates * knob("dram_channels", 1)[:, 0]).astype(float)
    if "dram_bytes_per_s" in columns:
        peak = np.asarray(columns["dram_bytes_per_s"], dtype=float)
    m, n, k = PRODUCTS * float(network)
    macs = float((m * n * k * REPEATS).sum())
    cycles = np.ceil(k / rows) * np.ceil(n / cols) * m
    traffic = m * n + n * k + m * k + 2 * m * n * k / np.sqrt(buffer / 4)
    seconds = np.maximum(cycles / clock, traffic / (0.75 * peak[:, None]))
    latency = (seconds * REPEATS).sum(axis=1)
    moved = (traffic * REPEATS).sum(axis=1)
    area = 0.5 + 0.0015 * (rows * cols)[:, 0] + 0.0032 * buffer[:, 0] / 1024
    fits = buffer[:, 0] >= 32768
    latency, moved = np.where(fits, latency, np.inf), np.where(fits, moved, np.inf)
    energy = 0.3 * macs + 64.0 * moved + 1e10 * area * latency
    return {
        "latency_s": latency,
        "throughput_per_s": 1 / latency,
        "dram_bytes": moved,
        "dram_bytes_per_inference": moved,
        "energy_pj": energy,
        "energy_pj_per_inference": energy,
        "area_mm2": area,
        "power_w": np.where(fits, energy * 1e-12 / np.where(fits, latency, 1.0), np.inf),
        "dram_bytes_per_s": peak,
        "cost_usd": 3.0 * knob("dram_channels", 1)[:, 0] + 0.1 * area,
    }
