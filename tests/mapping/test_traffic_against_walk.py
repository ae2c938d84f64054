"""Costs of given mappings equal a literal walk of the loops that counts every element."""

from random import Random

import pytest

from dse.hardware import Accelerator
from dse.mapping import evaluate_mapping
from dse.workload import Layer
from tests.oracle.cases import as_code, random_chip, random_layer, random_mapping
from tests.oracle.walk import compulsory_bits, walk

QUICK, FULL = 2_000, 22_000


def check(seed: int, layer: Layer, chip: Accelerator, rng: Random) -> None:
    """Draw a mapping; every number of the closed forms is that of the walk."""
    tile, order, axes = random_mapping(rng, layer, chip)
    found = walk(layer, chip, tile, order, axes)
    told = (
        f"seed {seed}\nlayer = {as_code(layer)}\nchip = {as_code(chip)}\n"
        f"tile, order, axes = {tile}, {order}, {axes}"
    )
    mapping = evaluate_mapping(layer, chip, tile=tile, order=order, axes=axes)
    assert dict(mapping.dram_bits_by_operand) == found["bits"], told
    assert mapping.compute_cycles == found["compute_cycles"], told
    assert tuple(mapping.footprint_bits) == found["footprint_bits"], told
    assert mapping.first_last_bits == found["first_last_bits"], told
    assert found["macs"] == layer.macs, told
    assert sum(found["bits"].values()) >= compulsory_bits(layer, chip), told  # type: ignore[attr-defined]


def check_all(first: int, last: int) -> None:
    """Two mappings of each random layer and machine."""
    for seed in range(first, last, 2):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=200_000), random_chip(rng)
        for _ in range(2):
            check(seed, layer, chip, rng)


@pytest.mark.parametrize("first", range(0, QUICK, 500))
def test_closed_forms_equal_the_walk(first: int) -> None:
    check_all(first, first + 500)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, FULL, 2_000))
def test_closed_forms_equal_the_walk_on_thousands(first: int) -> None:
    check_all(first, first + 2_000)
