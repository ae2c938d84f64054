"""Cutting blocks of a grid finds the front that costing every design finds."""

import numpy as np
import pytest

import dse
from dse.evaluation.space_model import SpaceModel
from dse.exploration.front import enumerate as exact
from dse.exploration.front.enumerate import enumerate_space
from dse.exploration.front.large_grids import PARTS, can_cut, strictly_dominated
from dse.exploration.problem import Problem
from dse.space import Space

KNOBS = {
    "array_rows": (8, 64),
    "buffer_bytes": tuple(int(2 ** (12 + 10 * step / 20)) for step in range(21)),
    "array_columns": (16, 8),
    "dram_bytes_per_s": (5e9, 1e9, 2e9, 3.3e9, 5e10),  # in no order
    "clock_hz": (1e9, 5e8),
}


@pytest.fixture(scope="module")
def space():
    flexible = dse.load_space("edge")
    chip = dse.load_accelerator("flexible")
    return Space(name="small", accelerator=chip, knobs=KNOBS, catalogue=flexible.catalogue)


def problem_of(space, objectives, budget, *, objective="latency_s"):
    network = dse.load_workload("deepspeech2")
    return Problem(
        model=SpaceModel(network=network, space=space, objective=objective),
        objectives=objectives,
        budget=budget,
    )


@pytest.mark.parametrize(
    ("objectives", "budget"),
    [
        (("throughput_per_s", "area_mm2", "dram_bytes_per_s"), {}),
        (("throughput_per_s", "area_mm2", "dram_bytes_per_s"), {"area_mm2": 3, "power_w": 0.5}),
        (("throughput_per_s", "area_mm2"), {"throughput_per_s": 1e9}),
        (("latency_s", "cost_usd"), {"throughput_per_s": 1}),
    ],
)
def test_the_front_is_that_of_the_whole_grid(space, monkeypatch, objectives, budget):
    problem = problem_of(space, objectives, budget)
    whole = enumerate_space(problem, progress=False)
    monkeypatch.setattr(exact, "KEPT_DESIGNS", PARTS)
    cut = enumerate_space(problem, progress=False)
    assert cut.costs is None
    assert np.array_equal(cut.front, whole.front)
    for name, values in cut.front_costs.items():
        assert np.array_equal(values, whole.front_costs[name])


def test_most_of_a_fine_grid_is_never_costed(space, monkeypatch):
    knobs = {**KNOBS, "buffer_bytes": tuple(range(2**15, 2**23, 2**15))}
    fine = Space(name="fine", accelerator=space.accelerator, knobs=knobs, catalogue=space.catalogue)
    problem = problem_of(fine, ("throughput_per_s", "area_mm2"), {"area_mm2": 2})
    monkeypatch.setattr(exact, "KEPT_DESIGNS", PARTS)
    assert enumerate_space(problem, progress=False).num_costed < fine.size / 4


def test_what_has_no_bound_is_not_cut(space):
    assert can_cut(problem_of(space, ("throughput_per_s", "area_mm2"), {}))
    assert not can_cut(problem_of(space, ("throughput_per_s", "power_w"), {}))
    assert not can_cut(problem_of(space, ("throughput_per_s", "area_mm2"), {}, objective="edp"))


@pytest.mark.parametrize("objectives", [1, 2, 3])
@pytest.mark.parametrize("levels", [4, 50])
def test_dominated_is_the_definition(objectives, levels):
    rng = np.random.default_rng(objectives)
    points = rng.integers(0, levels, (600, objectives)).astype(float)
    rivals = rng.integers(levels // 3, levels, (80, objectives)).astype(float)
    by_definition = [((rivals <= p).all(axis=1) & (rivals < p).any(axis=1)).any() for p in points]
    assert np.array_equal(strictly_dominated(points, rivals), by_definition)
