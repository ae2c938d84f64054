"""The models that the onnx package carries, against counts from onnx's own shape inference."""

import io
import math
import time
from importlib.resources import files

import onnx
import pytest
from onnx import helper, shape_inference

import dse
from dse.config.networks import network_values
from dse.importers.progress import ImportProgress
from tests.importers.graphs import Graph

LIGHT = sorted(
    path.name
    for path in files("onnx.backend.test.data").joinpath("light").iterdir()
    if path.name.endswith(".onnx")
)
"""Networks whose weights are constants of a known shape."""

LONGEST_S = 20.0  # two, on an idle machine
FLOAT = onnx.TensorProto.FLOAT
NORM_STATISTICS = {"BatchNormalization": (3, 4)}  # mean and variance are not learned


def light(name):
    return str(files("onnx.backend.test.data").joinpath("light").joinpath(name))


def counted(path):
    """Count MACs and parameters with onnx's shapes: a product for each output, row by row."""
    model = shape_inference.infer_shapes(onnx.load(path), data_prop=True)
    graph = model.graph
    shapes = {
        x.name: [d.dim_value for d in x.type.tensor_type.shape.dim]
        for x in (*graph.value_info, *graph.input, *graph.output)
    }
    read = {name for node in graph.node for name in node.input}
    floats = [x for x in graph.initializer if x.data_type == FLOAT and x.name in read]
    made = {x.name: math.prod(x.dims) for x in floats}
    constants = [x.output[0] for x in graph.node if x.op_type == "ConstantOfShape"]
    made |= {name: math.prod(shapes[name]) for name in constants}
    macs = 0
    for node in graph.node:
        for place in NORM_STATISTICS.get(node.op_type, ()):
            made.pop(node.input[place], None)
        if node.op_type == "Conv":
            _, into, *taps = shapes[node.input[1]]
            macs += math.prod(shapes[node.output[0]]) * into * math.prod(taps)
        if node.op_type == "Gemm":
            transposed = {x.name: helper.get_attribute_value(x) for x in node.attribute}["transB"]
            columns = shapes[node.input[1]][1 if transposed else 0]
            macs += math.prod(shapes[node.output[0]]) * columns
    return macs, sum(made.values())


@pytest.mark.parametrize("name", LIGHT)
def test_macs_and_parameters_equal_those_of_onnx(name):
    made = dse.load_workload(light(name), strict=True)
    assert (made.macs, made.weight_elements) == counted(light(name))


@pytest.mark.parametrize("name", LIGHT)
def test_everything_is_modelled_and_counted_once(name):
    coverage = network_values(light(name), {})["coverage"]
    assert coverage["operators"] == len(onnx.load(light(name)).graph.node)
    assert sum(coverage["operators_by_fate"].values()) == coverage["operators"]
    shares = [coverage[f"{key}_share"] for key in ("macs", "bytes", "operators")]
    assert (shares, coverage["not_understood"]) == ([1.0, 1.0, 1.0], [])


def test_resnet50_of_the_onnx_package_is_that_of_the_zoo():
    made, zoo = dse.load_workload(light("light_resnet50.onnx")), dse.load_workload("resnet50")
    assert made.macs == zoo.macs
    assert made.weight_elements == zoo.weight_elements


@pytest.mark.slow
def test_ten_thousand_nodes_take_seconds(tmp_path):
    net = Graph()
    x = net.input("x", ["batch", 64, 56, 56])
    for block in range(2500):
        y = net.norm(net.conv(x, f"conv{block}", 64, 64, 3, pad=1, bias=False), 64)
        x = net.node("Add", [net.node("Relu", [y]), x], name=f"sum{block}")
    path = net.save(tmp_path, x)
    started = time.process_time()
    made = dse.load_workload(path)
    assert time.process_time() - started < LONGEST_S
    assert made.macs == 2500 * 64 * 64 * 9 * 56 * 56


def test_progress_appears_after_two_seconds_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen, clock = Terminal(), [0.0]
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("tqdm.std.time", lambda: clock[0])
    progress = ImportProgress(total=100)
    for _ in range(50):
        progress.step()
    assert screen.getvalue() == ""
    clock[0] = 3.0
    for _ in range(49):
        progress.step()
    assert "import" in screen.getvalue()
    progress.close()
