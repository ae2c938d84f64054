"""Bits between the buffers and the array: cycles as brute force and the walk have them."""

from dataclasses import replace
from random import Random

import pytest

import dse
from dse.mapping.nest.mapping import evaluate_mapping
from dse.mapping.store import forget
from dse.mapping.table import mapping_table
from tests.evaluation.test_lookup import assert_chosen, grid_of, model_of, parametric, space_of
from tests.mapping.test_given_mapping import check_given, drawn
from tests.mapping.test_table_against_oracle import check_front, told_of
from tests.oracle.cases import random_chip, random_layer, random_mapping
from tests.oracle.walk import walk

RATES = (1, 3, 8, 64)


def linked(rng, chip):
    """Return the machine with some of its links to the buffers limited."""
    operands = rng.choice([("output",), ("weight",), ("weight", "output")])
    return chip.with_links((x, rng.choice(RATES)) for x in operands)


def fed(rng, chip):
    """Return the machine with k on no flattened axis, and the same that is fed slowly."""
    axes = tuple(
        replace(axis, whole_sets=any(len(loops) > 1 and "k" in loops for loops in axis.dims))
        for axis in chip.array
    )
    others = rng.choice([(), (), ("output",), ("weight",)])
    rates = tuple((x, rng.choice(RATES)) for x in ("input", *others))
    chip = replace(chip, array=axes)
    return chip, chip.with_links(rates)


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


def test_table_equals_brute_force_with_links_of_inputs() -> None:
    num_changed = 0
    for seed in range(7500, 7536):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=8_000), random_chip(rng)
        if seed % 3 == 0:  # a cut map reads fewer rows than a whole one
            chip = replace(chip, partial_rows_are_fetched=True)
            while layer.stride_y <= layer.fy and layer.stride_x <= layer.fx:
                layer = random_layer(rng, most_work=4_000)
        chip, slow = fed(rng, chip)
        check_front(layer, slow, told_of(seed, layer, slow))
        cycles = [mapping_table(layer, one).compute_cycles.min() for one in (chip, slow)]
        assert cycles[0] <= cycles[1]
        num_changed += cycles[0] < cycles[1]
    assert num_changed > 10


def test_table_equals_brute_force_with_links_of_inputs_in_a_given_order() -> None:
    num_found = 0
    for seed in range(7600, 7640):
        rng = Random(seed)
        layer, chip = drawn(rng)
        order = tuple(rng.sample(tuple(layer.bounds), len(layer.bounds)))
        bound = replace(chip, constraints=replace(chip.constraints, order=order))
        num_found += check_given(seed, layer, fed(rng, bound)[1])
    assert num_found > 20


def test_the_fastest_mappings_of_a_space_equal_those_of_the_table_with_links_of_inputs() -> None:
    num_compared = 0
    for seed in range(60):
        rng = Random(f"fed {seed}")
        layer = replace(random_layer(rng), repeat=1)
        chip = fed(rng, parametric(random_chip(rng), rng))[1]
        if len(chip.buffers) > 1:
            continue
        knobs = space_of(layer, chip, rng, 8)
        columns = grid_of(knobs)
        network = dse.Workload(name="one", layers=(layer,), source="tests", batch=1)
        forget()
        costs = model_of(network, chip, knobs).costs(columns)
        assert_chosen(costs, columns, layer, chip, "latency_s")
        num_compared += 1
    assert num_compared > 5


def test_a_mapping_takes_the_cycles_of_the_walk() -> None:
    for seed in range(7100, 7300):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=50_000), linked(rng, random_chip(rng))
        tile, order, axes = random_mapping(rng, layer, chip)
        ours = evaluate_mapping(layer, chip, tile=tile, order=order, axes=axes)
        assert ours.compute_cycles == walk(layer, chip, tile, order, axes)["compute_cycles"], seed


def test_a_mapping_takes_the_cycles_of_the_walk_with_links_of_inputs() -> None:
    for seed in range(7200, 7400):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=50_000), fed(rng, random_chip(rng))[1]
        tile, order, axes = random_mapping(rng, layer, chip)
        ours = evaluate_mapping(layer, chip, tile=tile, order=order, axes=axes)
        assert ours.compute_cycles == walk(layer, chip, tile, order, axes)["compute_cycles"], seed


@pytest.mark.parametrize(("runs", "columns"), [(False, 2), (True, 3)])
def test_waiting_for_inputs_by_hand(runs, columns) -> None:
    layer = dse.Layer(name="strided", oy=4, ox=2, iy=8, ix=4, stride_y=2, stride_x=2, k=5, c=3)
    rates = {"input": 5, "weight": None, "output": None}
    rules = {"array_bits_per_cycle": rates, "partial_rows_are_fetched": runs}
    chip = dse.load_accelerator("eyeriss", **rules)
    tile = {**dict.fromkeys(layer.bounds, 1), "oy": 2, "ox": 2, "k": 4, "c": 3}
    order = ("b", "g", "k", "oy", "ox", "c", "fy", "fx")
    ours = evaluate_mapping(layer, chip, tile=tile, order=order, axes=((), ("oy",)))
    # two tiles of as many rows as columns and 3 channels of 8 bits, for each of 5 outputs
    assert ours.array_steps == 2 * 2 * 5 * 3
    assert ours.compute_cycles == -(-2 * columns**2 * 3 * 8 * 5 // 5)
    wide = evaluate_mapping(layer, chip, tile=tile, order=order, axes=(("fy", "k"), ("oy",)))
    assert wide.compute_cycles == -(-2 * columns**2 * 3 * 8 * 2 // 5)  # 4 outputs, then 1


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
        dse.load_accelerator("eyeriss", array_bits_per_cycle={"psum": 16})
    chip = dse.load_accelerator("eyeriss", array_bits_per_cycle={"input": 16})
    with pytest.raises(dse.DseError, match=r"array must not flatten k .* input, .* got \[fy,k\]"):
        replace(chip, array=tuple(replace(axis, whole_sets=False) for axis in chip.array))
    with pytest.raises(dse.DseError, match="array_bits_per_cycle"):
        dse.load_accelerator("eyeriss", array_bits_per_cycle={"weight": 0})
    with pytest.raises(dse.DseError, match="would change nothing with a schedule"):
        dse.load_accelerator("nvdla", array_bits_per_cycle={"weight": 64})
