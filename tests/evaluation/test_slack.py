"""What a slack may do: lose no more than its share of the time, never move more bytes."""

from dataclasses import replace
from random import Random

import numpy as np
import pandas as pd
import pytest

import dse
from dse.evaluation.model import design_costs
from dse.workload import Workload
from experiments import slack as experiment
from tests.evaluation.test_lookup import CATALOGUE, parametric
from tests.oracle.cases import random_chip, random_layer

PAIRS = 500


def drawn(rng: Random, names: list[str]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draw designs, and others with more of every resource."""
    columns = {
        name: np.array([int(4 ** rng.uniform(1, 8)) for _ in range(PAIRS)]) for name in names
    }
    columns["dram_bytes_per_s"] = np.array([10 ** rng.uniform(6, 11) for _ in range(PAIRS)])
    columns["clock_hz"] = np.array([10 ** rng.uniform(7, 10) for _ in range(PAIRS)])
    grown = {}
    for name, values in columns.items():
        more = values * np.array([rng.choice([1, 1.01, 2, 5]) for _ in range(PAIRS)])
        grown[name] = more if name in ("dram_bytes_per_s", "clock_hz") else more.astype(np.int64)
    return columns, grown


def check(seed: int) -> int:
    """Check the laws on pairs of machines of one layer; return how many of them fit."""
    rng = Random(seed)
    layer = replace(random_layer(rng), repeat=1)
    chip = parametric(random_chip(rng), rng)
    network = Workload(name="one", layers=(layer,))

    def costs(columns, **rule):
        return design_costs(network, chip, columns, catalogue=CATALOGUE, **rule)

    columns, grown = drawn(rng, list(chip.parameters))
    least, more = costs(columns, slack=0), costs(grown, slack=0)
    fits = np.isfinite(least["latency_s"])
    rounding = 1 + 1e-12
    assert (more["latency_s"][fits] <= least["latency_s"][fits] * rounding).all(), seed
    bits, fewer = (costs(x, objective="dram_bytes")["dram_bytes"] for x in (columns, grown))
    assert (fewer[fits] <= bits[fits]).all(), seed
    for slack in (0.01, 0.3):
        within = costs(columns, slack=slack)
        longest = least["latency_s"] * (1 + slack) * (1 + 1e-9)
        assert (within["latency_s"][fits] <= longest[fits]).all(), (seed, slack)
        assert (within["dram_bytes"][fits] <= least["dram_bytes"][fits]).all(), (seed, slack)
        assert (within["dram_bytes"][fits] >= bits[fits]).all(), (seed, slack)
    return int(fits.sum())


def test_more_of_a_resource_never_hurts_and_slack_keeps_its_share() -> None:
    assert sum(check(seed) for seed in range(12)) > 3 * PAIRS


@pytest.mark.slow
def test_the_same_on_a_hundred_thousand_pairs() -> None:
    assert sum(check(seed) for seed in range(100, 400)) > 100_000


def test_the_stored_table_keeps_its_share_and_is_that_of_the_code() -> None:
    stored = pd.read_csv(experiment.FOLDER / "slack.csv")
    assert (stored["latency_within_slack"] <= 1 + experiment.SLACK).all()
    assert (stored["bytes_within_slack"] <= stored["bytes_of_fastest"] * (1 + 1e-5)).all()
    assert len(stored) == len(experiment.NETWORKS) * len(experiment.MACHINES)
    row = experiment.row("alexnet", "snowflake")
    names = (stored["network"] == "alexnet") & (stored["machine"] == "snowflake")
    for name, value in row.items():
        if not isinstance(value, str):
            assert value == pytest.approx(stored[names][name].item(), rel=1e-5)
    assert (experiment.FOLDER / "slack.md").read_text() == experiment.summary(stored)


def test_slack_is_a_share() -> None:
    network, chip = dse.load_workload("tiny"), dse.load_accelerator("flexible")
    for wrong in (-0.1, 11, float("nan"), "much", True):
        with pytest.raises(dse.DseError, match=r"mapper\.slack must be a number from 0 to 10"):
            dse.evaluate(network, chip, slack=wrong)
