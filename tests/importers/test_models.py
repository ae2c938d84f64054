"""The models that the onnx package carries, against counts from onnx's own shape inference."""

import math
from importlib.resources import files

import onnx
import pytest
from onnx import helper, shape_inference

import dse
from dse.config.networks import network_values

LIGHT = sorted(
    path.name
    for path in files("onnx.backend.test.data").joinpath("light").iterdir()
    if path.name.endswith(".onnx")
)
"""Networks whose weights are constants of a known shape."""

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
