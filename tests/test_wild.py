"""Files that packages ship: the stored table holds what it must, and its count is a count."""

from types import SimpleNamespace

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from dse.importers.onnx.network import import_onnx
from experiments.comparison import FOLDER
from experiments.wild import summary
from experiments.wild_counts import counted_macs
from tests.importers.graphs import Graph


class Session:
    """What the count uses of ONNX Runtime, by onnx's own reference."""

    def __init__(self, data, options):
        self.model = onnx.load_model_from_string(data)
        for value in self.model.graph.output:
            value.type.CopyFrom(helper.make_tensor_type_proto(1, None))
        self.runner = ReferenceEvaluator(self.model)

    def get_inputs(self):
        return self.model.graph.input

    def run(self, names, feeds):
        return self.runner.run(names, feeds)


RUNTIME = SimpleNamespace(
    InferenceSession=Session,
    SessionOptions=SimpleNamespace,
    GraphOptimizationLevel=SimpleNamespace(ORT_DISABLE_ALL=0),
)


def numbers(net, name, shape):
    return net.number(name, np.ones(shape), np.float32)


def products():
    """Return a graph with a product of each kind that exporters write most."""
    net = Graph()
    x = net.input("x", ["batch", 3, "height", 9])
    x = net.node("Conv", [x, numbers(net, "w", [4, 3, 3, 3])], strides=[2, 1])
    x = net.node("ConvTranspose", [x, numbers(net, "u", [4, 2, 3, 2])], strides=[2, 1])
    x = net.node("Reshape", [x, net.number("shape", [-1, 8])])
    x = net.node("Gemm", [x, numbers(net, "g", [5, 8])], transB=1)
    left = net.node("Einsum", [x, numbers(net, "e", [5, 6])], equation="ij,jk->ik")
    return net, net.node("MatMul", [left, numbers(net, "m", [6, 7])])


def test_the_count_of_shapes_that_ran_is_that_of_the_importer(tmp_path):
    net, out = products()
    path, sizes = net.save(tmp_path, out), {"height": 11}
    assert counted_macs(path, sizes, RUNTIME) == import_onnx(path, sizes).coverage["macs"] > 0


@pytest.mark.parametrize("rate", [16000, 8000])
def test_the_branch_that_is_taken_counts(tmp_path, rate):
    net = Graph()
    net.input("x", [1, 8])
    equal = net.node("Equal", [net.input("sr", [], "int64"), net.number("k", 16000)])
    numbers(net, "a", [8, 16])
    numbers(net, "b", [8, 32])
    graphs = [
        helper.make_graph(
            [helper.make_node("MatMul", ["x", name], [f"{name}_out"])],
            name,
            [],
            [helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, None)],
        )
        for name in ("a", "b")
    ]
    out = net.node("If", [equal], then_branch=graphs[0], else_branch=graphs[1])
    path, sizes = net.save(tmp_path, out), {"sr": rate}
    expected = 8 * (16 if rate == 16000 else 32)
    assert counted_macs(path, sizes, RUNTIME) == expected
    assert import_onnx(path, sizes).coverage["macs"] == expected


def test_sixty_files_of_twenty_five_packages_have_the_macs_that_were_counted():
    table = pd.read_csv(FOLDER / "wild.csv")
    assert len(table) >= 60
    assert table["package"].nunique() >= 25
    assert (table["macs"] == table["counted_macs"]).all()
    assert (table["macs_share"] >= 0.95).all()
    assert (table["bytes_share"] >= 0.95).all()
    assert (table["latency_s"] > 0).all()
    assert (FOLDER / "wild.md").read_text(encoding="utf-8") == summary(table)
