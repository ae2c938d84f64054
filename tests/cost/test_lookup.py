"""Designs that are looked up together equal each machine's best mapping, found one by one."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from dse.cost.model import design_costs
from dse.hardware import TRANSFERS, Accelerator
from dse.mapping import kept
from dse.mapping.kept import mapping_table
from dse.mapping.table import OBJECTIVES
from dse.technology import Catalogue
from dse.workload import Layer, Workload
from tests.oracle.cases import random_chip, random_layer

MACHINES = 12
CATALOGUE = Catalogue(dram_parts={}, technologies={})


def chosen(layer: Layer, chip: Accelerator, objective: str) -> tuple[float, float]:
    """Return latency and DRAM bytes of the mapping that a full comparison of the table chooses."""
    table = mapping_table(layer, chip)
    if not (table.footprint_bits <= np.array(chip.usable_buffer_bits)).all(axis=1).any():
        return np.inf, np.inf
    row = table.best_row(objective, chip)
    rate = chip.peak_dram_bytes_per_s * chip.dram.efficiency
    transfer = table.dram_bits[row] / 8 / rate
    compute = table.compute_cycles[row] / chip.clock_hz
    ends = min(table.first_last_bits[row] / 8 / rate, transfer)
    latency = {
        "overlapped": max(compute, transfer),
        "double_buffered": max(compute + ends, transfer),
        "serial": compute + transfer,
    }[chip.transfers]
    return latency, table.dram_bits[row] / 8


def parametric(chip: Accelerator, rng: Random) -> Accelerator:
    """Return the chip with buffers that are parameters and a DRAM rate."""
    names = {f"bytes_{place}": one.bytes for place, one in enumerate(chip.buffers)}
    buffers = [replace(one, bytes=f"bytes_{place}") for place, one in enumerate(chip.buffers)]
    return replace(
        chip,
        buffers=tuple(buffers),
        parameters=names,
        dram_part=None,
        dram_bytes_per_s=1e9,
        transfers=rng.choice(TRANSFERS),
    )


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_looked_up_equals_compared(objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FLOORS", (0, 100, 1000))  # bits, as these layers are small
    for seed in range(60):
        rng = Random(f"{objective} {seed}")
        layer = replace(random_layer(rng), repeat=1)
        chip = parametric(random_chip(rng), rng)
        sizes = np.unique(mapping_table(layer, chip).footprint_bits // 4)
        columns = {
            name: np.array([max(1, int(rng.choice(sizes))) for _ in range(MACHINES)])
            for name in chip.parameters
        }
        rates = [10 ** rng.uniform(6, 11) for _ in range(rng.choice([1, 3, MACHINES]))]
        clocks = [10 ** rng.uniform(7, 10) for _ in range(rng.choice([1, 2, MACHINES]))]
        columns["dram_bytes_per_s"] = np.array([rng.choice(rates) for _ in range(MACHINES)])
        columns["clock_hz"] = np.array([rng.choice(clocks) for _ in range(MACHINES)])
        network = Workload(name="one", layers=(layer,), source="tests", batch=1)
        kept.forget()  # so that the mappings come from a search that tells less apart
        costs = design_costs(network, chip, columns, catalogue=CATALOGUE, objective=objective)
        for place in range(MACHINES):
            values = {name: column[place].item() for name, column in columns.items()}
            expected = chosen(layer, chip.with_parameters(**values), objective)
            found = costs["latency_s"][place], costs["dram_bytes"][place]
            assert found == expected, f"seed {seed}, machine {place}: {values}"
