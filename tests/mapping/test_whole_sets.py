"""An axis that holds whole sets of its first loop: nothing straddles, as brute force has it."""

from dataclasses import replace
from random import Random

import dse
from dse.mapping.table import mapping_table
from tests.mapping.test_table_against_oracle import check_front, told_of
from tests.oracle.cases import random_chip, random_layer


def test_table_equals_brute_force_with_whole_sets() -> None:
    num_changed = 0
    for seed in range(3000, 3060):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=10_000), random_chip(rng)
        whole = replace(
            chip, array=tuple(replace(x, whole_sets=rng.random() < 0.7) for x in chip.array)
        )
        check_front(layer, whole, told_of(seed, layer, whole))
        cycles = {mapping_table(layer, one).compute_cycles.min() for one in (chip, whole)}
        num_changed += len(cycles) > 1
    assert num_changed > 3


def test_sets_of_eyeriss_take_the_published_processing_elements() -> None:
    chip = dse.load_accelerator("eyeriss")
    alexnet = dse.load_workload("alexnet", batch=4)
    published = {"conv2": 135, "conv3": 156, "conv4": 156, "conv5": 156}
    for layer in alexnet.layers:
        if layer.name[:5] in published:
            best = mapping_table(layer, chip).best("latency_s", chip, slack=0)
            busy = best.ideal_cycles * chip.num_macs / best.array_steps
            assert round(busy) == published[layer.name[:5]], layer.name
