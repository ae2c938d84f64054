"""Designs that are looked up together equal each machine's best mapping, found one by one."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from dse.evaluation import query_parts
from dse.evaluation.lookup import write_layer
from dse.evaluation.model import design_costs
from dse.evaluation.points_of_space import operating_points_of
from dse.evaluation.space_model import SpaceModel
from dse.evaluation.time_of_designs import MACHINES_AT_ONCE, Queries, scratch_for
from dse.hardware import TRANSFERS, Accelerator, Transfers
from dse.mapping import operating_points, question, store
from dse.mapping.objective import MAPPER_OBJECTIVES, Objective
from dse.mapping.points import Criteria
from dse.mapping.question import Question
from dse.mapping.table import mapping_table
from dse.space import Space
from dse.technology import Catalogue
from dse.workload import Layer, Workload
from tests.oracle.cases import random_chip, random_layer
from tests.oracle.resident import missing_bytes

MACHINES = 12
CATALOGUE = Catalogue(dram_parts={}, technologies={})


def chosen(
    layer: Layer, chip: Accelerator, objective: str, slack: float = 0.0
) -> tuple[float, float]:
    """Return latency and DRAM bytes of the mapping that a full comparison of the table chooses."""
    table = mapping_table(layer, chip)
    if not (table.footprint_bits <= np.array(chip.usable_buffer_bits)).all(axis=1).any():
        return np.inf, np.inf
    if missing_bytes(layer, chip) > 0:
        return np.inf, np.inf
    row = table.best_row(objective, chip, slack=slack)
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


@pytest.mark.parametrize(
    ("objective", "slack"),
    [*((x, 0.0) for x in MAPPER_OBJECTIVES), ("latency_s", 0.01), ("latency_s", 1)],
)
def test_looked_up_equals_compared(
    objective: str, slack: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(question, "FLOORS", (0, 100, 1000))  # bits, as these layers are small
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
        store.forget()  # so that the mappings come from a search that tells less apart
        costs = design_costs(
            network, chip, columns, catalogue=CATALOGUE, objective=objective, slack=slack
        )
        assert_chosen(costs, columns, layer, chip, objective, slack)


def assert_chosen(costs, columns, layer, chip, objective, slack=0.0):
    """Compare the costs of machines with those of a full comparison of the table."""
    for place in range(len(costs["latency_s"])):
        values = {name: column[place].item() for name, column in columns.items()}
        expected = chosen(layer, chip.with_parameters(**values), objective, slack)
        found = costs["latency_s"][place], costs["dram_bytes"][place]
        assert found == expected, f"{layer}, machine {place}: {values}"


def space_of(layer: Layer, chip: Accelerator, rng: Random, most: int) -> dict[str, list[float]]:
    """Return knobs of a machine with one buffer: sizes, and up to so many rates and clocks."""
    sizes = np.unique(mapping_table(layer, chip).footprint_bits // 4).tolist()
    room = next(iter(chip.parameters))
    drawn = [max(1, int(rng.choice(sizes))) for _ in range(rng.randint(1, 6))]
    return {
        room: list(dict.fromkeys(drawn)),
        "dram_bytes_per_s": [10 ** rng.uniform(6, 11) for _ in range(rng.randint(1, most))],
        "clock_hz": [10 ** rng.uniform(7, 10) for _ in range(rng.randint(1, 3))],
    }


def model_of(
    network: Workload, chip: Accelerator, knobs: dict[str, list[float]], slack: float = 0.0
) -> SpaceModel:
    """Return the cost model of the space of some knobs."""
    space = Space(name="drawn", accelerator=chip, knobs=knobs, catalogue=CATALOGUE)
    return SpaceModel(network=network, space=space, slack=slack)


def grid_of(knobs: dict[str, list[float]]) -> dict[str, np.ndarray]:
    """Return the designs of a space as columns."""
    grid = np.meshgrid(*(np.array(values) for values in knobs.values()), indexing="ij")
    return {name: column.ravel() for name, column in zip(knobs, grid, strict=True)}


@pytest.mark.parametrize("slack", [0, 0.01, 0.3])
@pytest.mark.parametrize(("most", "ranges"), [(4, 31), (40, 31), (20, 2)])
def test_the_fastest_mappings_of_a_space_equal_those_of_the_table(
    most: int, ranges: int, slack: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating_points, "MOST_RATIOS", ranges)
    for seed in range(40):
        rng = Random(f"{most} {seed}")
        layer = replace(random_layer(rng), repeat=1)
        chip = parametric(random_chip(rng), rng)
        if len(chip.buffers) > 1:
            continue
        knobs = space_of(layer, chip, rng, most)
        columns = grid_of(knobs)
        network = Workload(name="one", layers=(layer,), source="tests", batch=1)
        store.forget()
        costs = model_of(network, chip, knobs, slack).costs(columns)
        assert all(asked != Question() for _, asked in store.ANSWERS)
        assert_chosen(costs, columns, layer, chip, "latency_s", slack)


def test_a_design_outside_of_the_space_is_looked_up_in_the_whole_table() -> None:
    rng = Random(5)
    layer = replace(random_layer(rng), repeat=1)
    chip = next(
        x for x in (parametric(random_chip(rng), rng) for _ in range(99)) if len(x.buffers) == 1
    )
    knobs = space_of(layer, chip, rng, 4)
    network = Workload(name="one", layers=(layer,), source="tests", batch=1)
    space = model_of(network, chip, knobs).space
    points = operating_points_of(space, "latency_s")
    assert points is not None
    assert operating_points_of(space, "dram_bytes") is None
    columns = grid_of({**knobs, "clock_hz": [1.1 * x for x in knobs["clock_hz"]]})
    costs = design_costs(network, chip, columns, catalogue=CATALOGUE, slack=0, points=points)
    assert_chosen(costs, columns, layer, chip, "latency_s")


@pytest.mark.parametrize("objective", MAPPER_OBJECTIVES)
def test_designs_in_many_parts_equal_designs_one_by_one(
    objective: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_parts, "MOST_TOGETHER", 5)  # so that parts share buckets
    for seed in range(20):
        rng = Random(f"{objective} {seed}")
        chip = parametric(random_chip(rng), rng)
        layer = replace(random_layer(rng), repeat=2)
        network = Workload(name="one", layers=(layer,), source="tests", batch=1)
        sizes = [1, *np.unique(mapping_table(layer, chip).footprint_bits // 4 + 1).tolist()]
        columns = {name: np.array(rng.choices(sizes, k=40)) for name in chip.parameters}
        rates = [10 ** rng.uniform(6, 11) for _ in range(rng.choice([1, 40]))]
        columns["dram_bytes_per_s"] = np.array(rng.choices(rates, k=40))
        costs = design_costs(network, chip, columns, catalogue=CATALOGUE, objective=objective)
        for place in range(40):
            own = {name: column[place : place + 1] for name, column in columns.items()}
            alone = design_costs(network, chip, own, catalogue=CATALOGUE, objective=objective)
            assert {name: x[place] for name, x in costs.items()} == {
                name: x[0] for name, x in alone.items()
            }


def test_machines_that_are_costed_a_few_at_a_time_cost_the_same() -> None:
    rate, clock = np.random.default_rng(0).uniform(1e8, 1e9, (2, MACHINES_AT_ONCE * 2 + 3))
    ratio = clock / (8 * rate)
    queries = Queries(
        rooms=np.zeros((1, 1), dtype=np.int64),
        room=np.zeros(len(rate), dtype=np.int64),
        starts=np.array([0, len(rate)]),
        ratios=np.array([[ratio.min()], [ratio.max()]]),
        rate_bytes_per_s=rate,
        clock_hz=clock,
        is_one_clock=False,
        mac_pj=rate[:0],
        dram_pj_per_bit=rate[:0],
        leakage_w=rate[:0],
    )
    criteria = np.array([[0, 8, 8000, 1000], [0, 0, 16000, 500], [0, 80, 800, 4000]])
    costs, scratch = np.empty((2, len(rate))), scratch_for(3, 1)
    own = costs[0], costs[1]
    write_layer(Criteria.of_columns(criteria), queries, (1, 0, 0.0, 1.0), own, scratch)
    times = [np.maximum(c / clock + e / 8 / rate, d / 8 / rate) for _, e, d, c in criteria]
    assert costs[0].tolist() == np.min(times, axis=0).tolist()
    assert costs[1].tolist() == criteria[np.argmin(times, axis=0), 2].tolist()


@pytest.mark.parametrize("seed", range(60))
def test_fewest_bits_within_the_slack_are_chosen_of_a_narrow_bucket(seed: int) -> None:
    rng = np.random.default_rng(seed)
    machines, share = 300, float(rng.choice([1.01, 1.05, 1.3]))
    clock, ratio = np.full(machines, 1e9), rng.uniform(1, rng.choice([1.001, 1.04, 3]), machines)
    rate = clock / (8 * ratio)
    queries = Queries(
        rooms=np.zeros((1, 1), dtype=np.int64),
        room=np.zeros(machines, dtype=np.int64),
        starts=np.array([0, machines]),
        ratios=np.array([[ratio.min()], [ratio.max()]]) * [[1 - 1e-12], [1 + 1e-12]],
        rate_bytes_per_s=rate,
        clock_hz=clock,
        is_one_clock=True,
        mac_pj=rate[:0],
        dram_pj_per_bit=rate[:0],
        leakage_w=rate[:0],
    )
    number = int(rng.integers(2, 7))
    bits = rng.integers(900, 1100, number) * 8
    rows = [np.zeros(number), bits * rng.choice([0, 0.01]), bits, rng.integers(7000, 9500, number)]
    criteria = np.stack(rows, axis=1).astype(np.int64)
    costs, scratch = np.empty((2, machines)), scratch_for(number, 1)
    own = costs[0], costs[1]
    rule = (int(Transfers.DOUBLE_BUFFERED), int(Objective.LATENCY_S), 0.0, share)
    write_layer(Criteria.of_columns(criteria), queries, rule, own, scratch)
    times = np.array(
        [np.maximum(c / clock + e / 8 / rate, d / 8 / rate) for _, e, d, c in criteria]
    )
    is_short = times <= times.min(axis=0) * share
    fewest = np.where(is_short, bits[:, None], np.inf).min(axis=0)
    shortest = np.where(is_short & (bits[:, None] == fewest), times, np.inf).min(axis=0)
    assert costs[1].tolist() == fewest.tolist()
    assert costs[0].tolist() == shortest.tolist()
