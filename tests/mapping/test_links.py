"""Bits between the buffers and the array: cycles as brute force and the walk have them."""

from dataclasses import replace
from random import Random

import pytest

import dse
from dse.mapping.kept import mapping_table
from dse.mapping.mapping import evaluate_mapping
from tests.mapping.test_table_against_oracle import check_front, told_of
from tests.oracle.cases import random_chip, random_layer, random_mapping
from tests.oracle.walk import walk

RATES = (1, 3, 8, 64)


def linked(rng, chip):
    """Return the machine with some of its links to the buffers limited."""
    operands = rng.choice([("output",), ("weight",), ("weight", "output")])
    return replace(chip, array_bits_per_cycle=tuple((x, rng.choice(RATES)) for x in operands))


def test_table_equals_brute_force_with_links() -> None:
    num_changed = 0
    for seed in range(7000, 7050):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=10_000), random_chip(rng)
        slow = linked(rng, chip)
        check_front(layer, slow, told_of(seed, layer, slow))
        cycles = [mapping_table(layer, one).compute_cycles.min() for one in (chip, slow)]
        assert cycles[0] <= cycles[1]
        num_changed += cycles[0] < cycles[1]
    assert num_changed > 10


def test_table_equals_brute_force_with_links_in_a_given_order() -> None:
    for seed in range(7400, 7425):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=5_000), linked(rng, random_chip(rng))
        order = tuple(rng.sample(tuple(layer.bounds), len(layer.bounds)))
        bound = replace(chip, constraints=replace(chip.constraints, order=order))
        check_front(layer, bound, told_of(seed, layer, bound))


def test_a_mapping_takes_the_cycles_of_the_walk() -> None:
    for seed in range(7100, 7300):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=50_000), linked(rng, random_chip(rng))
        tile, order, axes = random_mapping(rng, layer, chip)
        ours = evaluate_mapping(layer, chip, tile=tile, order=order, axes=axes)
        assert ours.compute_cycles == walk(layer, chip, tile, order, axes)["compute_cycles"], seed


def test_waiting_by_hand() -> None:
    layer = dse.Layer(name="product", oy=6, k=4, c=8, psum_bits=16, weight_bits=16)
    chip = dse.load_accelerator("eyeriss", array_bits_per_cycle={"weight": 64, "output": 64})
    tile = {**dict.fromkeys(layer.bounds, 1), "oy": 3, "k": 4, "c": 2}
    order = ("b", "g", "k", "oy", "ox", "c", "fy", "fx")
    ours = evaluate_mapping(layer, chip, tile=tile, order=order, axes=((), ("oy",)))
    # 4 x 8 steps twice; 24 sums in 4 visits, 4 a cycle: hidden; 32 weights twice, 4 a cycle
    assert ours.array_steps == 64
    assert ours.compute_cycles == 64 + 2 * 32 // 4
    wide = evaluate_mapping(layer, chip, tile=tile, order=order, axes=(("fy", "k"), ("oy",)))
    assert wide.array_steps == 16
    assert wide.compute_cycles == max(16, 4 * 24 // 4) + 2 * 32 // 4


def test_other_links_are_refused() -> None:
    with pytest.raises(dse.DseError, match="array_bits_per_cycle"):
        dse.load_accelerator("eyeriss", array_bits_per_cycle={"input": 16})
    with pytest.raises(dse.DseError, match="array_bits_per_cycle"):
        dse.load_accelerator("eyeriss", array_bits_per_cycle={"weight": 0})
    with pytest.raises(dse.DseError, match="would change nothing with a schedule"):
        dse.load_accelerator("nvdla", array_bits_per_cycle={"weight": 64})
