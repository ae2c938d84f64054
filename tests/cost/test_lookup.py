"""Designs that are looked up together equal each machine's best mapping, found one by one."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from dse.cost.designs import asked_of
from dse.cost.model import costs_of_space, design_costs
from dse.hardware import TRANSFERS, Accelerator
from dse.mapping import asked, kept
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
        assert_chosen(costs, columns, layer, chip, objective)


def assert_chosen(costs, columns, layer, chip, objective):
    """Compare the costs of machines with those of a full comparison of the table."""
    for place in range(len(costs["latency_s"])):
        values = {name: column[place].item() for name, column in columns.items()}
        expected = chosen(layer, chip.with_parameters(**values), objective)
        found = costs["latency_s"][place], costs["dram_bytes"][place]
        assert found == expected, f"{layer}, machine {place}: {values}"


def space_of(layer: Layer, chip: Accelerator, rng: Random, most: int) -> dict[str, list[float]]:
    """Return knobs of a machine with one buffer: sizes, and up to so many rates and clocks."""
    sizes = np.unique(mapping_table(layer, chip).footprint_bits // 4).tolist()
    room = next(iter(chip.parameters))
    return {
        room: [max(1, int(rng.choice(sizes))) for _ in range(rng.randint(1, 6))],
        "dram_bytes_per_s": [10 ** rng.uniform(6, 11) for _ in range(rng.randint(1, most))],
        "clock_hz": [10 ** rng.uniform(7, 10) for _ in range(rng.randint(1, 3))],
    }


def grid_of(knobs: dict[str, list[float]]) -> dict[str, np.ndarray]:
    """Return the designs of a space as columns."""
    grid = np.meshgrid(*(np.array(values) for values in knobs.values()), indexing="ij")
    return {name: column.ravel() for name, column in zip(knobs, grid, strict=True)}


@pytest.mark.parametrize(("most", "ranges"), [(4, 31), (40, 31), (20, 2)])
def test_the_fastest_mappings_of_a_space_equal_those_of_the_table(
    most: int, ranges: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "MOST_RATIOS", ranges)
    for seed in range(40):
        rng = Random(f"{most} {seed}")
        layer = replace(random_layer(rng), repeat=1)
        chip = parametric(random_chip(rng), rng)
        if len(chip.buffers) > 1:
            continue
        knobs = space_of(layer, chip, rng, most)
        columns = grid_of(knobs)
        network = Workload(name="one", layers=(layer,), source="tests", batch=1)
        kept.forget()
        costs = costs_of_space(chip, knobs, CATALOGUE)(network, chip, columns, catalogue=CATALOGUE)
        assert not kept._TABLES
        assert_chosen(costs, columns, layer, chip, "latency_s")


def test_a_design_outside_of_the_space_is_looked_up_in_the_whole_table() -> None:
    rng = Random(5)
    layer = replace(random_layer(rng), repeat=1)
    chip = next(
        x for x in (parametric(random_chip(rng), rng) for _ in range(99)) if len(x.buffers) == 1
    )
    knobs = space_of(layer, chip, rng, 4)
    wanted = asked_of(chip, knobs, CATALOGUE, "latency_s")
    assert wanted is not None
    assert asked_of(chip, knobs, CATALOGUE, "dram_bytes") is None
    network = Workload(name="one", layers=(layer,), source="tests", batch=1)
    columns = grid_of({**knobs, "clock_hz": [1.1 * x for x in knobs["clock_hz"]]})
    costs = design_costs(network, chip, columns, catalogue=CATALOGUE, asked=wanted)
    assert_chosen(costs, columns, layer, chip, "latency_s")
