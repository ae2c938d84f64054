"""Totals of a network: summed exactly, and refused where it takes no time at all."""

import math
from fractions import Fraction

import pandas as pd
import pytest

import dse
from dse.workload import Layer, Workload

POOL = Layer(name="pool", op="pool", input_elements=384, output_elements=96)


@pytest.mark.parametrize("name", ["resnet50", "alexnet"])
def test_totals_are_the_exact_sums_rounded_once(name: str) -> None:
    found = dse.evaluate(dse.load_workload(name), dse.load_accelerator("flexible"))
    for total, column in ((found.latency_s, "latency_s"), (found.dram_bytes, "dram_bytes")):
        exact = sum(Fraction(x) for x in found.layers[column])
        assert total == float(exact)
        assert total == math.fsum(found.layers[column])


@pytest.mark.parametrize("machine", ["tpu_v1", "cnn_accel"])
def test_a_network_that_takes_no_time_is_refused(machine: str) -> None:
    network = Workload(name="pooling", layers=(POOL,))
    chip = dse.load_accelerator(machine)
    rule = "workload 'pooling' must take some time: none of its layers has MACs"
    with pytest.raises(dse.DseError, match=rule):
        dse.evaluate(network, chip)
    with pytest.raises(dse.DseError, match=rule):
        dse.evaluate_designs(network, chip, pd.DataFrame({"clock_hz": [1e8, 1e9]}))


def test_a_network_of_pooling_takes_the_time_of_its_bytes() -> None:
    found = dse.evaluate(Workload(name="pooling", layers=(POOL,)), dse.load_accelerator("flexible"))
    assert 0 < found.latency_s < math.inf
    assert math.isfinite(found.power_w)
