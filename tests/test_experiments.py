"""Every experiment stays within its tolerance, misses what it says it misses, and nothing moves."""

import numpy as np
import pandas as pd
import pytest

import dse
from experiments import page
from experiments.comparison import FOLDER, MISSED, compare, experiments
from experiments.evidence import COUNTED, HELD_OUT, IN, KINDS, SAMPLES, Choice, kind_of
from experiments.search_quality import COLUMNS, in_order
from experiments.search_report import by_space, verdict
from experiments.snowflake import network as snowflake_network
from experiments.snowflake import only, scheduled

RENEW = "renew with: python -m experiments"


def to_run():
    """Return all experiments; those held out take seconds each and have nothing to go wrong."""
    return [
        pytest.param(x, marks=pytest.mark.slow) if getattr(x, "IS_HELD_OUT", False) else x
        for x in experiments()
    ]


@pytest.mark.parametrize("experiment", to_run(), ids=lambda x: x.__name__.rpartition(".")[2])
def test_published_numbers_are_met_or_missed_for_a_reason(experiment):
    found = compare(experiment, experiment.run())
    missed = found[found["verdict"] == MISSED]
    reasons = getattr(experiment, "MISSED", {})
    assert (missed["note"] != "").all(), missed.to_string()
    if not hasattr(experiment, "WHY_MISSED"):
        assert len(missed) == len(reasons), f"a reason that is no longer needed: {reasons}"
    stored = pd.read_csv(FOLDER / f"{experiment.__name__.rpartition('.')[2]}.csv")
    assert list(stored["row"]) == list(found["row"]), RENEW
    np.testing.assert_allclose(found["ours"], stored["ours"], rtol=1e-4, err_msg=RENEW)


@pytest.mark.parametrize("experiment", experiments(), ids=lambda x: x.__name__.rpartition(".")[2])
def test_experiment_says_what_its_numbers_are_and_on_which_its_machine_was_made(experiment):
    columns = list(experiment.PUBLISHED.columns)
    assert {kind_of(experiment, column) for column in columns} <= set(KINDS)
    if isinstance(experiment.KIND, dict):
        assert set(experiment.KIND) <= set(columns)
    for choice in experiment.CHOSEN_ON:
        assert choice.rule
        assert choice.on
        if not isinstance(choice.rows, str):
            assert set(choice.rows) <= set(experiment.PUBLISHED.index)
        if not isinstance(choice.columns, str):
            assert set(choice.columns) <= set(columns)


@pytest.mark.parametrize("experiment", experiments(), ids=lambda x: x.__name__.rpartition(".")[2])
def test_experiment_cites_its_source_and_has_its_files(experiment):
    assert "Source:" in experiment.__doc__
    name = experiment.__name__.rpartition(".")[2]
    for suffix in (".csv", ".png"):
        assert (FOLDER / name).with_suffix(suffix).is_file(), RENEW
    assert np.isfinite(experiment.PUBLISHED.to_numpy(float)).any()


def test_summary_is_that_of_the_stored_tables():
    stored = pd.read_csv(FOLDER / "summary.csv")
    pd.testing.assert_frame_equal(
        page.summary(), stored, rtol=1e-3, obj=f"summary (renew with: {page.RENEW})"
    )


def test_the_pages_are_those_of_the_stored_tables():
    assert page.PAGE.read_text(encoding="utf-8") == page.text(), f"renew with: {page.RENEW}"
    readme = page.README.read_text(encoding="utf-8")
    assert page.BEGIN in readme
    assert readme == page.with_headline(readme, page.stored()), f"renew with: {page.RENEW}"


def test_a_number_is_counted_once_and_in_one_sample():
    table = page.stored()
    assert set(table["sample"]) <= set(SAMPLES)
    old = table[table["sample"] != HELD_OUT]
    assert len(old) == 1922  # of which laws, echoes and doubles are not counted
    assert page.is_counted(table).sum() == old["kind"].isin(COUNTED).sum() == 1610
    assert (table[table["experiment"] == page.LEARNED]["sample"] == IN).all()


def test_studies_are_stored_in_their_order():
    table = pd.read_csv(FOLDER / "search_quality.csv")
    pd.testing.assert_frame_equal(table, in_order(table))


def test_what_is_held_out_has_nothing_chosen_on_it_and_one_reason_for_all():
    held_out = [x for x in experiments() if getattr(x, "IS_HELD_OUT", False)]
    assert len(held_out) == 4
    assert all(x.CHOSEN_ON == () and x.WHY_MISSED.startswith("held out") for x in held_out)
    others = [x for x in experiments() if x not in held_out]
    assert not any(hasattr(x, "WHY_MISSED") for x in others)


def test_a_choice_holds_for_its_rows_and_columns():
    choice = Choice(rule="a", on="b", rows=["x"], columns=["latency_s"])
    assert choice.holds("x", "latency_s")
    assert not choice.holds("y", "latency_s")
    assert not choice.holds("x", "dram_bytes")
    assert not Choice(rule="a", on="b").holds("x", "latency_s")


@pytest.mark.parametrize("objective", ["dram_bytes", "edp"])
def test_snowflakes_own_choice_moves_no_more_than_its_published_schedule(objective):
    given = scheduled()
    network = only(snowflake_network("alexnet_one_tower"), *given.index, "pool2", "pool5")
    free = dse.evaluate(network, dse.load_accelerator("snowflake"), objective=objective).layers
    free = free.set_index("name").loc[given.index]
    assert (free["dram_bytes"] <= given["dram_bytes"]).all()
    assert (free["dram_bytes"] >= free["compulsory_bytes"]).all()


def test_a_missed_number_without_a_reason_is_noticed():
    class Experiment:
        __name__ = "experiments.none2000_nothing"
        KIND = "measured"
        CHOSEN_ON = ()
        PUBLISHED = pd.DataFrame({"latency_s": [1.0, 2.0]}, index=["a", "b"])
        TOLERANCE = 0.1

    found = compare(Experiment, pd.DataFrame({"latency_s": [1.05, 2.3]}, index=["a", "b"]))
    assert list(found["verdict"]) == ["within", MISSED]
    assert list(found["note"]) == ["", ""]
    assert list(found["sample"]) == ["out of sample"] * 2
    assert found["error"].tolist() == pytest.approx([0.05, 0.15])


def test_a_goal_of_the_search_that_is_missed_is_marked():
    shares = {200: 0.95, 1000: 0.96, 5000: 0.99, 5500: 0.9985}  # 5500 is 5 % of the space
    rows = [("a", 110_000, "ridge", 2, count, share, 1.0) for count, share in shares.items()]
    table = pd.DataFrame(rows, columns=COLUMNS)
    seeds = "by medians of studies with 1 seeds a space"
    found = f"2 of 3 goals are met, {seeds}; missed: a with 1,000 (0.9600)"
    assert verdict(table) == f"{found}."
    assert verdict(table[:3]) == f"{found.replace('2', '1', 1)}; a with 5,000 (0.9900)."
    assert "| a | 110,000 | 1,000 | 0.9600 (missed) |" in by_space(table)
    assert by_space(table).count("missed") == 1
