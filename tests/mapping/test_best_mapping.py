"""The best mapping of one machine, and its least traffic, are those of the whole table."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest

import dse
from dse.errors import InfeasibleError
from dse.hardware import TRANSFERS, Accelerator
from dse.mapping.best import best_mapping
from dse.mapping.objective import MAPPER_OBJECTIVES
from dse.mapping.question import Question
from dse.mapping.store import forget
from dse.mapping.table import mapping_table, table_of
from dse.workload import Layer
from tests.mapping.test_table_against_oracle import told_of
from tests.oracle.cases import random_chip, random_layer


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    """Forget whole tables, which would be used if they were known."""
    forget()
    yield
    forget()


def drawn(seed: int) -> tuple[Layer, Accelerator]:
    """Draw a layer and a machine whose buffers are large enough for some mapping, or not."""
    rng = Random(seed)
    layer, chip = random_layer(rng, most_work=30_000), random_chip(rng)
    scale = rng.choice([1, 2, 8, 64])
    buffers = tuple(replace(x, bytes=scale * x.bytes) for x in chip.buffers)
    chip = replace(chip, buffers=buffers, transfers=rng.choice(TRANSFERS))
    if rng.random() < 0.2:
        links = rng.choice([("output",), ("weight",), ("output", "weight")])
        rates = tuple((operand, rng.choice([8, 24, 100])) for operand in links)
        chip = chip.with_links(rates)
    if rng.random() < 0.2:
        order = tuple(rng.sample(tuple(layer.bounds), len(layer.bounds)))
        chip = replace(chip, constraints=replace(chip.constraints, order=order))
    return layer, chip


def test_the_best_mapping_is_that_of_the_whole_table() -> None:
    num_fitting = 0
    for seed in range(9000, 9300):
        layer, chip = drawn(seed)
        objective = MAPPER_OBJECTIVES[seed % len(MAPPER_OBJECTIVES)]
        whole = mapping_table(layer, chip)
        forget()
        if not (whole.footprint_bits <= chip.usable_buffer_bits).all(axis=1).any():
            with pytest.raises(InfeasibleError, match="with no mapping: its smallest tiles take"):
                best_mapping(layer, chip, objective)
            continue
        slack = (0.0, 0.01, 0.5)[seed % 3]
        found = best_mapping(layer, chip, objective, slack=slack)
        assert found == whole.best(objective, chip, slack=slack), told_of(seed, layer, chip)
        num_fitting += 1
    assert num_fitting > 200


@pytest.mark.parametrize("seed", [20036, 20234, 20273, 20385, 20655])
@pytest.mark.parametrize("slack", [0.003, 0.02, 0.3])
def test_ties_are_no_slower_than_the_slack_allows(seed: int, slack: float) -> None:
    """Their bounds are wider by a cycle: in these layers a row beyond the slack is within them."""
    layer, chip = drawn(seed)
    whole = mapping_table(layer, chip).best("latency_s", chip, slack=slack)
    forget()
    assert best_mapping(layer, chip, "latency_s", slack=slack) == whole


def test_the_least_traffic_is_that_of_the_whole_table() -> None:
    for seed in range(9300, 9420):
        layer, chip = drawn(seed)
        alone = table_of(layer, chip, Question.least_traffic()).least_traffic()
        for one, other in zip(alone, mapping_table(layer, chip).least_traffic(), strict=True):
            np.testing.assert_array_equal(one, other, err_msg=told_of(seed, layer, chip))


@pytest.mark.parametrize("objective", MAPPER_OBJECTIVES)
@pytest.mark.parametrize("name", ["snowflake", "flexible", "vta", "tpu_v1", "cnn_accel", "eyeriss"])
def test_published_machines(name: str, objective: str) -> None:
    chip = dse.load_accelerator(name)
    for layer in (
        Layer(name="conv", k=96, c=64, oy=14, ox=14, fy=3, fx=3, pad_y=1, pad_x=1),
        Layer(name="strided", k=64, c=3, oy=28, ox=28, fy=7, fx=7, iy=56, ix=56, stride_y=2,
              stride_x=2, pad_y=3, pad_x=3),
        Layer(name="product", oy=197, k=80, c=130),
    ):  # fmt: skip
        found = best_mapping(layer, chip, objective)
        assert found == mapping_table(layer, chip).best(objective, chip)
        forget()


def test_a_known_table_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, chip = Layer(name="fc", k=24, c=24), dse.load_accelerator("flexible")
    whole = mapping_table(layer, chip)
    monkeypatch.setattr("dse.mapping.store.find", lambda *_: pytest.fail("sought again"))
    assert best_mapping(layer, chip, "edp") == whole.best("edp", chip)


def test_ties_of_split_buffers_are_those_of_the_whole_table() -> None:
    """Equal in time, traffic and all room together: of the whole table the smaller tiles win."""
    layer, chip = dse.load_workload("alexnet").layers[-1], dse.load_accelerator("tpu_v1")
    found = best_mapping(layer, chip, "latency_s")
    assert found == mapping_table(layer, chip).best("latency_s", chip)


def test_cycles_beyond_64_bits_are_no_limit() -> None:
    layer = Layer(name="fc", k=24, c=24)
    for rate, clock in ((1e-4, 1e9), (1e9, 1e30)):
        chip = dse.load_accelerator("snowflake", dram_bytes_per_s=rate)
        assert chip.technology is not None
        unlimited = replace(chip.technology, max_clock_hz=None)
        chip = replace(chip, technology=unlimited, clock_hz=clock)
        found = best_mapping(layer, chip, "latency_s")
        assert found == mapping_table(layer, chip).best("latency_s", chip)
