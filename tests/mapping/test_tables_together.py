"""Tables of all buffers together choose what whole tables choose, and draw the same curve."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest

import dse
from dse.errors import DseError
from dse.hardware import TRANSFERS, Accelerator
from dse.mapping.kept import fitting_table, forget, mapping_table, table_together
from dse.mapping.table import OBJECTIVES
from dse.workload import Layer
from tests.mapping.test_table_against_oracle import told_of
from tests.oracle.cases import random_chip, random_layer


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    """Forget whole tables, which would be returned if they were known."""
    forget()
    yield
    forget()


def drawn(seed: int) -> tuple[Layer, Accelerator]:
    """Draw a layer and a machine with several buffers, large enough for some mapping or not."""
    rng = Random(seed)
    layer, chip = random_layer(rng, most_work=30_000), random_chip(rng)
    while len(chip.buffers) == 1:
        chip = random_chip(rng)
    scale = rng.choice([1, 2, 8, 64])
    buffers = tuple(replace(x, bytes=scale * x.bytes) for x in chip.buffers)
    chip = replace(chip, buffers=buffers, transfers=rng.choice(TRANSFERS))
    if rng.random() < 0.2:
        order = tuple(rng.sample(tuple(layer.bounds), len(layer.bounds)))
        chip = replace(chip, constraints=replace(chip.constraints, order=order))
    return layer, chip


def test_the_best_mapping_is_that_of_the_whole_table() -> None:
    num_fitting = num_fewer = 0
    for seed in range(9000, 9150):
        layer, chip = drawn(seed)
        objective = OBJECTIVES[seed % len(OBJECTIVES)]
        own, whole = fitting_table(layer, chip), mapping_table(layer, chip)
        if not (whole.footprint_bits <= chip.usable_buffer_bits).all(axis=1).any():
            with pytest.raises(DseError, match="with no mapping: its smallest tiles take"):
                own.best(objective, chip)
            continue
        assert own.best(objective, chip) == whole.best(objective, chip), told_of(seed, layer, chip)
        num_fitting += 1
        num_fewer += len(own.dram_bits) < len(whole.dram_bits)
    assert num_fitting > 75
    assert num_fewer > 50


def test_the_least_traffic_is_that_of_the_whole_table() -> None:
    for seed in range(9200, 9300):
        layer, chip = drawn(seed)
        together = table_together(layer, chip).least_traffic()
        for one, other in zip(together, mapping_table(layer, chip).least_traffic(), strict=True):
            np.testing.assert_array_equal(one, other, err_msg=told_of(seed, layer, chip))


def test_a_published_machine_with_three_buffers() -> None:
    network = dse.load_workload("alexnet_one_tower")
    chip = dse.load_accelerator("snowflake")
    layer = next(layer for layer in network.layers if layer.name == "conv5")
    found = fitting_table(layer, chip)
    whole = mapping_table(layer, chip)
    assert 4 * len(found.dram_bits) < len(whole.dram_bits)
    for objective in OBJECTIVES:
        assert found.best(objective, chip) == whole.best(objective, chip)
