"""Machines with schedules of their own: traffic and cycles as a literal walk of chunks has them."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest

import dse
from dse.evaluation.causes import CAUSES
from dse.hardware import Accelerator, Dram, Schedule, Winograd
from dse.mapping.nest.dram_bits import added_bits, packed_bits
from dse.mapping.schedule_streams import streams
from dse.mapping.scheduled import chunks_worth_having
from dse.mapping.table import mapping_table
from dse.network.as_run import layer_runs
from dse.workload import Layer, Workload
from tests.oracle import scheduled as oracle
from tests.oracle.cases import as_code, random_chip, random_layer

SECOND = """
name: second
clock_hz: 0.2e9
array_rows: 12
array_columns: 14
buffer_bytes: 2048
dram_bytes_per_s: 0.48e9
array: [{size: array_rows, dims: [c]}, {size: array_columns, dims: [k]}]
buffers:
  - {name: shared, bytes: buffer_bytes, holds: [input, weight]}
  - {name: sums, bytes: 4096, holds: [output]}
transfers: serial
launch_s: 1.0e-6
halo_is_kept: false
schedule:
  kept: weight
  least: {input: 2}
  least_share: {input: 0.25}
  granule: {weight: 4, input: 1}
  multiples: {weight: {k: 12}, cycles: {c: 12, k: 14}}
technology: node65
"""
"""A machine of 12 x 14 MACs that is not NVDLA: weights are kept, four kernels at a time."""


@pytest.fixture
def second(tmp_path: Path) -> Accelerator:
    path = tmp_path / "second.yaml"
    path.write_text(SECOND, encoding="utf-8")
    return dse.load_accelerator(path)


def some_multiples(rng: Random) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    loops = {"input": "c", "weight": "ck", "output": "k", "cycles": "ck"}
    found = {
        what: tuple((loop, rng.randint(1, 5)) for loop in own if rng.random() < 0.7)
        for what, own in loops.items()
    }
    return tuple((what, own) for what, own in found.items() if own)


def random_schedule(rng: Random) -> Schedule:
    """Draw rules of any kind."""

    def some(draw) -> tuple[tuple[str, object], ...]:
        return tuple((x, draw(x)) for x in ("input", "weight") if rng.random() < 0.5)

    sizes = {"input": ["filter", 1, 2, 9], "weight": [1, 2, 3, 40]}
    return Schedule(
        kept=rng.choice(["smaller", "smaller", "input", "weight"]),
        least=some(lambda x: rng.choice(sizes[x])),
        least_share=some(lambda _: rng.choice([0.1, 0.25, 0.5, 1.0])),
        granule=some(lambda _: rng.randint(1, 3)),
        multiples=some_multiples(rng),
        vectors_are_rounded=rng.random() < 0.5,
        strides_are_folded=rng.random() < 0.4,
        winograd=rng.choice(
            [None, Winograd(filter=3, outputs=2, least_channels=2), Winograd(filter=2, outputs=3)]
        ),
    )


def random_machine(rng: Random) -> Accelerator:
    chip = random_chip(rng)
    shared = rng.choice([("input", "weight"), ("input", "weight", "output")])
    rest = () if len(shared) == 3 else (replace(chip.buffers[0], name="sums", holds=("output",)),)
    return replace(
        chip,
        buffers=(replace(chip.buffers[0], name="shared", holds=shared, bytes=64), *rest),
        dram=Dram(),
        transfers=rng.choice(["overlapped", "serial"]),
        fill_cycles=0,
        schedule=random_schedule(rng),
    )


def sized(chip: Accelerator, size: int) -> Accelerator:
    first, *rest = chip.buffers
    return replace(chip, buffers=(replace(first, bytes=size), *rest))


def check(layer: Layer, chip: Accelerator, size: int, told: str) -> oracle.Walked | None:
    """Compare one layer with one buffer size with the walk; return the walk."""
    machine = sized(chip, size)
    walked = oracle.walk(layer, machine, 8 * size)
    table = mapping_table(layer, machine)
    if walked is None:
        with pytest.raises(dse.InfeasibleError, match="with no mapping"):
            table.best("latency_s", machine)
        return None
    for objective in ("latency_s", "dram_bytes", "energy_pj", "edp"):
        best = table.best(objective, machine)
        moved = best.dram_bits_by_operand
        assert best.stationary == walked.kept, told
        assert moved["input"] == walked.input_bits, told
        assert moved["weight"] == walked.weight_bits, told
        assert moved["output"] == walked.output_bits, told
        assert moved["psum_read"] == moved["psum_write"] == 0, told
        assert best.compute_cycles == oracle.cycles(layer, machine), told
        assert best.ideal_cycles <= best.compute_cycles, told
    return walked


def test_equals_a_walk_of_the_chunks_for_any_rules() -> None:
    seen: Counter[str] = Counter()
    for seed in range(7000, 7120):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=20_000), random_machine(rng)
        for size in sorted({1, rng.randint(2, 60), rng.randint(2, 600), 100_000}):
            told = f"seed {seed}, {size} bytes: {as_code(layer)} on {as_code(chip)}"
            walked = check(layer, chip, size, told)
            if walked is None:
                seen["nothing fits"] += 1
            else:
                seen[walked.kept] += 1
                seen["cut"] += walked.chunks > 1
    assert all(seen[x] > 20 for x in ("nothing fits", "input", "weight", "cut")), seen


def test_chunks_of_folded_rows_overlap_as_the_walk_has_them() -> None:
    """Images that are cut, and whose halos are fetched again, with strides of 2 and 3."""
    overlapping = 0
    for seed in range(7200, 7260):
        rng = Random(seed)
        stride, taps = rng.choice([2, 3]), rng.choice([3, 4, 5, 7])
        size = stride * rng.randint(5, 9) + taps
        layer = Layer(
            name="folded",
            b=rng.randint(1, 2),
            k=2,
            c=rng.randint(1, 2),
            fy=taps,
            fx=1,
            oy=(size - taps) // stride + 1,
            iy=size,
            ix=1,
            stride_y=stride,
            stride_x=1,
        )
        rules = Schedule(kept="input", strides_are_folded=rng.random() < 0.8)
        chip = replace(random_machine(rng), halo_is_kept=False, schedule=rules)
        for bytes_ in (rng.randint(10, 60), rng.randint(10, 60)):
            told = f"seed {seed}, {bytes_} bytes: {as_code(layer)} on {as_code(chip)}"
            walked = check(layer, chip, bytes_, told)
            overlapping += walked is not None and walked.chunks > layer.b
    assert overlapping > 20


def test_a_second_machine_equals_the_walk(second: Accelerator) -> None:
    cut = 0
    for seed in range(20):
        layer = random_layer(Random(seed), most=6)
        for size in (60, 150, 400, 4000):
            walked = check(layer, second, size, f"seed {seed}, {size} bytes: {as_code(layer)}")
            cut += walked is not None and walked.chunks > 1
    assert cut > 5


def test_second_machine_by_hand(second: Accelerator) -> None:
    """13 kernels of 5 x 3 x 3 become 24: 1080 bytes in chunks of 4 kernels, 180 bytes."""
    layer = Layer(name="conv", k=13, c=5, oy=6, ox=6, fy=3, fx=3, pad_y=1, pad_x=1)
    chip = sized(second, 500)  # two rows of 30 bytes stream, a quarter would be 125: 440 are left
    best = mapping_table(layer, chip).best("dram_bytes", chip)
    chunks = 3  # 8 of 24 kernels take 360 bytes, 12 would take 540
    assert best.stationary == "weight"
    assert best.dram_bytes == {
        "input": chunks * 6 * 6 * 5,
        "weight": 24 * 45,
        "output": 13 * 36,
        "psum_write": 0,
        "psum_read": 0,
    }
    assert best.compute_cycles == -(-36 * 9 * 12 * 14 // 168)


def test_every_buffer_size_has_its_row() -> None:
    """The table knows, for any buffer, what the closed form with that buffer says."""
    chip = dse.load_accelerator("nvdla")
    layer = Layer(name="conv", k=256, c=64, oy=14, ox=14, fy=3, fx=3, pad_y=1, pad_x=1)
    one = streams(layer, chip, chip.schedule)
    chunks, room = chunks_worth_having(one)
    assert (chunks[:-1] > chunks[1:]).all()
    assert (room[:-1] < room[1:]).all()
    rng = Random(1)
    for _ in range(300):
        size = rng.randint(100, 200_000)
        least = min(one.least_bits, 8 * size // 2)
        expected = -(-one.part_bits // (8 * size - least))
        assert chunks[(room <= 8 * size).nonzero()[0][-1]] == expected


def test_traffic_of_the_largest_layers_can_be_counted() -> None:
    chip = dse.load_accelerator("nvdla")
    layer = Layer(name="product", k=100_000, c=10_000, oy=100_000)
    bits = mapping_table(layer, chip).dram_bits
    assert (bits[:-1] > bits[1:]).all()
    assert bits[-1] > 0


def test_many_designs_equal_each_alone(second: Accelerator) -> None:
    network = dse.load_workload("resnet18")
    for chip in (dse.load_accelerator("nvdla"), second):
        designs = pd.DataFrame(
            {
                "buffer_bytes": [2048, 40_000, 262144, 524288],
                "dram_bytes_per_s": [1e9, 5e9, 2e10, 1e9],
            }
        )
        costs = dse.evaluate_designs(network, chip, designs)
        for row, design in designs.iterrows():
            one = chip.with_parameters(**{x: float(design[x]) for x in ("dram_bytes_per_s",)})
            one = one.with_parameters(buffer_bytes=int(design["buffer_bytes"]))
            try:
                alone = dse.evaluate(network, one)
            except dse.DseError:
                assert costs["latency_s"][row] == float("inf")
                continue
            assert costs["latency_s"][row] == pytest.approx(alone.latency_s, rel=1e-12)
            assert costs["dram_bytes"][row] == alone.dram_bytes


def test_many_designs_know_the_least_buffer_of_each_number_of_chunks() -> None:
    layer = Layer(name="conv", k=64, c=64, oy=28, ox=28, fy=3, fx=3, pad_y=1, pad_x=1)
    network, chip = Workload(name="one", layers=(layer,)), dse.load_accelerator("nvdla")
    chip = replace(chip, schedule=Schedule(granule=(("input", 1), ("weight", 1))))
    table = mapping_table(layer, chip)
    sizes = table.footprint_bits[:, 0] // 8
    assert len(sizes) > 10
    assert (table.footprint_bits[:, 0] % 8 == 0).all()
    at, below = (
        dse.evaluate_designs(network, chip, pd.DataFrame({"buffer_bytes": x}))["dram_bytes"]
        for x in (sizes, sizes - 1)
    )
    assert (at < below).all()
    assert at.tolist() == (table.dram_bits / 8).tolist()


def test_causes_add_up_and_no_share_is_negative(second: Accelerator) -> None:
    for chip in (dse.load_accelerator("nvdla"), replace(second, parameters={}, buffer_bytes=65536)):
        rows = dse.evaluate(dse.load_workload("resnet50"), chip).layers
        causes = rows[[f"time_{x}_s" for x in CAUSES]]
        assert (causes >= 0).all(axis=None)
        assert causes.sum(axis=1).to_numpy() == pytest.approx(rows["latency_s"].to_numpy())
        assert (rows["compulsory_bytes"] <= rows["dram_bytes"]).all()
        assert (rows["lower_bound_bytes"] <= rows["dram_bytes"]).all()
        assert rows["why"].str.len().min() > 10


def test_only_what_the_buffer_costs_is_called_refetched() -> None:
    """Rounded channels and Winograd weights are not: with a large buffer nothing comes twice."""
    chip = dse.load_accelerator("nvdla", buffer_bytes=2**26)
    rows = dse.evaluate(dse.load_workload("resnet50_v1"), chip).layers
    assert rows["time_refetch_s"].max() == 0
    assert rows["dram_bytes"].sum() > rows["compulsory_bytes"].sum()


def test_a_schedule_is_off_by_default_and_one_value_turns_it_off() -> None:
    layer = Layer(name="conv", k=64, c=64, oy=28, ox=28, fy=3, fx=3, pad_y=1, pad_x=1)
    assert dse.load_accelerator("flexible").schedule is None
    chip = dse.load_accelerator("nvdla", schedule=None)
    assert mapping_table(layer, chip).points.chunks is None
    assert mapping_table(layer, dse.load_accelerator("nvdla")).points.chunks is not None


def test_a_given_mapping_contradicts_a_schedule() -> None:
    network, chip = dse.load_workload("tiny"), dse.load_accelerator("nvdla")
    with pytest.raises(dse.DseError, match="mapping must be empty on accelerator 'nvdla'"):
        dse.evaluate(network, chip, mapping={"tile": {"k": 4}})


def test_a_larger_buffer_or_rate_never_costs_time_or_bytes(second: Accelerator) -> None:
    network = dse.load_workload("alexnet", batch=3)
    for chip in (dse.load_accelerator("nvdla"), second):
        sizes = pd.DataFrame({"buffer_bytes": [2**n for n in range(10, 24)]})
        costs = dse.evaluate_designs(network, chip, sizes)
        assert costs["latency_s"].is_monotonic_decreasing
        assert costs["dram_bytes"].is_monotonic_decreasing


CONV = Layer(name="conv", k=4, c=2, oy=4, ox=4)
ADD = Layer(name="add", op="add", input_elements=128, output_elements=64)
POOL = Layer(name="pool", op="pool", input_elements=64, output_elements=4)


def fused(*layers: Layer, edges: tuple[tuple[str, str], ...] = ()) -> list[tuple[int, int, bool]]:
    """Return pooled and added elements of each layer, and whether it is fused."""
    chip = dse.load_accelerator("nvdla")
    network = Workload(name="some", layers=layers, edges=edges)
    found = layer_runs(network, chip)
    return [(x.pooled_elements, x.added_elements, x.is_fused) for x in found]


def test_additions_are_fused_and_what_follows_them() -> None:
    done = (0, 0, True)
    assert fused(CONV, ADD) == [(0, 64, False), done]
    assert fused(CONV, ADD, POOL) == [(4, 64, False), done, done]
    after = replace(ADD, input_elements=8, output_elements=4)
    assert fused(CONV, POOL, after) == [(4, 4, False), done, done]
    assert fused(ADD, CONV) == [(0, 0, False), (0, 0, False)]
    other = replace(ADD, input_elements=256, output_elements=128)
    assert fused(CONV, other) == [(0, 0, False), (0, 0, False)]
    skip = replace(CONV, name="skip")
    both = (("add", "skip"), ("add", "conv"))
    assert fused(skip, CONV, ADD, edges=both)[1:] == [(0, 64, False), done]
    assert fused(skip, CONV, ADD, edges=(*both, ("next", "conv")))[2] == (0, 0, False)
    assert CONV.with_batch(2).added_elements == 0
    assert replace(CONV, added_elements=64).with_batch(2).added_elements == 128


def test_added_maps_are_packed_as_the_inputs_of_the_addition() -> None:
    add = replace(ADD, input_zeros=0.5)
    chip = dse.load_accelerator("nvdla", schedule=None)
    chip = replace(chip, dram=replace(chip.dram, compression=(("input", 1.5),)))
    one = layer_runs(Workload(name="two", layers=(CONV, add)), chip)[0].layer
    assert (one.added_elements, one.added_zeros) == (64, 0.5)
    assert added_bits(one, chip) == 64 * 8 * 3 // 4
    assert added_bits(one, replace(chip, dram=Dram())) == 64 * 8
    apart = packed_bits(add, chip, "input", add.input_elements)
    assert added_bits(one, chip) + packed_bits(add, chip, "input", 64) == apart


def test_zeros_of_added_maps_are_kept_as_they_are() -> None:
    chip = dse.load_accelerator("nvdla", schedule=None)
    chip = replace(chip, dram=replace(chip.dram, compression=(("input", 1.25),)))
    adds = [
        replace(ADD, name=f"add{x}", input_elements=64 + more, input_zeros=0.36)
        for x, more in enumerate((64, 0, 128))
    ]
    one = layer_runs(Workload(name="chain", layers=(CONV, *adds)), chip)[0].layer
    assert (one.added_elements, one.added_zeros) == (192, 0.36)
    assert added_bits(one, chip) == -(-192 * 8 * 4 // 5)


def test_filters_are_folded_where_their_taps_fall(second: Accelerator) -> None:
    for taps, stride, dilation, places in (
        *((3, 1, 2, 3), (3, 2, 1, 2), (3, 2, 2, 3), (2, 2, 2, 2), (3, 4, 1, 1), (5, 3, 2, 3)),
        *((3, 2, 3, 3), (1, 2, 1, 1)),
    ):
        layer = Layer(name="conv", k=12, c=12, oy=3, ox=3, **dict.fromkeys(("fy", "fx"), taps),
                      **dict.fromkeys(("stride_y", "stride_x"), stride),
                      **dict.fromkeys(("dilation_y", "dilation_x"), dilation))  # fmt: skip
        rules = replace(second.schedule, strides_are_folded=True)
        one = streams(layer, replace(second, schedule=rules), rules)
        assert one.dram_bits["weight"] == 8 * 12 * 12 * stride**2 * places**2


def test_any_share_of_the_buffer_is_counted_exactly(second: Accelerator) -> None:
    layer = Layer(name="conv", k=512, c=512, oy=64, ox=64, fy=3, fx=3, pad_y=1, pad_x=1)
    for share in (0.3333333333333333, 0.1234567890123):
        rules = replace(second.schedule, least_share=(("input", share),))
        chunks, room = chunks_worth_having(streams(layer, second, rules))
        left = 1 - Fraction(str(share))
        for bits in room.tolist()[:: max(len(room) // 20, 1)]:
            assert bits > 0
            assert left * bits < bits
        assert (np.diff(room) > 0).all()
        assert (np.diff(chunks) < 0).all()


def test_added_maps_are_read_once_by_the_mapper_too() -> None:
    network = Workload(name="two", layers=(CONV, ADD))
    chip = dse.load_accelerator("nvdla", schedule=None)
    apart = replace(chip, additions_are_fused=False)
    rows = dse.evaluate(network, chip).layers.set_index("name")
    alone = dse.evaluate(network, apart).layers.set_index("name")
    assert rows.loc["conv", "dram_bytes_input"] == alone.loc["conv", "dram_bytes_input"] + 64
    assert rows.loc["conv", "dram_bytes_output"] == alone.loc["conv", "dram_bytes_output"]
    assert rows.loc["conv", "compulsory_bytes"] == alone.loc["conv", "compulsory_bytes"] + 64
    assert rows.loc["add", "dram_bytes"] == 0
    assert alone.loc["add", "dram_bytes"] == 192
