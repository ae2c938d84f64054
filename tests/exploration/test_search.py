"""Searches of the closed-form stand-in: against brute force, for every sampler."""

import io
import warnings

import numpy as np
import optuna
import pandas as pd
import pytest

from dse.errors import DseError
from dse.exploration import SAMPLERS, run_search, study_from_designs
from dse.exploration.front import enumerate as exact
from dse.exploration.known_samplers import BatchSampler, build_sampler
from dse.exploration.ledger import Ledger
from dse.exploration.problem import Problem
from dse.exploration.sample import sample
from tests.exploration import fake

BUDGET = {"area_mm2": 8, "dram_bytes_per_s": 25.6e9, "throughput_per_s": 30}
OBJECTIVES = ("throughput_per_s", "area_mm2", "dram_bytes_per_s")
SMALL = {
    "array_rows": (8, 16, 32),
    "array_columns": (8, 16, 32),
    "buffer_bytes": (65536, 262144, 1048576),
    "dram_part": ("lpddr4_3200_x16", "lpddr5_6400_x32"),
    "dram_channels": (1, 2),
}
SAMPLED = [
    pytest.param(name, marks=pytest.mark.slow if name in ("tpe", "qmc") else ())
    for name in SAMPLERS
    if name not in ("exact", "gp")
]


class Counted:
    """The stand-in, remembering every design that it was asked for."""

    def __init__(self):
        self.designs = []
        self.calls = 0

    def __call__(self, network, accelerator, columns, *, catalogue):
        self.calls += 1
        self.designs += list(zip(*columns.values(), strict=True))
        return fake.design_costs(network, accelerator, columns, catalogue=catalogue)


def search(knobs=None, evaluate=fake.design_costs, **options):
    settings = {"budget": BUDGET, "trials": 60, "progress": False, **options}
    return run_search(fake.Model(fake.space(**(knobs or {})), evaluate), **settings)


def brute_force_front(table):
    """Compare every feasible design with every other, one number at a time."""
    rows = [
        (-row.throughput_per_s, row.area_mm2, row.dram_bytes_per_s)
        for row in table.itertuples()
        if row.area_mm2 <= 8 and row.dram_bytes_per_s <= 25.6e9 and row.throughput_per_s >= 30
    ]
    return sorted(
        p
        for p in rows
        if not any(all(a <= b for a, b in zip(q, p, strict=True)) and q != p for q in rows)
    )


def test_exact_front_is_brute_force():
    study = search(SMALL, sampler="exact")
    assert study.exact
    assert study.num_costed == len(study.designs) == 108
    assert study.hypervolume_share is None
    found = [
        (-row.throughput_per_s, row.area_mm2, row.dram_bytes_per_s)
        for row in study.front.itertuples()
    ]
    assert found == brute_force_front(study.designs)  # also sorted, best throughput first
    assert list(study.designs.columns[:5]) == list(SMALL)
    assert study.designs.columns[-1] == "feasible"
    assert list(study.front.columns) == list(study.designs.columns[:-1])


def test_chunks_and_the_incremental_front_change_nothing(monkeypatch):
    whole = search(sampler="exact")
    monkeypatch.setattr(exact, "CHUNK_DESIGNS", 97)
    pd.testing.assert_frame_equal(search(sampler="exact").front, whole.front)
    monkeypatch.setattr(exact, "KEPT_DESIGNS", 100)
    few = search(sampler="exact")
    pd.testing.assert_frame_equal(few.front, whole.front)
    assert len(few.designs) < len(whole.designs)
    assert few.exact


@pytest.mark.parametrize("sampler", SAMPLED)
def test_every_sampler_costs_each_design_once_and_meets_its_number(sampler):
    counted = Counted()
    study = search(sampler=sampler, evaluate=counted, enumerate_limit=0, trials=60)
    assert len(counted.designs) == len(set(counted.designs))
    assert study.num_costed == len(counted.designs) == len(study.designs)
    assert study.history["num_costed"].iloc[-1] == 60
    assert not study.exact
    assert study.hypervolume_share is None
    assert (study.front["area_mm2"] <= 8).all()
    assert (study.front["throughput_per_s"] >= 30).all()
    assert (study.front["dram_bytes_per_s"] <= 25.6e9).all()


@pytest.mark.parametrize("sampler", SAMPLED)
def test_seed_fixes_every_byte(sampler):
    def found(seed):
        study = search(sampler=sampler, seed=seed, enumerate_limit=0, trials=40)
        designs = set(study.designs[list(fake.KNOBS)].itertuples(index=False))
        return (study.front.to_csv(), study.designs.to_csv(), study.history.to_csv()), designs

    written, designs = found(1)
    assert found(1)[0] == written
    assert len(found(2)[1] & designs) < 20


def test_designs_are_asked_in_batches():
    counted = Counted()
    options = {"batch_size": 25}
    search(sampler="random", evaluate=counted, trials=100, options=options, enumerate_limit=0)
    assert counted.calls < 12


@pytest.mark.parametrize("sampler", SAMPLED)
def test_a_space_smaller_than_the_trials_is_searched_whole_or_ends(sampler):
    knobs = {"array_rows": (8, 16), "dram_channels": (1, 2)}
    study = search(knobs, sampler=sampler, enumerate_limit=0, trials=500)
    assert study.num_costed <= 4
    assert study.num_costed == 4 or any("asked only" in note for note in study.notes)


def test_share_and_history_of_the_study():
    study = search(trials=300, sampler="nsga2", options={"population_size": 20})
    assert study.exact
    assert study.num_costed == 300
    history = study.history["hypervolume_share"].to_numpy()
    assert 0.9 < study.hypervolume_share == history[-1] < 1
    assert (np.diff(history) >= 0).all()


def test_the_exact_front_is_known_before_the_sampler_asks():
    early = []
    study = search(SMALL, sampler="ridge", known=early.append)
    (exact,) = early
    pd.testing.assert_frame_equal(exact.front, study.front)
    pd.testing.assert_frame_equal(exact.designs, study.designs)
    assert exact.pick().design == study.pick().design
    assert exact.exact
    assert exact.hypervolume_share is None
    assert exact.history.empty


@pytest.mark.parametrize("options", [{"sampler": "exact"}, {"enumerate_limit": 0}])
def test_nothing_is_known_early_without_both(options):
    search(SMALL, known=lambda _: pytest.fail("nothing is known"), **options)


def test_share_is_one_when_the_study_costs_the_space():
    study = search(SMALL, trials=108, sampler="random")
    assert study.num_costed == 108
    assert study.hypervolume_share == pytest.approx(1.0)


def test_nothing_feasible_gives_a_header_and_the_nearest():
    study = search(SMALL, budget={"area_mm2": 0.7, "throughput_per_s": 1e6}, sampler="exact")
    assert len(study.front) == 0
    assert study.front.to_csv(index=False).startswith("array_rows,array_columns,buffer_bytes")
    assert len(study.nearest) == 5
    row = study.nearest.iloc[0]
    areas, rates = study.designs["area_mm2"], study.designs["throughput_per_s"]
    total = np.maximum(areas / 0.7 - 1, 0) + np.maximum(1 - rates / 1e6, 0)
    assert row["area_mm2_violation"] + row["throughput_per_s_violation"] == pytest.approx(
        total.min()
    )
    assert row["is_mapped"]
    assert study.hypervolume_share is None
    with pytest.raises(DseError, match="no design meets the budget"):
        study.pick()


def test_a_sampled_study_without_any_feasible_design_ends_too():
    study = search(SMALL, budget={"area_mm2": 0.1}, sampler="nsga2", enumerate_limit=0, trials=30)
    assert study.front.empty
    assert len(study.nearest) == 5
    assert (study.history["hypervolume_share"] == 0).all()


@pytest.mark.parametrize("sampler", SAMPLED)
def test_designs_without_a_mapping_are_infeasible_and_stop_nothing(sampler):
    knobs = {**SMALL, "buffer_bytes": (1024, 8192, 65536, 262144)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = search(knobs, sampler=sampler, trials=40)
    assert not study.designs[study.designs["buffer_bytes"] < 32768]["feasible"].any()
    assert (study.front["buffer_bytes"] >= 65536).all()


def test_a_design_without_a_mapping_is_never_feasible_nor_the_nearest():
    knobs = {**SMALL, "buffer_bytes": (1024, 65536)}
    free = search(knobs, sampler="exact", budget={})
    assert (free.front["buffer_bytes"] == 65536).all()
    tight = search(knobs, sampler="exact", budget={"area_mm2": 0.1})
    assert (tight.nearest["buffer_bytes"] == 65536).all()
    lost = search({"buffer_bytes": (1024, 2048)}, sampler="exact", budget={})
    assert not lost.nearest["is_mapped"].any()


@pytest.mark.parametrize("learns", [True, False])
def test_a_repeat_is_told_to_those_that_learn_from_it(learns):
    states = []

    class Recorder(optuna.samplers.RandomSampler):
        def after_trial(self, study, trial, state, values):
            states.append(state.name)

    space = fake.space(array_rows=(8, 16), dram_channels=(1, 2))
    problem = Problem(
        model=fake.Model(space),
        objectives=OBJECTIVES,
        budget={},
    )
    asked = BatchSampler(sampler=Recorder(seed=0), batch=16, learns_from_repeats=learns)
    ledger = Ledger(problem)
    sample(ledger, asked, trials=4, label="x", progress=False)
    assert len(ledger) == 4
    assert len(states) == 16
    assert states.count("COMPLETE") == (16 if learns else 4)


def test_densities_learn_from_repeats_and_populations_do_not():
    found = {name: build_sampler(name, seed=0, options={}) for name in ("tpe", "nsga2", "nsga3")}
    assert [asked.learns_from_repeats for asked in found.values()] == [True, False, False]


def test_nan_costs_are_infeasible():
    def costs(network, accelerator, columns, *, catalogue):
        found = fake.design_costs(network, accelerator, columns, catalogue=catalogue)
        broken = columns["array_rows"] == 8
        return {name: np.where(broken, np.nan, values) for name, values in found.items()}

    study = search(SMALL, evaluate=costs, sampler="nsga2", trials=50)
    assert not study.front.empty
    assert (study.front["array_rows"] > 8).all()


def unbuffered(network, accelerator, columns, *, catalogue):
    """Cost a network that needs no buffer."""
    area = columns["buffer_bytes"] / 65536
    ones = np.ones(len(area))
    return {"throughput_per_s": 40 * ones, "area_mm2": area, "dram_bytes_per_s": ones}


def test_free_and_idle_knobs_are_named():
    knobs = {**SMALL, "clock_hz": (0.5e9, 1e9), "batch": (1, 2)}
    study = search(knobs, sampler="exact")
    assert study.degenerate == ("clock_hz", "batch")
    assert "1000000000.0 is at least as good" in study.notes[0]
    assert "changes no objective" in study.notes[1]
    wasteful = search({"buffer_bytes": (65536, 131072)}, evaluate=unbuffered, sampler="exact")
    assert wasteful.degenerate == ()
    assert "buffer_bytes buys nothing" in wasteful.notes[0]
    with_power = search(knobs, sampler="exact", budget={**BUDGET, "power_w": 2})
    assert with_power.degenerate == ("batch",)


def test_knobs_of_a_sampled_space_are_probed_and_the_probes_counted():
    counted = Counted()
    knobs = {**SMALL, "clock_hz": (0.5e9, 1e9), "batch": (1, 2)}
    study = search(knobs, evaluate=counted, sampler="random", enumerate_limit=0, trials=40)
    assert study.degenerate == ("clock_hz", "batch")
    assert study.num_costed == len(counted.designs) == len(study.designs) > 40
    assert f"beside search.trials {study.num_costed - 40} more designs" in study.notes[0]


def test_probes_are_few_however_fine_the_grid():
    counted = Counted()
    knobs = {
        **SMALL,
        "buffer_bytes": tuple(range(65536, 65536 + 5000 * 1024, 1024)),
        "clock_hz": tuple(1e9 - 1e5 * step for step in range(2000)),
    }
    study = search(knobs, evaluate=counted, sampler="random", enumerate_limit=0, trials=300)
    assert len(counted.designs) == study.num_costed <= 330
    assert study.degenerate == ("clock_hz",)
    assert any("all others that were tried" in note for note in study.notes)


def test_the_order_of_the_knobs_changes_no_exact_front(monkeypatch):
    monkeypatch.setattr(exact, "CHUNK_DESIGNS", 97)
    turned = dict(reversed(fake.KNOBS.items()))
    for kept in (100, 2_000_000):
        monkeypatch.setattr(exact, "KEPT_DESIGNS", kept)
        one, other = (search(knobs, sampler="exact") for knobs in (fake.KNOBS, turned))
        names = list(fake.KNOBS)
        assert len(one.front) == len(other.front) > 10
        together = [study.front.sort_values(names)[sorted(one.front)] for study in (one, other)]
        for column in together[0]:
            assert together[0][column].tolist() == together[1][column].tolist()


def test_another_budget_costs_nothing_and_equals_a_new_search():
    counted = Counted()
    study = search(sampler="exact", evaluate=counted)
    calls = counted.calls
    tighter = study.with_budget({"area_mm2": 3, "power_w": 1.5})
    assert counted.calls == calls
    again = search(sampler="exact", budget={"area_mm2": 3, "power_w": 1.5})
    pd.testing.assert_frame_equal(tighter.front, again.front)
    assert tighter.exact


def test_designs_survive_parquet():
    study = search(SMALL, sampler="exact")
    file = io.BytesIO()
    study.designs.to_parquet(file)
    again = study_from_designs(
        pd.read_parquet(file),
        space=study.space,
        objectives=OBJECTIVES,
        budget=BUDGET,
        exact=True,
        costs_of=study.costs_of,
    )
    pd.testing.assert_frame_equal(again.front, study.front)
    assert again.pick().design == study.pick().design


def test_two_and_four_objectives():
    for names in (
        ("latency_s", "area_mm2"),
        ("throughput_per_s", "area_mm2", "power_w", "cost_usd"),
    ):
        study = search(trials=200, sampler="nsga2", objectives=names)
        assert 0.8 < study.hypervolume_share < 1


def test_progress_is_quiet_without_a_terminal(capsys):
    search(SMALL, progress=True, sampler="nsga2")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampler": "nsga4"}, "did you mean 'nsga"),
        ({"sampler": "gp"}, "torch"),
        ({"trials": 0}, "search.trials"),
        ({"trials": 2.5}, "search.trials"),
        ({"seed": -1}, "search.seed"),
        ({"seed": 2**32}, "search.seed"),
        ({"enumerate_limit": "all"}, "search.enumerate_limit"),
        ({"sampler": "exact", "enumerate_limit": 10}, "at most search.enumerate_limit = 10"),
        ({"objectives": ("area_mm2",)}, "two to four"),
        ({"objectives": ("area_mm2", "area_mm2")}, "two to four"),
        ({"objectives": ("area_mm2", "power")}, "did you mean 'power_w'"),
        ({"budget": {"area": 4}}, "did you mean 'area_mm2'"),
        ({"budget": {"area_mm2": -4}}, "got -4"),
        ({"budget": {"area_mm2": float("nan")}}, "got nan"),
        ({"budget": {"area_mm2": "4"}}, "got '4'"),
        ({"sampler": "nsga2", "options": {"population": 4}}, "did you mean 'population_size'"),
        ({"sampler": "nsga2", "options": {"population_size": 1}}, "from 2"),
        ({"sampler": "nsga2", "options": {"mutation_prob": 2}}, "got 2"),
        ({"sampler": "random", "options": {"population_size": 10}}, "not an option"),
    ],
)
def test_refused(options, message):
    with pytest.raises(DseError) as error:
        search(SMALL, **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_null_options_and_budgets_mean_none():
    study = search(SMALL, budget={"area_mm2": None}, options={"n_startup_trials": None})
    assert study.budget == {}
    assert build_sampler("nsga2", seed=0, options={"batch_size": 7}).batch == 7


def test_a_study_of_an_enumerated_space_costs_nothing_again():
    counted, whole = Counted(), Counted()
    study = search(sampler="random", evaluate=counted, trials=30)
    search(sampler="exact", evaluate=whole)
    assert study.num_costed == 30
    assert counted.designs == whole.designs
