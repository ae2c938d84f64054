"""Xilinx' DPU and its networks, as several experiments run them: 8-bit data, one configuration."""

from dataclasses import replace

import pandas as pd

import dse

BITS = dict.fromkeys(("input", "weight", "output", "psum"), 8)
BYTES_PER_CYCLE = 32
"""Of both data ports, at the clock of the core (PG338)."""


def network(name: str) -> dse.Workload:
    """Return a network with 8-bit operands."""
    return dse.load_workload(name, bits=BITS)


def alexnet() -> dse.Workload:
    """Return the AlexNet of the profile: no groups, two classes, no local response normalisation.

    The layers that it shares with `alexnet` are joined from their groups.
    """
    whole = network("alexnet")
    layers = [replace(x, g=1, k=x.g * x.k, c=x.g * x.c) for x in whole.layers if x.has_macs]
    layers[-1] = replace(layers[-1], k=2, extra_parameters=2)
    joined = {layer.name: layer for layer in layers}
    kept = [joined.get(x.name, x) for x in whole.layers if x.op != "other"]
    return replace(whole, layers=tuple(kept))


def core(clock_hz: float, efficiency: float | None = None) -> dse.Accelerator:
    """Return a core at the clock of a board; its efficiency as configured if none is given."""
    dram = {} if efficiency is None else {"dram": {"efficiency": efficiency}}
    rate = BYTES_PER_CYCLE * clock_hz
    return dse.load_accelerator("dpu", clock_hz=clock_hz, dram_bytes_per_s=rate, **dram)


def nodes(whole: dse.Workload, chip: dse.Accelerator, objective: str = "latency_s") -> pd.DataFrame:
    """Return time and DRAM bytes by node: the phases of a transposed convolution are one."""
    rows = dse.evaluate(whole, chip, objective=objective).layers
    node = rows["name"].str.partition(".")[0]
    return rows.groupby(node, sort=False)[["latency_s", "dram_bytes"]].sum()
