"""What leaves a network though others read it: it is written, and no pool or addition hides it."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto as Types
from onnx import helper

import dse
from dse.config.workloads import workload_from
from dse.network.as_run import layer_runs
from dse.network.tensors import tensors_of

FLEXIBLE = dse.load_accelerator("flexible")


def chain(**more):
    layers = [
        {"name": "first", "k": 8, "c": 8, "oy": 8, "ox": 8},
        {"name": "second", "k": 8, "c": 8, "oy": 8, "ox": 8, "reads": ["first"]},
    ]
    return workload_from({"name": "two", "layers": layers} | more)


@pytest.mark.parametrize("results", [[], ["first"]])
def test_a_result_that_is_read_does_not_stay(results) -> None:
    network = chain(results=results)
    tensors = tensors_of(network, layer_runs(network, FLEXIBLE))
    assert [x.may_stay for x in tensors] == [not results, False]


def test_a_result_is_a_layer() -> None:
    with pytest.raises(dse.DseError, match="layers in results:"):
        chain(results=["third"])


def test_outputs_of_a_file_that_are_read_are_results(tmp_path: Path) -> None:
    weights = [
        helper.make_tensor(name, Types.FLOAT, (8, 8, 1, 1), np.ones(64, np.float32))
        for name in ("w1", "w2")
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["middle"], name="first"),
        helper.make_node("Conv", ["middle", "w2"], ["last"], name="second"),
    ]
    shape = (1, 8, 8, 8)
    given, *outputs = [
        helper.make_tensor_value_info(name, Types.FLOAT, shape) for name in ("x", "middle", "last")
    ]
    graph = helper.make_graph(nodes, "two", [given], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, tmp_path / "two.onnx")
    network = dse.load_workload(tmp_path / "two.onnx")
    assert network.results == ("first",)
    assert dse.load_workload(tmp_path / "two.onnx", batch=4).results == ("first",)
