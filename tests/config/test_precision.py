"""Bits of an element: fractions with scales, formats by name, and those of a cache."""

import pandas as pd
import pytest

import dse
from dse import DseError
from dse.config.workloads import workload_from
from dse.cost.energy import mac_scale
from dse.workload import bits_of

PRODUCT = {"name": "product", "k": 4096, "c": 11008}
SCORES = {"name": "scores", "g": 8, "k": 2048, "c": 128, "oy": 4, "weight_is_activation": True}


def network(bits, *layers):
    return workload_from({"name": "small", "bits": bits, "layers": list(layers)})


def test_elements_take_whole_bits_together():
    assert [bits_of(n, 4.25) for n in (1, 2, 3, 4, 32)] == [5, 9, 13, 17, 136]
    assert bits_of(10, 0.1 + 0.2) == 4  # as it is written, 0.30000000000000004, not 3 exactly
    assert bits_of(2**70 + 1, 4.5) == (2**70 + 1) * 9 // 2 + 1


@pytest.mark.parametrize(
    ("weight", "bits"), [("mxfp4", 4.25), ("NVFP4", 4.5), ("q8_0", 8.5), (4.15625, 4.15625)]
)
def test_weights_move_with_their_share_of_scales(weight, bits):
    made = network({"input": "bf16", "weight": weight, "output": "bf16"}, PRODUCT)
    layer = made.layers[0]
    assert (layer.input_bits, layer.weight_bits, layer.output_bits) == (16, bits, 16)
    result = dse.evaluate(made, dse.load_accelerator("systolic"), objective="dram_bytes")
    expected = 4096 * 11008 * bits / 8 + (4096 + 11008) * 2
    assert float(result.layers["dram_bytes"].sum()) == expected
    assert float(mac_scale(16, bits)) == 16 * int(bits) / 64


def test_a_whole_number_of_bits_is_the_same_layer_however_it_is_written():
    assert network({"weight": 4.0}, PRODUCT) == network({"weight": 4}, PRODUCT)
    assert network({"weight": "fp8_e4m3"}, PRODUCT) == network({"weight": "int8"}, PRODUCT)


@pytest.mark.parametrize(
    ("bits", "cache"),
    [
        ({"input": 16, "weight": 4}, 16),
        ({"input": 16, "weight": 4, "cache": "fp8"}, 8),
        ({"input": 16, "weight": 16, "cache": 4.25}, 4.25),
        ({}, 8),
    ],
)
def test_a_cache_has_bits_of_its_own(bits, cache):
    product, scores = network(bits, PRODUCT, SCORES).layers
    assert product.weight_bits == bits.get("weight", 8)
    assert scores.weight_bits == cache


def test_a_layer_s_own_bits_stand_above_those_of_the_cache():
    own = {**SCORES, "bits": {"weight": 3}}
    assert network({"cache": 8}, own).layers[0].weight_bits == 3


@pytest.mark.parametrize(
    ("bits", "rule"),
    [
        ({"weight": "fp9"}, "did you mean 'fp8'?"),
        ({"weight": 0.5}, "must be a number from 1 to 1024, got 0.5"),
        ({"weight": float("nan")}, "must be a number from 1 to 1024"),
        ({"psum": 4.5}, "psum_bits must be an integer"),
        ({"kv": 8}, "has no key 'kv'"),
    ],
)
def test_wrong_bits(bits, rule):
    with pytest.raises(DseError) as caught:
        network(bits, PRODUCT)
    assert rule in str(caught.value)


@pytest.mark.parametrize("machine", ["systolic", "nvdla"])
def test_many_designs_cost_what_each_does(machine):
    bits = {"input": 8.5, "weight": 4.25, "output": 8.5}
    made = dse.load_workload("tiny", bits=bits)
    designs = pd.DataFrame({"clock_hz": [2e8, 5e8, 1e9], "batch": [1, 2, 3]})
    chip = dse.load_accelerator(machine)
    costs = dse.evaluate_designs(made, chip, designs)
    for row, (clock, batch) in enumerate(zip(designs.clock_hz, designs.batch, strict=True)):
        one = dse.evaluate(made.with_batch(batch), dse.load_accelerator(machine, clock_hz=clock))
        assert costs["latency_s"][row] == pytest.approx(one.layers["latency_s"].sum(), rel=1e-12)
        assert costs["dram_bytes"][row] == pytest.approx(one.layers["dram_bytes"].sum(), rel=1e-12)
