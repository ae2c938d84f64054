"""Picks of hand-made fronts against plain arithmetic, marginal values against the cost model."""

import math

import numpy as np
import pandas as pd
import pytest

import dse
from dse.errors import DseError
from dse.exploration import run_search
from dse.pick import pick
from dse.pick.marginal import (
    EVERY_LAYER_WAITS_FOR_DRAM,
    NO_LAYER_WAITS_FOR_DRAM,
    SAVED_BYTES_DO_NOT_COUNT,
)
from dse.pick.steps import grid_steps, scaled_steps
from dse.space import Space
from tests.exploration import fake

OBJECTIVES = ("throughput_per_s", "area_mm2")
BUDGET = {"area_mm2": 8, "dram_bytes_per_s": 25.6e9, "throughput_per_s": 30}
SPACE = fake.space(array_rows=tuple(range(1, 20)))


def front(rows):
    """Build a front of (throughput, area) with one knob."""
    return pd.DataFrame(
        [
            {"array_rows": place + 1, "throughput_per_s": float(t), "area_mm2": float(a)}
            for place, (t, a) in enumerate(rows)
        ]
    )


def choose(rows, **options):
    settings = {"space": SPACE, "objectives": OBJECTIVES, "budget": {}, **options}
    return pick(front(rows), **settings)


def study(budget=None, **knobs):
    chosen = BUDGET if budget is None else budget
    return run_search(
        fake.Model(fake.space(**knobs)),
        budget=chosen,
        sampler="exact",
        progress=False,
    )


def test_knee_is_the_least_distance_in_scaled_logarithms():
    rows = [(1000, 100), (300, 4), (100, 2), (1, 1)]
    distances = [math.hypot((3 - math.log10(t)) / 3, math.log10(a) / 2) for t, a in rows]
    order = sorted(range(4), key=lambda place: (distances[place], rows[place][1]))
    found = choose(rows)
    assert found.design["array_rows"] == order[0] + 1
    assert found.runners_up["array_rows"].tolist() == [place + 1 for place in order[1:3]]
    assert found.criterion == {"distance": pytest.approx(min(distances))}
    assert type(found.design["array_rows"]) is int


def test_knee_of_logarithms_is_not_that_of_values():
    rows = [(1000, 100), (500, 12), (30, 1)]
    assert choose(rows).design["area_mm2"] == 12
    assert choose([(1000, 100), (999, 90), (30, 1)]).design["area_mm2"] in (1, 90)


def test_ties_go_to_less_area_then_to_the_first_row():
    symmetric = [(100, 100), (1, 1)]  # both at distance 1
    assert choose(symmetric).design["area_mm2"] == 1
    twins = [(100, 100), (10, 10), (10, 10), (1, 1)]
    found = choose(twins)
    assert found.design["array_rows"] == 2
    assert found.runners_up["array_rows"].tolist() == [4, 1]
    assert found.equals == ({"array_rows": 3},)
    only_twins = choose([(10, 10), (10, 10)])
    assert only_twins.runners_up["array_rows"].tolist() == [2]
    assert only_twins.equals == ({"array_rows": 2},)


def test_one_design_is_picked_without_runners_up():
    found = choose([(10, 1)])
    assert found.design["array_rows"] == 1
    assert found.runners_up.empty
    assert found.binding == []


def test_an_objective_that_is_constant_decides_nothing():
    found = choose([(10, 5), (100, 5), (50, 5)])
    assert found.design["throughput_per_s"] == 100


def test_lexicographic_keeps_what_is_within_the_tolerance():
    rows = [(100, 50), (97, 10), (90, 5), (50, 1)]

    def areas(**options):
        found = choose(rows, rule="lexicographic", **options)
        return [found.design["area_mm2"], *found.runners_up["area_mm2"]]

    assert areas(tolerance=0) == [50, 10, 5]
    assert areas(tolerance=0.05)[0] == 10
    assert areas(tolerance=0.1)[0] == 5
    assert areas(tolerance={"throughput_per_s": 0.1})[0] == 5
    assert areas(order=("area_mm2", "throughput_per_s"), tolerance=0)[0] == 1
    assert areas(order=("area_mm2",), tolerance=4.5)[0] == 1
    assert areas(order=("area_mm2", "throughput_per_s"), tolerance=4.5)[0] == 5


def test_weighted_follows_the_weights():
    rows = [(1000, 100), (300, 4), (1, 1)]
    assert choose(rows, rule="weighted", weights={"throughput_per_s": 1}).design["area_mm2"] == 100
    assert choose(rows, rule="weighted", weights={"area_mm2": 1}).design["area_mm2"] == 1
    assert choose(rows, rule="weighted").design["area_mm2"] == 4
    assert choose(rows, rule="weighted").rule == "weighted"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "kne"}, "did you mean 'knee'"),
        ({"rule": "knee", "weights": {"area_mm2": 1}}, "not an option of rule 'knee'"),
        ({"rule": "weighted", "weights": {"area": 1}}, "did you mean 'area_mm2'"),
        ({"rule": "weighted", "weights": {"area_mm2": -1}}, "got -1"),
        ({"rule": "weighted", "weights": {"area_mm2": 0}}, "a weight above 0"),
        ({"rule": "weighted", "weights": {"area_mm2": float("nan")}}, "got nan"),
        ({"rule": "lexicographic", "order": ("power_w",)}, "got 'power_w'"),
        ({"rule": "lexicographic", "order": ("area_mm2", "area_mm2")}, "repeat"),
        ({"rule": "lexicographic", "tolerance": "much"}, "got 'much'"),
    ],
)
def test_refused(options, message):
    with pytest.raises(DseError) as error:
        choose([(10, 1), (20, 2)], **options)
    assert message in str(error.value)


def test_pick_of_a_search_is_knee_of_its_front():
    found = study()
    table = found.front
    logs = np.column_stack(
        [
            -np.log10(table["throughput_per_s"]),
            np.log10(table["area_mm2"]),
            np.log10(table["dram_bytes_per_s"]),
        ]
    )
    scaled = (logs - logs.min(0)) / np.ptp(logs, axis=0)
    distance = (scaled**2).sum(1)
    nearest = table[np.isclose(distance, distance.min(), rtol=1e-12)]
    expected = nearest.sort_values("area_mm2", kind="stable").iloc[0]
    assert {name: found.pick().design[name] for name in fake.KNOBS} == expected[
        list(fake.KNOBS)
    ].to_dict()


def test_every_marginal_gain_is_an_exact_evaluation():
    found = study()
    chosen = found.pick()
    scaled = chosen.marginal[~chosen.marginal["is_on_grid"].astype(bool)]
    for name in ("energy_pj_per_inference", "power_w", "cost_usd"):
        assert chosen.marginal[f"{name}_change"].notna().all(), name
    assert set(scaled["resource"]) == {
        *("array_rows", "array_columns", "buffer_bytes", "clock_hz", "dram_bytes_per_s")
    }
    base = {name: chosen.design[name] for name in fake.KNOBS}
    for row in chosen.marginal.itertuples():
        after, before = dict(base), dict(base)
        if not row.is_on_grid and row.resource == "dram_bytes_per_s":
            after["dram_bytes_per_s"] = chosen.design["dram_bytes_per_s"] * 1.1
        elif not row.is_on_grid:
            before[row.resource] = base.get(row.resource, 1e9)
            grown = before[row.resource] * 1.1
            is_whole = row.resource != "clock_hz"
            after[row.resource] = max(int(grown), before[row.resource] + 1) if is_whole else grown
            assert (row.before, row.after) == (before[row.resource], after[row.resource])
        elif row.resource == "dram_bytes_per_s":
            part, count = row.after.split(" x ")
            after.update(dram_part=part, dram_channels=int(count))
        else:
            after[row.resource] = row.after
        one, two = (
            fake.design_costs(
                1.0,
                fake.ACCELERATOR,
                {name: np.array([value]) for name, value in design.items()},
                catalogue=fake.CATALOGUE,
            )
            for design in (after, before)
        )
        for name in ("throughput_per_s", "area_mm2", "latency_s", "dram_bytes_per_inference"):
            change = one[name][0] / two[name][0] - 1
            assert getattr(row, f"{name}_change") == pytest.approx(change, rel=1e-9, abs=1e-12)


def test_steps_go_to_the_next_value_of_the_grid_whatever_its_order():
    space = fake.space(
        array_rows=(64, 8, 32, 16),
        dram_part=("lpddr5_6400_x32", "lpddr4_3200_x16", "lpddr4_3200_x32"),
        dram_channels=(2, 1),
    )
    design = {"array_rows": 16, "dram_part": "lpddr4_3200_x32", "dram_channels": 1}
    steps = grid_steps(design, space)
    assert [(step.resource, step.before, step.after) for step in steps] == [
        ("array_rows", 16, 32),
        ("array_rows", 16, 8),
        ("dram_bytes_per_s", "lpddr4_3200_x32 x 1", "lpddr4_3200_x32 x 2"),  # the same part
        ("dram_bytes_per_s", "lpddr4_3200_x32 x 1", "lpddr4_3200_x16 x 1"),
    ]


@pytest.mark.parametrize(
    ("machine", "sizes"),
    [
        ("snowflake", {"array_rows", "array_columns", "buffer_bytes", "weight_buffer_bytes"}),
        ("vta", {"images", "array_rows", "array_columns", "input_bytes", "buffer_bytes",
                 "sums_bytes"}),
        ("tpu_v1", {"array_rows", "array_columns", "buffer_bytes", "accumulator_bytes",
                    "weight_fifo_bytes"}),
        ("nvdla", {"macs", "buffer_bytes"}),
    ],
)  # fmt: skip
def test_every_memory_and_axis_of_a_machine_is_a_resource(machine, sizes):
    accelerator = dse.load_accelerator(machine)
    rate = "dram_bytes_per_s"
    space = Space(
        name="few",
        accelerator=accelerator,
        knobs={rate: (accelerator.dram_bytes_per_s,)},
        catalogue=fake.CATALOGUE,
    )
    steps = scaled_steps({rate: accelerator.dram_bytes_per_s}, space)
    assert {step.resource for step in steps} == {*sizes, "clock_hz", rate}
    for step in steps:
        assert step.after == pytest.approx(max(step.before * 1.1, step.before + 1), rel=0.1)
        machine_after = accelerator.with_parameters(**{step.resource: step.after})
        assert machine_after != accelerator


def planted(**fixed):
    """Pick from a space in which one design is left, with steps around it."""
    knobs = {
        "array_rows": (16, 32),
        "array_columns": (16, 32),
        "buffer_bytes": (262144, 524288),
        "dram_part": ("lpddr4_3200_x16", "lpddr5_6400_x32"),
    }
    space = fake.space(**knobs)
    base = {name: values[0] for name, values in knobs.items()} | fixed
    table = run_search(fake.Model(space), sampler="exact", progress=False).designs
    row = table[np.logical_and.reduce([table[name] == value for name, value in base.items()])]

    def costs_of(columns):
        found = fake.design_costs(1.0, fake.ACCELERATOR, columns, catalogue=fake.CATALOGUE)
        if costs_of.compute_only:
            found["latency_s"] = 1e12 / (
                columns["array_rows"] * columns["array_columns"] * columns.get("clock_hz", 1e9)
            )
        else:
            rates = {
                "lpddr4_3200_x16": 6.4e9,
                "lpddr5_6400_x32": 25.6e9,
            }
            rate = columns.get("dram_bytes_per_s")
            if rate is None:
                rate = np.array([rates[name] for name in columns["dram_part"]])
            found["latency_s"] = found["dram_bytes"] / rate
        found["throughput_per_s"] = 1 / found["latency_s"]
        return found

    return row, space, costs_of


@pytest.mark.parametrize(
    ("compute_only", "helps", "reason"),
    [
        (True, {"array_rows", "array_columns", "clock_hz"}, NO_LAYER_WAITS_FOR_DRAM),
        (False, {"dram_bytes_per_s", "buffer_bytes"}, EVERY_LAYER_WAITS_FOR_DRAM),
    ],
)
def test_planted_bottleneck_is_named(compute_only, helps, reason):
    row, space, costs_of = planted()
    costs_of.compute_only = compute_only
    found = pick(
        row, space=space, objectives=("throughput_per_s", "area_mm2"), budget={}, costs_of=costs_of
    )
    for step in found.marginal.itertuples():
        assert bool(step.no_effect) == (step.resource not in helps), step
    assert reason in set(found.marginal["no_effect"])
    if compute_only:
        buffer = found.marginal[found.marginal["resource"] == "buffer_bytes"]["no_effect"]
        assert (buffer == SAVED_BYTES_DO_NOT_COUNT).all()


def test_a_budget_binds_if_the_next_step_would_break_it():
    tight = study(budget={"area_mm2": 1.2}, array_rows=(8, 16, 32), array_columns=(8, 16, 32))
    largest = tight.pick(rule="lexicographic", tolerance=0)
    assert [entry["budget"] for entry in largest.binding] == ["area_mm2"]
    entry = largest.binding[0]
    assert entry["is_binding"]
    assert entry["slack"] == pytest.approx(1 - largest.design["area_mm2"] / 1.2)
    assert entry["improves"] == "throughput_per_s"
    assert entry["gain"] > 0
    assert entry["after"] > entry["before"]


def test_a_floor_binds_if_a_smaller_design_would_break_it():
    floor = study(budget={"throughput_per_s": 60, "area_mm2": 100}, array_rows=(8, 16, 32))
    smallest = floor.pick(rule="lexicographic", order=("area_mm2",), tolerance=0)
    assert smallest.binding[0]["budget"] == "throughput_per_s"
    assert smallest.binding[0]["is_binding"]
    assert smallest.binding[0]["improves"] == "area_mm2"
    assert smallest.binding[0]["after"] < smallest.binding[0]["before"]


def test_without_a_binding_budget_the_least_slack_is_named():
    loose = study(budget={"area_mm2": 1000, "power_w": 2000}, array_rows=(8, 16, 32)).pick()
    assert len(loose.binding) == 1
    assert not loose.binding[0]["is_binding"]
    slacks = {"area_mm2": 1 - loose.design["area_mm2"] / 1000, "power_w": 1.0}
    assert loose.binding[0]["budget"] == min(slacks, key=slacks.__getitem__)


def test_without_a_cost_model_there_are_no_marginal_values():
    found = choose([(10, 1), (20, 2)], budget={"area_mm2": 4})
    assert found.marginal.empty
    assert list(found.marginal.columns[:3]) == ["resource", "before", "after"]
    assert found.binding[0]["budget"] == "area_mm2"
