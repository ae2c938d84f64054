"""A screen of a fine grid leaves all of the front, and little else."""

from dataclasses import replace

import numpy as np
import pytest

import dse
from dse.errors import DseError
from dse.evaluation.space_model import SpaceModel
from dse.exploration.front import enumerate as exact
from dse.exploration.front import large_grids
from dse.exploration.front.enumerate import cost_whole_grid, enumerate_space
from dse.exploration.front.large_grids import can_screen, screened
from dse.exploration.problem import Problem
from dse.space import Space

KNOBS = {
    "buffer_bytes": tuple(int(2 ** (10 + 12 * step / 24)) for step in (*range(0, 24, 2), 1, 15)),
    "array_rows": (8, 64),
    "clock_hz": (1e9, 5e8),
    "dram_bytes_per_s": (*np.geomspace(1e9, 5e10, 17), 9e8, 3.33e9),  # in no order
    "array_columns": (16, 8),
}
ALL = ("throughput_per_s", "area_mm2", "dram_bytes_per_s")


def problem_of(objectives=ALL, budget=None, *, knobs=KNOBS, transfers="double_buffered", slack=0.0):
    chip = replace(dse.load_accelerator("flexible"), transfers=transfers)
    space = Space(
        name="fine", accelerator=chip, knobs=knobs, catalogue=dse.load_space("edge").catalogue
    )
    return Problem(
        model=SpaceModel(network=dse.load_workload("tiny"), space=space, slack=slack),
        objectives=objectives,
        budget=budget or {},
    )


@pytest.fixture
def fine(monkeypatch):
    """Take every grid for a large and fine one."""
    monkeypatch.setattr(exact, "KEPT_DESIGNS", 4)
    monkeypatch.setattr(large_grids, "FEWEST_POINTS", 4)


def whole(problem):
    """Return the enumeration in which every design is costed."""
    return cost_whole_grid(problem, progress=False)


def assert_same_front(problem):
    screened, expected = enumerate_space(problem, progress=False), whole(problem)
    assert np.array_equal(screened.front, expected.front)
    for name, values in screened.front_costs.items():
        assert np.array_equal(values, expected.front_costs[name])
    return screened


@pytest.mark.parametrize(
    ("transfers", "slack"),
    [("overlapped", 0), ("double_buffered", 0), ("serial", 0), ("overlapped", 0.01),
     ("double_buffered", 0.01), ("double_buffered", 0.2)],
)  # fmt: skip
@pytest.mark.parametrize(
    ("objectives", "budget"),
    [
        (ALL, {}),
        (ALL, {"area_mm2": 1.2, "throughput_per_s": 2000, "cost_usd": 9}),
        (("latency_s", "cost_usd"), {}),
        (("latency_s", "area_mm2", "cost_usd"), {"latency_s": 1e-3}),
        (ALL, {"throughput_per_s": 1e12}),
    ],
)
def test_the_front_is_that_of_the_whole_grid(fine, objectives, budget, transfers, slack):
    problem = problem_of(objectives, budget, transfers=transfers, slack=slack)
    assert can_screen(problem)
    assert_same_front(problem)


@pytest.mark.parametrize("more", [{"batch": (1, 3)}, {"technology": ("node28", "node16")}])
def test_other_knobs_are_screened_one_value_at_a_time(fine, more):
    knobs = {**KNOBS, **more, "clock_hz": (1e9,)}
    assert_same_front(problem_of(knobs=knobs))


def test_few_cells_and_few_ratios_lose_nothing(fine, monkeypatch):
    monkeypatch.setattr(large_grids, "MOST_CELLS", 40)
    monkeypatch.setattr("dse.mapping.operating_points.MOST_RATIOS", 3)
    assert_same_front(problem_of())


def test_few_designs_are_costed_beside_the_front(fine):
    rates = tuple(np.geomspace(1e9, 5e10, 300))
    knobs = {**KNOBS, "clock_hz": (1e9,), "dram_bytes_per_s": rates}
    problem = problem_of(knobs=knobs)
    found = enumerate_space(problem, progress=False)
    assert found.num_costed < 1.1 * len(found.front)
    assert found.num_costed < problem.space.size / 3


def test_lines_are_the_latency_of_each_design_but_for_rounding():
    problem = problem_of()
    lines = {name: np.sort(KNOBS[name]) for name in ("buffer_bytes", "dram_bytes_per_s")}
    values = {"array_rows": 64, "array_columns": 8, "clock_hz": 5e8, "batch": 2}
    found = problem.model.time_grid(values, lines)
    grid = np.meshgrid(*lines.values(), indexing="ij")
    columns = {name: column.ravel() for name, column in zip(lines, grid, strict=True)}
    columns |= {name: np.full(grid[0].size, value) for name, value in values.items()}
    latency = problem.costs(columns)["latency_s"].reshape(grid[0].shape)
    assert np.array_equal(np.isinf(latency), np.isinf(found.cycles))
    fits = np.isfinite(latency)
    np.testing.assert_allclose(found.cycles[fits] / 5e8, latency[fits], rtol=1e-12)
    is_same = fits[1:] & fits[:-1] & ~found.is_changed[1:]
    assert is_same.any()
    assert (latency[1:] == latency[:-1])[is_same].all()


@pytest.mark.parametrize(
    ("objectives", "budget"),
    [
        (("throughput_per_s", "area_mm2"), {}),  # a rate costs nothing
        (("throughput_per_s", "dram_bytes_per_s"), {}),  # nor does a buffer
        (("throughput_per_s", "area_mm2", "power_w"), {}),
        (ALL, {"power_w": 1}),
        (("throughput_per_s", "latency_s", "area_mm2", "dram_bytes_per_s"), {}),
    ],
)
def test_what_is_no_order_of_sizes_and_rates_is_not_screened(fine, objectives, budget):
    assert not can_screen(problem_of(objectives, budget))


def test_a_coarse_grid_is_not_screened():
    assert not can_screen(problem_of())


def test_lines_outside_of_the_space_are_refused():
    lines = {"buffer_bytes": np.array([77_777]), "dram_bytes_per_s": np.array([1e9])}
    with pytest.raises(DseError, match="must be of the space"):
        problem_of().model.time_grid({}, lines)


def test_both_rounds_of_a_screen_count_as_progress(fine):
    problem = problem_of()
    done = [num_done for _, num_done in screened(problem)]
    assert sum(done) == problem.space.size
    assert sum(done[: len(done) // 2]) == pytest.approx(problem.space.size / 2, rel=0.01)
