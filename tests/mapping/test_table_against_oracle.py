"""The mapping table equals brute force over every mapping of random small layers."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from dse.hardware import TRANSFERS, Accelerator
from dse.mapping import evaluate_mapping
from dse.mapping.table import MappingTable, mapping_table
from dse.workload import Layer
from tests.oracle.brute import (
    Criteria,
    Cycles,
    Traffic,
    all_orders,
    all_tiles,
    best,
    brute_force_front,
    fits,
    latency,
    non_dominated,
    stays,
    value,
)
from tests.oracle.cases import as_code, random_chip, random_layer, with_buffers
from tests.oracle.walk import (
    LOOPS,
    OWN,
    compulsory_bits,
    first_last_bits,
    footprint_bits,
    walk,
)

QUICK, FULL, LARGE = 100, 2_500, 150
OBJECTIVES = ("latency_s", "dram_bytes", "energy_pj", "edp")
SLACKS = (0.01, 0.25)


def drawn(seed: int, *, most_work: int = 20_000, most: int = 4) -> tuple[Layer, Accelerator]:
    """Draw the case of a seed."""
    rng = Random(seed)
    return random_layer(rng, most_work=most_work, most=most), random_chip(rng)


def rows_of(table: MappingTable) -> list[Criteria]:
    """Return the criteria of each row of a table, as the oracle has them."""
    columns = (table.dram_bits, table.compute_cycles, table.first_last_bits)
    arrays = np.column_stack([table.footprint_bits, *columns])
    return [tuple(int(x) for x in row) for row in arrays]


def check_front(layer: Layer, chip: Accelerator, told: str) -> None:
    """Check that the rows are the whole front, jointly in all criteria, each point once."""
    table, front = mapping_table(layer, chip), brute_force_front(layer, chip)
    rows = rows_of(table)
    assert len(set(rows)) == len(rows), told
    assert set(rows) - front == set(), f"rows not on the front\n{told}"
    assert front - set(rows) == set(), f"points missing in the table\n{told}"
    for row, criteria in enumerate(rows):
        check_row(layer, chip, table, row, criteria, told)
    for transfers in TRANSFERS:
        check_fronts_of_time(rows, front, transfers, told)
    for machine in machines(layer, chip, sorted(front)):
        check_best(layer, machine, front, told)
        check_slack(layer, machine, front, told)


def criteria_of(found: dict[str, object]) -> Criteria:
    """Return the criteria of a mapping that was walked."""
    ends = (found["dram_bits"], found["compute_cycles"], found["first_last_bits"])
    return (*found["footprint_bits"], *ends)  # type: ignore[misc,return-value]


def check_row(
    layer: Layer, chip: Accelerator, table: MappingTable, row: int, criteria: Criteria, told: str
) -> None:
    """Replay the mapping of a row by the walk of its loops: every number is the same."""
    mapping = table.mapping(row)
    told = f"row {row}: {mapping}\n{told}"
    found = walk(layer, chip, mapping.tile, mapping.order, mapping.axes)
    assert criteria_of(found) == criteria, told
    assert dict(mapping.dram_bits_by_operand) == found["bits"], told
    assert found["macs"] == layer.macs, told
    assert criteria[-3] >= compulsory_bits(layer, chip), told
    assert mapping.stationary in chip.stationarity, told
    cut = [x for x in mapping.order if mapping.tile[x] < layer.bounds[x]]
    foreign = [x not in OWN[mapping.stationary] for x in cut]
    assert foreign == sorted(foreign), f"{mapping.stationary} does not stay\n{told}"
    again = evaluate_mapping(layer, chip, tile=mapping.tile, order=mapping.order, axes=mapping.axes)
    assert dict(again.dram_bits_by_operand) == found["bits"], told
    assert again.compute_cycles == mapping.compute_cycles == found["compute_cycles"], told


def check_fronts_of_time(
    rows: list[Criteria], front: set[Criteria], transfers: str, told: str
) -> None:
    """Compare the fronts in (bytes, DRAM bits, cycles), with the ends if double buffered."""
    kept = slice(None) if transfers == "double_buffered" else slice(-1)
    ours, theirs = ({point[kept] for point in points} for points in (rows, front))
    assert non_dominated(ours) == non_dominated(theirs), f"{transfers}\n{told}"


def machines(layer: Layer, chip: Accelerator, points: list[Criteria]) -> Iterator[Accelerator]:
    """Yield the machine with buffers, rates and clocks at which other mappings are best."""
    rng = Random(len(points))
    for transfers in TRANSFERS:
        share = 2 if transfers == "double_buffered" else 1
        for _ in range(4):
            held = rng.choice(points)[: len(chip.buffers)]
            sizes = tuple(
                max(1, -(-bits * share // 8) + rng.choice([-1, 0, 0, 7])) for bits in held
            )
            changes = {
                "transfers": transfers,
                "clock_hz": rng.choice([1e6, 1e9, 1e12]),
                "dram_bytes_per_s": rng.choice([1e7, 1e9, 3e9, 1e11]),
            }
            yield with_buffers(chip, sizes, **changes)


def check_best(layer: Layer, chip: Accelerator, front: set[Criteria], told: str) -> None:
    """Compare the best mapping of each objective with that of brute force."""
    table = mapping_table(layer, chip)
    told = f"machine {as_code(chip)}\n{told}"
    if not any(fits(point, chip) for point in front):
        with pytest.raises(ValueError, match=layer.name):
            table.best("latency_s", chip)
        return
    for objective in OBJECTIVES:
        mapping = table.best(objective, chip, slack=0)
        found = walk(layer, chip, mapping.tile, mapping.order, mapping.axes)
        energy = {"mac_pj": mac_pj(layer), "leakage_w": leakage_w(layer, chip)}
        reached = value(criteria_of(found), chip, objective, **energy)
        assert reached == pytest.approx(best(front, chip, objective, **energy), rel=1e-12), (
            f"{objective}: {mapping}\n{told}"
        )


def check_slack(layer: Layer, chip: Accelerator, front: set[Criteria], told: str) -> None:
    """Compare what is chosen with slack with the definition, over all that brute force found."""
    table = mapping_table(layer, chip)
    times = {point: latency(point, chip) for point in front if fits(point, chip)}
    for slack in SLACKS if times else ():
        longest = (1 + slack) * min(times.values()) * (1 + 1e-9)  # a tie at the limit is in
        within = [x for x, time in times.items() if time <= longest]
        bits = min(x[-3] for x in within)
        expected = bits, min(times[x] for x in within if x[-3] == bits)
        mapping = table.best("latency_s", chip, slack=slack)
        found = criteria_of(walk(layer, chip, mapping.tile, mapping.order, mapping.axes))
        reached = found[-3], latency(found, chip)
        assert reached == pytest.approx(expected, rel=1e-12), f"slack {slack}: {mapping}\n{told}"


def leakage_w(layer: Layer, chip: Accelerator) -> float:
    """Return the static power of the machine: that of its area, with MACs for the layer. [W]."""
    node, scale = chip.technology, layer.input_bits * layer.weight_bits / 64
    area_mm2 = node.area_fixed_mm2.value + node.area_mm2_per_mac.value * chip.num_macs * scale
    area_mm2 += node.area_mm2_per_kib.value * sum(chip.buffer_sizes_bytes) / 1024
    return node.leakage_w_per_mm2.value * area_mm2


def mac_pj(layer: Layer) -> float:
    """Energy of the MACs; the same for every mapping, it matters for EDP only. [pJ]."""
    return 0.25 * layer.macs * layer.input_bits * layer.weight_bits / 64


def told_of(seed: int, layer: Layer, chip: Accelerator) -> str:
    """Return the case, ready to paste."""
    return f"seed {seed}\nlayer = {as_code(layer)}\nchip = {as_code(chip)}"


@pytest.mark.parametrize("first", range(0, QUICK, 50))
def test_table_equals_brute_force(first: int) -> None:
    for seed in range(first, first + 50):
        layer, chip = drawn(seed)
        check_front(layer, chip, told_of(seed, layer, chip))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, FULL, 200))
def test_table_equals_brute_force_on_thousands(first: int) -> None:
    for seed in range(first, first + 200):
        layer, chip = drawn(seed)
        check_front(layer, chip, told_of(seed, layer, chip))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(10**6, 10**6 + LARGE, 50))
def test_table_equals_brute_force_on_larger_layers(first: int) -> None:
    for seed in range(first, first + 50):
        layer, chip = drawn(seed, most_work=400_000, most=12)
        check_front(layer, chip, told_of(seed, layer, chip))


def check_ties(layer: Layer, chip: Accelerator, told: str) -> None:
    """Of the mappings that are equal in all criteria a row has the first tile, then operand."""
    table, cycles = mapping_table(layer, chip), Cycles(layer, chip)
    first: dict[Criteria, tuple[tuple[int, ...], int]] = {}
    for tile in all_tiles(layer, chip):
        fixed, ends = footprint_bits(layer, chip, tile), first_last_bits(layer, chip, tile)
        traffic, least_cycles = Traffic(layer, chip, tile), min(cycles.cycles(tile).values())
        for order in all_orders(layer, chip, tile):
            criteria = (*fixed, traffic.bits(order), least_cycles, ends)
            for operand in chip.stationarity:
                if stays(order, operand):
                    key = tuple(tile[loop] for loop in LOOPS), list(OWN).index(operand)
                    first[criteria] = min(first.get(criteria, key), key)
    for row, criteria in enumerate(rows_of(table)):
        mapping = table.mapping(row)
        sizes = tuple(mapping.tile[loop] for loop in LOOPS)
        key = sizes, list(OWN).index(mapping.stationary)
        assert key == first[criteria], f"row {row}: {mapping}, not {first[criteria]}\n{told}"


def test_ties_go_to_the_smallest_tiles() -> None:
    for seed in range(25):
        layer, chip = drawn(seed, most_work=2000)
        check_ties(layer, chip, told_of(seed, layer, chip))
