"""The network as a machine runs it: equal layers are counted once, fused ones apart."""

from dataclasses import replace

import numpy as np
import pytest

import dse
from dse.network.as_run import as_run, layer_runs
from dse.network.combine import AT_ONCE, combine
from dse.workload import Layer, Workload

CONV = Layer(name="conv", k=6, c=3, oy=8, ox=8, fy=3, fx=3, pad_y=1, pad_x=1)
POOL = Layer(name="pool", op="pool", input_elements=384, output_elements=96)
NETWORK = Workload(
    name="five",
    layers=(
        CONV,
        POOL,
        replace(CONV, name="again", repeat=2),
        replace(CONV, name="wider", k=12),
        replace(POOL, name="last", repeat=3),
    ),
)


def counts(**rules: object) -> list[tuple[str, int, bool, int]]:
    runs = as_run(NETWORK, dse.load_accelerator("flexible", **rules))
    return [(x.layer.name, x.count, x.is_fused, x.pooled_elements) for x in runs]


def test_equal_layers_are_counted_once() -> None:
    assert counts() == [("conv", 3, False, 0), ("pool", 4, False, 0), ("wider", 1, False, 0)]


def test_a_fused_layer_is_not_one_that_runs_apart() -> None:
    assert counts(pooling_is_fused=True) == [
        ("conv", 1, False, 96),
        ("pool", 1, True, 0),
        ("again", 2, False, 0),
        ("wider", 1, False, 0),
        ("last", 3, False, 0),
    ]


def test_a_given_mapping_tells_layers_apart() -> None:
    free = dse.load_accelerator("flexible")
    chip = dse.with_mapping(free, NETWORK, {"layers": {"again": {"tile": {"k": 1}}}})
    assert [run.count for run in as_run(NETWORK, chip)] == [1, 4, 2, 1]


def test_layers_keep_their_places() -> None:
    runs = layer_runs(NETWORK, dse.load_accelerator("flexible"))
    assert [(run.layer, run.count) for run in runs] == [(x, x.repeat) for x in NETWORK.layers]


@pytest.mark.parametrize("designs", [1, AT_ONCE, 2 * AT_ONCE + 3])
def test_costs_are_added_in_the_order_of_the_layers(designs: int) -> None:
    rng = np.random.default_rng(designs)
    costs, times = rng.random((7, 2, designs)), rng.integers(1, 9, 7)
    launches = np.array([0.0, 0.1, 0.2, 0.0, 0.3, 0.0, 0.7])
    expected = np.zeros((2, designs))
    for cost, count, launch in zip(costs, times.tolist(), launches.tolist(), strict=True):
        expected[0] += count * launch
        expected += count * cost
    totals = np.zeros((2, designs))
    for block in (slice(0, 3), slice(3, 7)):
        combine(costs[block], times[block], launches[block], totals)
    assert np.array_equal(totals, expected)


def test_what_does_not_fit_makes_the_network_not_fit() -> None:
    costs = np.array([[[1.0, np.inf]], [[2.0, 2.0]]])
    found = np.zeros((1, 2))
    combine(costs, np.array([1, 2]), np.zeros(2), found)
    assert found.tolist() == [[5.0, np.inf]]
