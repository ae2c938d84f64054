"""The sampler of our own: through Optuna alone, and in searches of the stand-in."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from dse.exploration import run_search
from dse.pareto import non_dominated
from dse.samplers import RidgeSampler
from dse.samplers.neighbours import (
    improvement,
    latin_hypercube,
    most_improving,
    mutated,
)
from dse.samplers.surrogate import INACTIVE, Knobs, fit
from tests.exploration import fake

optuna.logging.set_verbosity(optuna.logging.WARNING)
OBJECTIVES = ("throughput_per_s", "area_mm2", "dram_bytes_per_s")


def optimized(objective, directions=("minimize", "minimize"), *, seed=0, trials=150, **options):
    sampler = RidgeSampler(seed=seed, **options)
    study = optuna.create_study(directions=directions, sampler=sampler)
    study.optimize(objective, n_trials=trials)
    return study


def two_hills(trial):
    """Return two objectives of 9,600 designs, with a name and a range of real numbers."""
    x, y = trial.suggest_int("x", 0, 39), trial.suggest_float("y", 0.0, 1.0, step=0.0125)
    penalty = {"a": 0.3, "b": 0.0, "c": 0.1}[trial.suggest_categorical("name", ("a", "b", "c"))]
    return (x / 39 - 0.2) ** 2 + (y - 0.6) ** 2 + penalty, (x / 39 - 0.9) ** 2 + (y - 0.1) ** 2


def rows(study):
    return [tuple(sorted(trial.params.items())) for trial in study.trials]


def test_works_through_create_study_alone_and_costs_no_design_twice():
    study = optimized(two_hills)
    assert len(set(rows(study))) == len(study.trials) == 150
    front = np.array([trial.values for trial in study.best_trials])
    assert len(front) > 30
    assert np.mean([trial.params["name"] == "b" for trial in study.best_trials]) > 0.9
    distance = np.hypot(0.7, 0.5)  # the front is the line between the hills' tops
    assert np.median(np.sqrt(front).sum(axis=1)) < 1.01 * distance


def test_a_seed_fixes_every_design():
    assert rows(optimized(two_hills, seed=3)) == rows(optimized(two_hills, seed=3))
    assert rows(optimized(two_hills, seed=3)) != rows(optimized(two_hills, seed=4))


def test_maximised_objectives_are_the_negative_of_minimised_ones():
    turned = optimized(lambda trial: [-x for x in two_hills(trial)], ("maximize", "maximize"))
    assert rows(turned) == rows(optimized(two_hills))


def test_every_design_of_a_small_space_is_asked_for_once():
    def objective(trial):
        x = trial.suggest_int("x", 1, 4)
        return x, trial.suggest_categorical("name", ("a", "b")) == "a"

    study = optimized(objective, trials=8, n_startup_trials=4)
    assert len(set(rows(study))) == 8


def search(**options):
    space = fake.space()
    return run_search(fake.Model(space), objectives=OBJECTIVES, progress=False, **options)


def test_finds_the_exact_front_of_a_small_space():
    knobs = {**fake.KNOBS, "array_rows": (8, 16, 32), "array_columns": (8, 16, 32)}
    settings = {"objectives": OBJECTIVES, "progress": False}
    found = run_search(fake.Model(fake.space(**knobs)), sampler="ridge", trials=600, **settings)
    assert found.hypervolume_share == pytest.approx(1.0, abs=1e-4)
    assert found.num_costed == 600 < found.space.size


def test_nears_the_front_within_a_budget():
    budget = {"area_mm2": 8, "dram_bytes_per_s": 12.8e9, "throughput_per_s": 30}
    assert search(sampler="ridge", trials=400, budget=budget).hypervolume_share > 0.998
    sampled = search(sampler="ridge", trials=400, budget=budget, enumerate_limit=0)
    assert (sampled.front["area_mm2"] <= 8).all()
    assert (sampled.front["throughput_per_s"] >= 30).all()
    assert sampled.designs["feasible"].iloc[100:].mean() > 0.5


def test_constraints_are_respected():
    def objective(trial):
        values = two_hills(trial)
        trial.set_constraint("x", trial.params["x"] / 39 - 0.5)
        return values

    study = optimized(objective)
    assert all(trial.params["x"] <= 19.5 for trial in study.best_trials)
    assert np.mean([trial.params["x"] <= 19.5 for trial in study.trials[50:]]) > 0.5


def test_without_a_feasible_design_the_least_violation_is_sought():
    def objective(trial):
        values = two_hills(trial)
        trial.set_constraint("x", 1 + trial.params["x"])
        return values

    study = optimized(objective, trials=80)
    assert np.mean([trial.params["x"] for trial in study.trials[40:]]) < 8


def test_knobs_that_hang_on_another_are_asked_for_where_they_exist():
    def objective(trial):
        kind = trial.suggest_categorical("kind", ("wide", "tall"))
        x = trial.suggest_int("x", 0, 63)
        best = {"wide": 20, "tall": 40}[kind]
        own = trial.suggest_int(kind, 0, 31) / 31
        return (x - best) ** 2 / 1000 + own, (x - 50) ** 2 / 1000 + 1 - own**2

    study = optimized(objective, trials=200)
    kinds = [trial.params["kind"] for trial in study.trials]
    assert 5 < kinds.count("wide") < 195
    assert len(set(rows(study))) > 190
    grid = []
    for best in (20, 40):
        x, own = np.arange(64)[:, None], np.arange(32) / 31
        pair = np.broadcast_arrays((x - best) ** 2 / 1000 + own, (x - 50) ** 2 / 1000 + 1 - own**2)
        grid.append(np.stack(pair, axis=-1).reshape(-1, 2))
    points = np.concatenate(grid)
    front = points[non_dominated(points)]
    found = np.array([trial.values for trial in study.best_trials])
    assert np.abs(improvement(front, found)).max() < 0.05


def test_failed_trials_and_those_of_others_are_not_asked_for_again():
    study = optuna.create_study(sampler=RidgeSampler(seed=0))
    for place in range(60):
        trial = study.ask()
        x = trial.suggest_int("x", 0, 99)
        if place % 3:
            study.tell(trial, (x - 70) ** 2)
        else:
            study.tell(trial, state=TrialState.FAIL)
    assert len(set(rows(study))) == 60
    assert 68 <= study.best_params["x"] <= 72  # 70 itself may be one that failed


def test_a_long_range_and_a_logarithmic_one_are_thinned():
    def objective(trial):
        wide = trial.suggest_int("wide", 1, 10**6, log=True)
        real = trial.suggest_float("real", 1e-3, 10.0, log=True)
        return abs(np.log10(wide) - 3) + abs(np.log10(real))

    study = optimized(objective, ("minimize",), trials=150)
    assert study.best_value < 0.1  # of 1e6 * reals: a step of both is 0.01


KNOBS = Knobs(sizes=np.array([5, 9, 3]), is_ordered=np.array([True, True, False]))


def test_surrogate_interpolates_what_depends_on_one_knob():
    rng = np.random.default_rng(0)
    places = latin_hypercube(KNOBS, 40, rng)
    values = np.stack([places[:, 1] ** 2.0, 1.0 * (places[:, 2] == 1)], axis=1)
    others = latin_hypercube(KNOBS, 50, np.random.default_rng(1))
    foretold = fit(KNOBS, places, values)(others)
    truth = np.stack([others[:, 1] ** 2.0, 1.0 * (others[:, 2] == 1)], axis=1)
    assert np.abs(foretold - truth).max(axis=0) == pytest.approx([0, 0], abs=0.5)


def test_a_cost_that_is_linear_is_foretold_exactly_everywhere():
    places = np.repeat(latin_hypercube(KNOBS, 40, np.random.default_rng(0)), 2, axis=0)
    linear = places[:, 0] - 0.25 * places[:, 1] + 3.0 * (places[:, 2] == 1)
    bent = linear + places[:, 1] ** 2
    others = latin_hypercube(KNOBS, 50, np.random.default_rng(1))
    foretold = fit(KNOBS, places, np.stack([linear, bent], axis=1))(others)
    truth = others[:, 0] - 0.25 * others[:, 1] + 3.0 * (others[:, 2] == 1)
    np.testing.assert_allclose(foretold[:, 0], truth, atol=1e-9)
    np.testing.assert_allclose(foretold[:, 1], truth + others[:, 1] ** 2, atol=0.5)


def test_designs_are_foretold_alike_alone_and_among_many():
    places = latin_hypercube(KNOBS, 60, np.random.default_rng(0))
    surrogate = fit(KNOBS, places, np.sqrt(1.0 + places[:, :1]))
    others = latin_hypercube(KNOBS, 300, np.random.default_rng(1))
    alone = np.concatenate([surrogate(other[None]) for other in others])
    np.testing.assert_allclose(surrogate(others), alone, atol=1e-9)


def test_distances_of_ranks_names_and_knobs_that_are_missing():
    places = np.array([[0, 3, 0], [4, 3, 0], [0, 3, 2], [2, 3, 0], [INACTIVE, 3, 0]])
    points, owners = KNOBS.coordinates(places)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    assert distances[0].tolist() == pytest.approx([0, 1, 1, 0.5, 1])
    assert distances[4].tolist() == pytest.approx([1, 1, np.sqrt(2), np.sqrt(0.75), 0])
    assert (owners[points[0] != points[1]] == 0).all()
    assert (owners[points[0] != points[2]] == 2).all()


def test_steps_stay_in_the_grid_and_leave_missing_knobs_alone():
    rng = np.random.default_rng(0)
    parents = latin_hypercube(KNOBS, 50, rng)
    moved = mutated(KNOBS, np.tile(parents, (20, 1)), rng)
    assert (moved >= 0).all()
    assert (moved < KNOBS.sizes).all()
    parents[:, 0] = INACTIVE
    assert (mutated(KNOBS, parents, rng)[:, 0] == INACTIVE).all()


def test_improvement_is_positive_where_nothing_dominates():
    rng = np.random.default_rng(0)
    front, points = rng.random((700, 3)), rng.random((300, 3))
    dominated = [(front <= point).all(axis=1).any() for point in points]
    np.testing.assert_array_equal(improvement(points, front) > 0, ~np.array(dominated))
    chosen = most_improving(points, front, 300, np.zeros(300))
    assert sorted(chosen.tolist()) == list(range(300))
