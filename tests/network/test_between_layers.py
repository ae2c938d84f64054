"""What stays on the chip between layers: against brute force, a literal walk, and closed forms."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf, isclose
from random import Random

import numpy as np
import pandas as pd
import pytest

import dse
from dse.errors import DseError, InfeasibleError
from dse.evaluation.result import Evaluation
from dse.hardware import Accelerator
from dse.mapping import evaluate_mapping
from dse.workload import Layer, Workload
from tests.oracle.between_layers import BruteForce, Net, Replay, lower_hull, random_net
from tests.oracle.cases import random_chip

OBJECTIVES = ("latency_s", "dram_bytes", "energy_pj")


def cases(first: int, last: int, *, most_layers: int = 6) -> Iterator[tuple[Net, Accelerator]]:
    """Yield random networks on random machines on which tensors may stay."""
    for seed in range(first, last):
        rng = Random(seed)
        net = random_net(rng, most_layers=most_layers)
        while True:
            chip = random_chip(rng)
            if any({"input", "output"} <= set(x.holds) for x in chip.buffers):
                break
        dram = replace(chip.dram, holds=("input", "weight", "output"))
        buffers = tuple(replace(x, bytes=rng.randint(8, 120)) for x in chip.buffers)
        yield net, replace(chip, dram=dram, buffers=buffers, between_layers="tensors")


def found(net: Net, chip: Accelerator, objective: str, slack: float = 0.0) -> Evaluation | None:
    """Return what the model says, None if nothing fits."""
    try:
        return dse.evaluate(net.workload(), chip, objective=objective, slack=slack)
    except InfeasibleError:
        return None


def check_least(first: int, last: int) -> int:
    """Compare the least of each objective with brute force; return how many networks fit."""
    fit = 0
    for seed, (net, chip) in enumerate(cases(first, last), start=first):
        brute = BruteForce(net, chip)
        pj = chip.dram.pj_per_bit
        best = found(net, chip, "energy_pj")
        leakage = best.energy_leakage_pj / best.latency_s if best else 0.0
        for objective, weights in {
            "latency_s": (1.0, 0.0),
            "dram_bytes": (0.0, 1 / 8),
            "energy_pj": (leakage, pj),
        }.items():
            least, result = brute.least(*weights), found(net, chip, objective)
            if result is None:
                assert least == inf, (seed, objective)
                continue
            own = {
                "latency_s": result.latency_s,
                "dram_bytes": result.dram_bytes,
                "energy_pj": result.energy_pj - result.energy_mac_pj,
            }
            assert isclose(own[objective], least, rel_tol=1e-9), (seed, objective, own, least)
            assert result.schedule is not None
            assert result.schedule.is_exact, seed
        fit += best is not None
    return fit


def test_least_equals_brute_force() -> None:
    assert check_least(0, 40) > 25


@pytest.mark.slow
def test_least_equals_brute_force_on_thousands_of_networks() -> None:
    assert check_least(1000, 4000) > 2000


def check_vertices(first: int, last: int) -> None:
    """Compare what a slack, and the product of energy and time, choose with all schedules."""
    for seed, (net, chip) in enumerate(cases(first, last, most_layers=4), start=first):
        fastest = found(net, chip, "latency_s")
        if fastest is None:
            continue
        totals = BruteForce(net, chip).totals()
        vertices = lower_hull(totals)
        for slack in (0.01, 0.1, 0.5):
            within = [y for x, y in vertices if x <= vertices[0][0] * (1 + slack) * (1 + 1e-9)]
            result = found(net, chip, "latency_s", slack)
            assert result is not None
            assert isclose(result.dram_bytes * 8, min(within), rel_tol=1e-9), (seed, slack)
        result = found(net, chip, "edp")
        assert result is not None
        leakage = result.energy_leakage_pj / result.latency_s
        pj = chip.dram.pj_per_bit or 0
        product = min((result.energy_mac_pj + pj * y + leakage * x) * x for x, y in totals)
        assert isclose(result.energy_pj * result.latency_s, product, rel_tol=1e-9), seed


def test_slack_and_energy_times_time_choose_vertices() -> None:
    check_vertices(0, 30)


@pytest.mark.slow
def test_slack_and_energy_times_time_choose_vertices_on_many_networks() -> None:
    check_vertices(5000, 5600)


def check_replay(first: int, last: int) -> int:
    """Replay schedules by a literal walk; return how many there were."""
    count = 0
    for seed, (net, chip) in enumerate(cases(first, last), start=first):
        shared = next(n for n, x in enumerate(chip.buffers) if {"input", "output"} <= set(x.holds))
        most = 8 * chip.buffer_sizes_bytes[shared]
        for objective in OBJECTIVES:
            result = found(net, chip, objective)
            if result is None:
                continue
            schedule = result.schedule
            assert schedule is not None
            replay = Replay(net, chip, [x.held for x in schedule.steps], schedule.places)
            for number, row in enumerate(result.layer_rows):
                moved, room = replay.layer(number, row)
                assert moved == row["dram_bytes"], (seed, objective, number)
                assert room <= most, (seed, objective, number)
            count += 1
    return count


def test_a_literal_walk_replays_schedules() -> None:
    assert check_replay(0, 40) > 75


@pytest.mark.slow
def test_a_literal_walk_replays_thousands_of_schedules() -> None:
    assert check_replay(10_000, 18_000) > 20_000


@pytest.fixture(scope="module")
def flexible() -> Accelerator:
    """Return a machine on which tensors may stay."""
    chip = dse.load_accelerator("flexible")
    return replace(chip, between_layers="tensors", transfers="overlapped")


def least_bytes(name: str, chip: Accelerator, kib: int, **changes: object) -> float:
    """Return the least DRAM bytes of a network with so large a buffer."""
    sized = replace(chip, buffer_bytes=1024 * kib, **changes)  # type: ignore[arg-type]
    return dse.evaluate(dse.load_workload(name), sized, objective="dram_bytes").dram_bytes


@pytest.mark.parametrize(("kib", "most"), [(64, 16_533_032), (256, 11_549_096), (1024, 6_029_736)])
def test_least_bytes_of_mobilenet_v2(flexible: Accelerator, kib: int, most: int) -> None:
    """A prototype that had dram and chip only gave these bytes; more places move no more."""
    found = least_bytes("mobilenet_v2", flexible, kib)
    assert found <= most
    assert found >= 0.99 * most
    assert least_bytes("mobilenet_v2", flexible, kib, between_layers="none") == 17_629_224


@pytest.mark.parametrize(
    ("name", "kib"),
    [
        ("mobilenet_v1", 1176),
        ("mobilenet_v2", 1470),
        pytest.param("resnet50", 1764, marks=pytest.mark.slow),
    ],
)
def test_all_tensors_take_what_a_compiler_says(flexible: Accelerator, name: str, kib: int) -> None:
    """Vela 5.2 needs as much SRAM for all maps of an Ethos-U55: 1,176, 1,470 and 1,764 KiB."""
    network = dse.load_workload(name)
    large = replace(flexible, buffer_bytes=2**26)
    schedule = dse.network_schedule(network, large, objective="dram_bytes")
    assert schedule.peak_bytes == 1024 * kib
    assert set(schedule.places.values()) == {"chip", "dram"}
    results = [name for name, place in schedule.places.items() if place == "dram"]
    assert results == ["fc"]
    once = sum(layer.weight_elements for layer in network.layers) + 224 * 224 * 3 + 1000
    assert schedule.dram_bytes == once


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_never_worse_than_none_and_monotone(flexible: Accelerator, objective: str) -> None:
    network = dse.load_workload("mobilenet_v2")
    sizes = pd.DataFrame({"buffer_bytes": [1024 * x for x in (64, 96, 128, 256, 512, 1024, 1536)]})
    column = objective.replace("energy_pj", "energy_pj_per_inference")
    costs, none = (
        dse.evaluate_designs(
            network, replace(flexible, between_layers=x), sizes, objective=objective, slack=0
        )[column].to_numpy()
        for x in ("tensors", "none")
    )
    assert (costs <= none * (1 + 1e-12)).all()
    if objective != "energy_pj":  # a larger buffer leaks more
        assert (np.diff(costs) <= costs[1:] * 1e-12).all()


def test_faster_clocks_and_dram_never_take_longer(flexible: Accelerator) -> None:
    network = dse.load_workload("mobilenet_v2")
    rows = pd.DataFrame(
        [
            {"dram_bytes_per_s": rate, "clock_hz": clock, "buffer_bytes": size}
            for size in (2**16, 2**18, 2**20)
            for clock in (2e8, 5e8, 1e9)
            for rate in (1e9, 4e9, 1.6e10)
        ]
    )
    costs = dse.evaluate_designs(network, flexible, rows, slack=0).latency_s.to_numpy()
    grid = costs.reshape(3, 3, 3)
    for axis in range(3):
        assert (np.diff(grid, axis=axis) <= 1e-15).all()


@pytest.mark.parametrize("objective", [*OBJECTIVES, "edp"])
def test_designs_together_equal_each_alone(flexible: Accelerator, objective: str) -> None:
    network = dse.load_workload("mobilenet_v2")
    rng = Random(objective)
    rows = [
        {
            "dram_bytes_per_s": rng.choice([1e9, 4e9, 2e10]),
            "clock_hz": rng.choice([5e8, 1e9]),
            "buffer_bytes": rng.choice([2**15, 3 * 2**16, 2**20]),
            "array_rows": rng.choice([8, 16]),
        }
        for _ in range(8)
    ]
    together = dse.evaluate_designs(network, flexible, pd.DataFrame(rows), objective=objective)
    for place, row in enumerate(rows):
        one = flexible.with_parameters(**row)
        alone = dse.evaluate(network, one, objective=objective)
        for name in ("latency_s", "dram_bytes", "energy_pj"):
            assert isclose(together[name][place], getattr(alone, name), rel_tol=1e-12)


def test_the_causes_of_time_add_up(flexible: Accelerator) -> None:
    result = dse.evaluate(dse.load_workload("mobilenet_v2"), flexible)
    times = result.layers.filter(regex="^time_").sum(axis=1)
    assert np.allclose(times, result.layers.latency_s, rtol=1e-12)
    assert isclose(times.sum(), result.latency_s, rel_tol=1e-12)


def dense_block(parts: int) -> Workload:
    """Return layers each of which reads all that the ones ahead wrote."""
    layers = [Layer(name=f"l{n}", k=4, c=4 * max(n, 1), oy=16) for n in range(parts)]
    edges = tuple((f"l{n}", f"l{x}") for n in range(parts) for x in range(n))
    return Workload(name="dense", layers=tuple(layers), edges=edges)


def test_more_tensors_than_are_searched_are_bounded(flexible: Accelerator) -> None:
    small = replace(flexible, buffer_bytes=512)
    exact = dse.evaluate(dense_block(5), small, objective="dram_bytes")
    assert exact.schedule is not None
    assert exact.schedule.is_exact
    assert not any("not proven best" in text for text in exact.warnings)
    result = dse.evaluate(dense_block(9), small, objective="dram_bytes")
    assert result.schedule is not None
    assert 0 < result.schedule.gap < 1
    assert "not proven best" in result.warnings[0]
    none = dse.evaluate(
        dense_block(9), replace(small, between_layers="none"), objective="dram_bytes"
    )
    assert result.dram_bytes <= none.dram_bytes


def test_a_list_that_is_no_chain_holds_nothing(flexible: Accelerator) -> None:
    layers = tuple(Layer(name=f"l{n}", k=4, c=8, oy=16) for n in range(2))
    network = Workload(name="parts", layers=layers)
    result = dse.evaluate(network, flexible)
    assert result.schedule is not None
    assert result.schedule.peak_bytes == 0
    assert "no chain" in result.warnings[0]
    assert (
        result.dram_bytes
        == dse.evaluate(network, replace(flexible, between_layers="none")).dram_bytes
    )


def test_weights_of_attention_stay_in_the_dram(flexible: Accelerator) -> None:
    layers = (
        Layer(name="query", k=8, c=8, oy=16),
        Layer(name="key", k=8, c=8, oy=16),
        Layer(name="scores", k=16, c=8, oy=16, weight_is_activation=True),
    )
    network = Workload(
        name="attention", layers=layers, edges=(("scores", "query"), ("scores", "key"))
    )
    schedule = dse.network_schedule(network, flexible, objective="dram_bytes")
    assert schedule.places == {"query": "chip", "key": "dram", "scores": "dram"}


def test_additions_and_pooling_that_are_fused_read_what_is_held(flexible: Accelerator) -> None:
    fuses = replace(flexible, additions_are_fused=True, pooling_is_fused=True)
    network = dse.load_workload("resnet18")
    large = replace(fuses, buffer_bytes=2**26)
    result = dse.evaluate(network, large, objective="dram_bytes")
    once = sum(layer.weight_elements for layer in network.layers) + 224 * 224 * 3 + 1000
    assert result.dram_bytes == once
    assert result.layers.query("op == 'add'").latency_s.sum() == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"between_layers": "all"}, "between_layers must be one of none, tensors, got 'all'"),
        ({"dram": {"holds": ("weight",)}}, "needs dram.carries with input and output, got weight"),
        ({"buffers": "apart"}, "needs a buffer that holds both input and output, got none"),
    ],
)
def test_what_cannot_hold_tensors_is_refused(
    flexible: Accelerator, changes: dict[str, object], told: str
) -> None:
    if changes.get("buffers") == "apart":
        one = flexible.buffers[0]
        parts = [replace(one, name=x, holds=(x,)) for x in ("input", "weight", "output")]
        changes = {"buffers": tuple(parts)}
    if "dram" in changes:
        changes = {"dram": replace(flexible.dram, holds=("weight",))}
    with pytest.raises(DseError, match=told):
        replace(flexible, **changes)  # type: ignore[arg-type]


def test_a_schedule_of_its_own_holds_nothing() -> None:
    with pytest.raises(DseError, match="must be none where a schedule fixes the traffic"):
        replace(dse.load_accelerator("nvdla"), between_layers="tensors")
    with pytest.raises(DseError, match="must be tensors for a schedule of the network, got 'none'"):
        dse.network_schedule(dse.load_workload("tiny"), dse.load_accelerator("flexible"))


def test_a_tensor_that_is_fetched_to_stay_crosses_once_its_first_tile_first() -> None:
    chip = replace(dse.load_accelerator("flexible"), between_layers="tensors")
    plain = Layer(name="l", k=4, c=4, oy=8)
    tile = dict(plain.bounds) | {"k": 2, "oy": 4}
    order = ("g", "b", "oy", "ox", "c", "fy", "fx", "k")
    at = {"tile": tile, "order": order[::-1], "axes": ((), ())}
    here, there = (
        evaluate_mapping(layer, chip, **at)  # type: ignore[arg-type]
        for layer in (plain, replace(plain, fetched_elements=32, fetched_bits=256))
    )
    assert here.dram_bits_by_operand["input"] == 2 * 256
    assert there.dram_bits_by_operand["input"] == 256
    assert there.first_last_bits == here.first_last_bits
    assert here.footprint_bits[0] - there.footprint_bits[0] == 4 * 4 * 8
    held = evaluate_mapping(replace(plain, held_elements=32), chip, **at)  # type: ignore[arg-type]
    assert held.dram_bits_by_operand["input"] == 0
    assert here.first_last_bits - held.first_last_bits == 4 * 4 * 8
