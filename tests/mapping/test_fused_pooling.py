"""Pooling before outputs are written: against windows walked one by one, and brute force."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import ceil, prod
from random import Random

import pandas as pd
import pytest

import dse
from dse.evaluation.bounds import compulsory_bytes, lower_bound_bytes
from dse.hardware import Accelerator, Dram
from dse.mapping import evaluate_mapping
from dse.mapping.table import mapping_table
from dse.network.as_run import layer_runs
from dse.workload import Layer, Workload
from tests.mapping.test_table_against_oracle import check_front, told_of
from tests.oracle.cases import random_chip, random_layer, random_mapping
from tests.oracle.walk import REDUCED, Tile, steps

Window = tuple[int, int]
"""Rows (and columns) of a window of pooling, and its stride."""


def places(size: int, window: Window) -> list[range]:
    """Return the windows along an axis, those at the end cut: rounded up, as the zoo's pools."""
    length, stride = window
    count = 1 + ceil(max(size - length, 0) / stride)
    return [range(x * stride, min(x * stride + length, size)) for x in range(count)]


def pooled_writes(layer: Layer, window: Window, tile: Tile, order: Sequence[str]) -> int:
    """Walk the tile loops; a pooled element is written as soon as its whole window is summed."""
    missing = [
        {(*outer, *inner) for inner in product(rows, columns)}
        for outer in product(range(layer.b), range(layer.g), range(layer.k))
        for rows in places(layer.oy, window)
        for columns in places(layer.ox, window)
    ]
    macs_done: dict[tuple[int, ...], int] = {}
    all_macs = prod(getattr(layer, loop) for loop in REDUCED)
    written = 0
    for _, part in steps(layer, tile, order):
        for output in product(*(part[loop] for loop in ("b", "g", "k", "oy", "ox"))):
            done = macs_done.get(output, 0) + prod(len(part[loop]) for loop in REDUCED)
            macs_done[output] = done
            if done < all_macs:
                continue
            for needed in missing:
                if output in needed:
                    needed.remove(output)
                    written += not needed
    assert not any(missing)
    return written


def pooled(layer: Layer, window: Window) -> Layer:
    """Return a layer whose output goes through a window before it is written."""
    left = len(places(layer.oy, window)) * len(places(layer.ox, window))
    return replace(layer, pooled_elements=layer.b * layer.g * layer.k * left)


def test_output_bits_are_those_of_the_windows_walked() -> None:
    num_less = 0
    for seed in range(6000, 6060):
        rng = Random(seed)
        layer = random_layer(rng, most_work=2_000)
        chip = replace(random_chip(rng), dram=Dram())
        tile, order, axes = random_mapping(rng, layer, chip)
        window = rng.choice([(2, 1), (2, 2), (3, 2), (3, 3)])
        plain = evaluate_mapping(layer, chip, tile=tile, order=order, axes=axes)
        fused = pooled(layer, window)
        found = evaluate_mapping(fused, chip, tile=tile, order=order, axes=axes)
        bits = pooled_writes(layer, window, tile, order) * layer.output_bits
        told = told_of(seed, fused, chip)
        assert found.dram_bits_by_operand["output"] == bits, told
        others = dict(plain.dram_bits_by_operand) | {"output": bits}
        assert dict(found.dram_bits_by_operand) == others, told
        assert found.footprint_bits == plain.footprint_bits
        num_less += bits < plain.dram_bits_by_operand["output"]
    assert num_less > 20


def test_table_equals_brute_force_with_fused_layers() -> None:
    for seed in range(6100, 6140):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=10_000), random_chip(rng)
        fused = pooled(layer, (rng.choice([2, 3]), 2))
        check_front(fused, chip, told_of(seed, fused, chip))
        least, plain = (mapping_table(x, chip).dram_bits.min() for x in (fused, layer))
        assert compulsory_bytes(fused, chip) * 8 <= least <= plain
        assert lower_bound_bytes(fused, chip) * 8 <= least


CONV1 = Layer(name="conv1", k=6, c=3, oy=8, ox=8, fy=3, fx=3, pad_y=1, pad_x=1)
POOL1 = Layer(name="pool1", op="pool", input_elements=384, output_elements=96)
CONV2 = Layer(name="conv2", k=4, c=6, oy=4, ox=4)
NETWORK = Workload(name="three", layers=(CONV1, POOL1, CONV2))


@pytest.fixture
def fuses() -> Accelerator:
    return dse.load_accelerator("flexible", pooling_is_fused=True)


def names_fused(network: Workload, chip: Accelerator) -> list[str]:
    return [x.layer.name for x in layer_runs(network, chip) if x.is_fused]


def test_off_by_default(fuses: Accelerator) -> None:
    found = layer_runs(NETWORK, dse.load_accelerator("flexible"))
    assert tuple(run.layer for run in found) == NETWORK.layers
    assert not any(run.is_fused for run in found)
    assert names_fused(NETWORK, fuses) == ["pool1"]


def test_pooling_layer_keeps_its_row_and_moves_nothing(fuses: Accelerator) -> None:
    rows = dse.evaluate(NETWORK, fuses).layers.set_index("name")
    apart = dse.evaluate(NETWORK, dse.load_accelerator("flexible")).layers.set_index("name")
    assert list(rows.index) == ["conv1", "pool1", "conv2"]
    assert rows.loc["pool1", ["dram_bytes", "latency_s", "compulsory_bytes"]].tolist() == [0, 0, 0]
    assert rows.loc["conv1", "dram_bytes_output"] == 96
    assert apart.loc["conv1", "dram_bytes_output"] == 384
    assert rows.loc["conv2"].equals(apart.loc["conv2"])


def test_many_designs_equal_each_alone_with_fused_layers(fuses: Accelerator) -> None:
    alexnet = dse.load_workload("alexnet", batch=2)
    designs = pd.DataFrame({"buffer_bytes": [65536, 262144], "batch": [1, 3]})
    costs = dse.evaluate_designs(alexnet, fuses, designs)
    for row, design in designs.iterrows():
        chip = fuses.with_parameters(buffer_bytes=int(design["buffer_bytes"]))
        alone = dse.evaluate(alexnet.with_batch(int(design["batch"])), chip)
        assert costs["dram_bytes"][row] == pytest.approx(alone.dram_bytes, rel=1e-12)
        assert costs["latency_s"][row] == pytest.approx(alone.latency_s, rel=1e-12)


def test_only_what_nothing_else_reads_is_fused(fuses: Accelerator) -> None:
    chain = (("pool1", "conv1"), ("conv2", "pool1"))
    assert names_fused(replace(NETWORK, edges=chain), fuses) == ["pool1"]
    assert names_fused(replace(NETWORK, edges=(*chain, ("conv2", "conv1"))), fuses) == []
    larger = replace(NETWORK, layers=(CONV1, replace(POOL1, input_elements=400), CONV2))
    assert names_fused(larger, fuses) == []
    assert names_fused(replace(NETWORK, layers=(POOL1, CONV1)), fuses) == []


def test_pooling_of_several_branches_is_fused_into_each(fuses: Accelerator) -> None:
    twin = replace(CONV1, name="twin", k=12)
    joined = replace(POOL1, input_elements=3 * 384, output_elements=3 * 96)
    edges = (("pool1", "conv1"), ("pool1", "twin"))
    branches = replace(NETWORK, layers=(CONV1, twin, joined), edges=edges)
    found = layer_runs(branches, fuses)
    assert [x.pooled_elements for x in found] == [96, 192, 0]


def test_a_mapping_may_say_no(fuses: Accelerator) -> None:
    given = {"layers": {"conv1": {"pooling_is_fused": False}}}
    rows = dse.evaluate(NETWORK, fuses, mapping=given).layers.set_index("name")
    assert rows.loc["conv1", "dram_bytes_output"] == 384
    assert rows.loc["pool1", "dram_bytes"] == 384 + 96


def test_pooled_elements_are_part_of_the_output() -> None:
    assert replace(CONV1, pooled_elements=96).with_batch(4).pooled_elements == 384
    with pytest.raises(dse.DseError, match="pooled_elements must be an integer from 0 to 384"):
        replace(CONV1, pooled_elements=385)
    with pytest.raises(dse.DseError, match="pooled_elements must be an integer from 0 to 0"):
        replace(POOL1, pooled_elements=1)
