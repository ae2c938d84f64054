"""A given mapping, whole or in part: the rest equals brute force restricted to it."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from dse.errors import DseError
from dse.hardware import Accelerator
from dse.hardware.constraints import Constraints
from dse.mapping.table import MappingTable, mapping_table
from dse.workload import LOOPS, Layer
from tests.oracle.brute import Criteria, all_unrollings, brute_force_front, fits
from tests.oracle.cases import as_code, random_chip, random_layer, random_mapping
from tests.oracle.walk import walk

QUICK, FULL = 120, 2_000


def drawn(rng: Random) -> tuple[Layer, Accelerator]:
    """Draw a layer, and a machine with part of a mapping fixed: tiles, order, unrolling."""
    layer = random_layer(rng, most_work=10_000)
    chip = replace(random_chip(rng), constraints=Constraints())
    tile, order, axes = random_mapping(rng, layer, chip)
    order = tuple(rng.sample(LOOPS, len(LOOPS))) if rng.random() < 0.5 else order
    fixed = tuple((x, tile[x]) for x in rng.sample(LOOPS, rng.choice([0, 1, 2, 4, 8])))
    given = Constraints(
        min_tile=fixed,
        max_tile=fixed,
        order=order if rng.random() < 0.7 else (),
        unrolled=tuple(x if rng.random() < 0.6 else None for x in axes),
        stationarity=(rng.choice(chip.stationarity),) if rng.random() < 0.3 else (),
    )
    is_conflict = given.unrolled and not all_unrollings(replace(chip, constraints=given))
    given = replace(given, unrolled=()) if is_conflict else given
    return layer, replace(chip, constraints=given)


def rows_of(table: MappingTable) -> list[Criteria]:
    """Return the criteria of each row of a table, as the oracle has them."""
    columns = (table.dram_bits, table.compute_cycles, table.first_last_bits)
    arrays = np.column_stack([table.footprint_bits, *columns])
    return [tuple(int(x) for x in row) for row in arrays]


def check(seed: int) -> bool:
    """Check the case of a seed; see `check_given`."""
    return check_given(seed, *drawn(Random(seed)))


def check_given(seed: int, layer: Layer, chip: Accelerator) -> bool:
    """Compare a table with brute force, and replay its mappings; return whether there is one."""
    told = f"seed {seed}\nlayer = {as_code(layer)}\nchip = {as_code(chip)}"
    bound = chip.for_layer(layer.name)
    front = brute_force_front(layer, bound)
    if not front:
        with pytest.raises(DseError, match="does not allow the order"):
            mapping_table(layer, chip)
        return False
    table = mapping_table(layer, chip)
    rows = rows_of(table)
    assert len(set(rows)) == len(rows), told
    assert set(rows) == front, told
    for row, criteria in enumerate(rows):
        mapping = table.mapping(row)
        found = walk(layer, bound, mapping.tile, mapping.order, mapping.axes)
        ends = found["dram_bits"], found["compute_cycles"], found["first_last_bits"]
        assert (*found["footprint_bits"], *ends) == criteria, f"row {row}: {mapping}\n{told}"
        assert dict(mapping.dram_bits_by_operand) == found["bits"], told
        assert not bound.constraints.order or mapping.order == bound.constraints.order, told
    return True


@pytest.mark.parametrize("first", range(0, QUICK, 40))
def test_the_rest_of_a_given_mapping_equals_brute_force(first: int) -> None:
    assert sum(check(seed) for seed in range(first, first + 40)) > 20


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, FULL, 200))
def test_the_rest_of_thousands_of_given_mappings_equals_brute_force(first: int) -> None:
    assert sum(check(seed) for seed in range(first, first + 200)) > 100


@pytest.mark.parametrize("seed", range(40))
def test_the_best_mapping_given_back_costs_the_same(seed: int) -> None:
    rng = Random(seed)
    layer, chip = random_layer(rng, most_work=10_000), random_chip(rng)
    table = mapping_table(layer, chip)
    if not any(fits(point, chip) for point in rows_of(table)):
        return
    best = table.best("latency_s", chip)
    tile = tuple(best.tile.items())
    given = Constraints(min_tile=tile, max_tile=tile, order=best.order, unrolled=best.axes)
    again = mapping_table(layer, replace(chip, constraints=given))
    assert rows_of(again) == [rows_of(table)[table.best_row("latency_s", chip)]]
    assert again.best("latency_s", chip) == best


def test_constraints_of_a_layer_replace_those_of_all() -> None:
    own = Constraints(min_tile=(("k", 4),), order=tuple(LOOPS))
    both = Constraints(
        min_tile=(("k", 2), ("c", 3)), stationarity=("weight",), layers=(("conv", own),)
    )
    assert both.of("other") == replace(both, layers=())
    of_conv = both.of("conv")
    assert of_conv.min_tile == (("c", 3), ("k", 4))
    assert (of_conv.order, of_conv.stationarity) == (tuple(LOOPS), ("weight",))
