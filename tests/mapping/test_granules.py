"""Weights that arrive in whole tiles of the array: traffic as brute force and the walk have it."""

from dataclasses import replace
from random import Random

import pytest

import dse
from dse.hardware import Granule
from dse.mapping.nest.dram_bits import weights_fetched
from tests.mapping.test_table_against_oracle import check_front, told_of
from tests.oracle.cases import random_chip, random_layer

LOOPS = (("k",), ("c",), ("c", "fy", "fx"), ("g",))


def test_table_equals_brute_force_with_whole_tiles() -> None:
    num_changed = 0
    for seed in range(5000, 5040):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=10_000), random_chip(rng)
        loops = rng.choice([(("k",), rng.choice(LOOPS[1:3])), (rng.choice(LOOPS),)])
        granules = tuple(Granule(size=rng.randint(1, 5), loops=x) for x in loops)
        whole = replace(chip, weight_granules=granules)
        check_front(layer, whole, told_of(seed, layer, whole))
        num_changed += weights_fetched(layer, whole) > weights_fetched(layer, chip)
    assert num_changed > 10


def test_the_tpu_fetches_whole_tiles() -> None:
    chip = dse.load_accelerator("tpu_v1")
    layer = dse.Layer(name="fc", k=1472, c=1472)
    assert weights_fetched(layer, chip) == 1536 * 1536
    first = dse.Layer(name="conv", k=64, c=3, oy=9, ox=9, fy=7, fx=7)
    assert weights_fetched(first, chip) == 256 * 256
    assert weights_fetched(first, dse.load_accelerator("nvdla")) == 64 * 3 * 49


def test_a_loop_is_rounded_once() -> None:
    twice = [{"size": 2, "loops": ["k"]}, {"size": 3, "loops": ["k", "c"]}]
    with pytest.raises(dse.DseError, match="must name each loop once"):
        dse.load_accelerator("nvdla", weight_granules=twice)
    with pytest.raises(dse.DseError, match="must name loops of g k c fy fx"):
        dse.load_accelerator("nvdla", weight_granules=[{"size": 2, "loops": ["oy"]}])
