"""Operands that are compressed in the DRAM: traffic as brute force and the walk have it."""

from dataclasses import replace
from random import Random

import pytest

import dse
from dse.mapping.nest.dram_bits import packed_bits, packed_share
from dse.mapping.table import mapping_table
from tests.mapping.test_table_against_oracle import check_front, told_of
from tests.oracle.cases import random_chip, random_layer


def test_table_equals_brute_force_with_compression() -> None:
    num_changed = 0
    for seed in range(4000, 4050):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=10_000), random_chip(rng)
        zeros = {f"{x}_zeros": rng.choice([0.0, 0.3, 0.725]) for x in ("input", "output")}
        layer = replace(layer, **zeros)
        operands = rng.sample(["input", "output"], rng.randint(1, 2))
        ratios = tuple((x, rng.choice([1.3333, 1.5, 0.5])) for x in operands)
        packed = replace(chip, dram=replace(chip.dram, compression=ratios))
        check_front(layer, packed, told_of(seed, layer, packed))
        plain, less = (mapping_table(layer, one).dram_bits.min() for one in (chip, packed))
        assert less <= plain
        num_changed += less < plain
    assert num_changed > 10


def test_three_values_share_a_word_with_their_runs() -> None:
    plain = dse.load_accelerator("eyeriss", dram={"compression": None})
    layer = dse.Layer(
        name="conv", k=3, c=48, oy=10, input_zeros=0.75, output_zeros=0.1, input_bits=16
    )
    ratios = {"compression": {"input": 64 / 48, "output": 64 / 48}}
    packed = dse.load_accelerator("eyeriss", dram=ratios)
    assert packed_bits(layer, packed, "input", 48) == 12 * 64 // 3
    assert packed_share(layer, packed, "output") == 1  # 0.9 * 4/3 would grow
    assert packed_share(layer, packed, "weight") == packed_share(layer, plain, "input") == 1


@pytest.mark.parametrize("zeros", [1.0, -0.1, True, "half"])
def test_a_share_of_zeros_is_below_one(zeros: object) -> None:
    with pytest.raises(dse.DseError, match="input_zeros must be from 0 to below 1"):
        dse.Layer(name="conv", input_zeros=zeros)  # type: ignore[arg-type]


def test_weights_are_never_compressed() -> None:
    with pytest.raises(dse.DseError, match="compression"):
        dse.load_accelerator("eyeriss", dram={"compression": {"weight": 1.0}})
