"""Passes that hold sums until they are finished: tables against brute force, and one by hand."""

from dataclasses import replace
from random import Random

from dse.hardware import Accelerator
from dse.mapping.table import mapping_table
from tests.mapping.test_table_against_oracle import check_front, told_of
from tests.oracle.cases import is_mixed, random_chip, random_layer
from tests.oracle.walk import REDUCED


def holding_sums(rng: Random, chip: Accelerator) -> Accelerator:
    """Return the machine with passes of finished sums; mixed axes count in whole sets."""
    axes = tuple(replace(axis, whole_sets=any(map(is_mixed, axis.dims))) for axis in chip.array)
    return replace(chip, array=axes, held_in_array="sum", fill_cycles=rng.randint(1, 7))


def test_table_equals_brute_force_with_finished_sums() -> None:
    num_fewer = 0
    for seed in range(8000, 8060):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=10_000), holding_sums(rng, random_chip(rng))
        if seed % 4 == 0:
            rates = rng.choice([("output",), ("weight",), ("output", "weight")])
            links = tuple((x, rng.choice([8, 24, 100])) for x in rates)
            chip = chip.with_links(links)
        check_front(layer, chip, told_of(seed, layer, chip))
        tables = [
            mapping_table(layer, replace(chip, held_in_array=held)) for held in ("sum", "output")
        ]
        finished, again = (set(zip(x.dram_bits, x.compute_cycles, strict=True)) for x in tables)
        num_fewer += finished != again
    assert num_fewer > 10


def test_table_equals_brute_force_with_finished_sums_in_a_given_order() -> None:
    for seed in range(8400, 8425):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=5_000), holding_sums(rng, random_chip(rng))
        order = tuple(rng.sample(tuple(layer.bounds), len(layer.bounds)))
        bound = replace(chip, constraints=replace(chip.constraints, order=order))
        check_front(layer, bound, told_of(seed, layer, bound))


def test_finishing_costs_the_same_however_the_reduction_is_cut() -> None:
    for seed in range(8500, 8540):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=5_000), holding_sums(rng, random_chip(rng))
        chip = replace(chip.with_links(()), padding_is_computed=True)
        bare = replace(chip, fill_cycles=0)
        whole = {loop: layer.bounds[loop] for loop in layer.bounds if loop not in REDUCED}
        added = set()
        for cut in range(1, 4):
            tile = whole | {loop: min(cut, layer.bounds[loop]) for loop in REDUCED}
            limits = {"min_tile": tuple(tile.items()), "max_tile": tuple(tile.items())}
            given = replace(chip.constraints, **limits)
            rows = [mapping_table(layer, replace(x, constraints=given)) for x in (chip, bare)]
            unrolled = rows[0].mapping(0).axes
            only = replace(given, unrolled=unrolled)
            one = [mapping_table(layer, replace(x, constraints=only)) for x in (chip, bare)]
            added.add((unrolled, int(one[0].compute_cycles[0] - one[1].compute_cycles[0])))
        by_unrolling: dict[object, set[int]] = {}
        for unrolled, cycles in added:
            by_unrolling.setdefault(unrolled, set()).add(cycles)
        assert all(len(cycles) == 1 for cycles in by_unrolling.values()), (seed, added)
