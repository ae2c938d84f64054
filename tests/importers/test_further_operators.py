"""Volumes, transforms, and the operators that came last: each with a count by its definition."""

from math import prod

import numpy as np
import pytest
from onnx import defs, helper

from dse.importers.onnx.control import GRAPHS
from dse.importers.onnx.operators.table import NEVER_RUN, handler
from tests.importers.graphs import Graph
from tests.importers.test_operators import imported, network


def test_every_standard_operator_has_a_handler_or_is_listed():
    named = {*NEVER_RUN, *GRAPHS, "Constant", "Shape", "Size"}
    missing = {x.name for x in defs.get_all_schemas() if x.domain == "" and not x.deprecated}
    assert {x for x in missing if handler("", x) is None} <= named
    assert not [x for x in NEVER_RUN if handler("", x)]


def _volume(tmp_path, op, data, weight, **attributes):
    net = Graph()
    inputs = [net.input("x", data), net.weight("w", weight)]
    return network(tmp_path, net, net.node(op, inputs, **attributes))


def test_a_convolution_over_three_dimensions(tmp_path):
    """884,736 = 16^3 outputs x 8 kernels x 27 taps, those on padding included."""
    found = _volume(tmp_path, "Conv", [1, 1, 16, 16, 16], [8, 1, 3, 3, 3], pads=[1] * 6)
    assert (found.macs, found.weight_elements) == (884_736, 216)
    assert found.layers[0].map_elements == 8 * 16**3
    assert found.with_batch(3).macs == 3 * 884_736


@pytest.mark.parametrize(
    ("taps", "strides"),
    [
        ([1, 3, 3], [1, 1, 1]),
        ([3, 1, 1], [1, 1, 1]),
        ([2, 2, 2], [2, 2, 2]),
        ([3, 3, 1], [1, 2, 1]),
    ],
)
def test_where_windows_of_one_axis_do_not_overlap_all_counts_are_exact(tmp_path, taps, strides):
    found = _volume(tmp_path, "Conv", [1, 4, 8, 8, 8], [6, 4, *taps], strides=strides)
    (layer,) = found.layers
    out = [(8 - f) // s + 1 for f, s in zip(taps, strides, strict=True)]
    assert layer.macs == prod(out) * 6 * 4 * prod(taps)
    assert layer.b * layer.c * layer.iy * layer.ix == 4 * 8**3
    assert layer.map_elements == 6 * prod(out)
    assert not found.notes


@pytest.mark.parametrize("strides", [[1, 1, 1], [2, 2, 2], [1, 2, 3], [3, 1, 2]])
@pytest.mark.parametrize("taps", [[3, 3, 3], [2, 3, 4], [1, 2, 2]])
def test_a_transposed_convolution_over_three_dimensions(tmp_path, taps, strides):
    """Each output meets the taps of its phase, those beyond the borders included."""
    data, weight = [2, 3, 4, 5, 6], [3, 5, *taps]
    found = _volume(tmp_path, "ConvTranspose", data, weight, strides=strides)
    outputs = [(n - 1) * s + f for n, f, s in zip(data[2:], taps, strides, strict=True)]
    met = [
        sum((o - f) % s == 0 for o in range(out) for f in range(count))
        for out, count, s in zip(outputs, taps, strides, strict=True)
    ]
    assert found.macs == 2 * 3 * 5 * prod(met)
    if all(s >= f for s, f in zip(strides, taps, strict=True)):  # no output meets two inputs
        assert found.macs == 2 * 3 * 5 * prod(data[2:]) * prod(taps)
    assert found.weight_elements == prod(weight)


def test_a_deformable_convolution_has_the_products_of_a_plain_one(tmp_path):
    net = Graph(opset=19)
    inputs = [net.input("x", [1, 64, 28, 28]), net.weight("w", [64, 64, 3, 3])]
    inputs += [net.input("offsets", [1, 18, 28, 28])]
    y = net.node("DeformConv", inputs, kernel_shape=[3, 3], pads=[1] * 4)
    found = imported(tmp_path, net, y)
    assert (found.coverage["macs"], found.coverage["macs_share"]) == (28_901_376, 1)
    assert sum(x.input_elements for x in network(tmp_path, net, y).layers) == 18 * 28 * 28


@pytest.mark.parametrize("op", ["DFT", "STFT"])
def test_a_fourier_transform_is_a_product_with_cosines_and_sines(tmp_path, op):
    net = Graph()
    if op == "DFT":
        y = net.node("DFT", [net.input("x", [2, 64, 1])], axis=1, onesided=1)
        macs = 2 * 64 * 33 * 2
    else:
        window = net.node("HannWindow", [net.number("n", 64)])
        inputs = [net.input("x", [2, 256, 1]), net.number("step", 32), window]
        y = net.node("STFT", inputs, onesided=1)
        macs = 2 * 7 * 64 * 33 * 2
    found = network(tmp_path, net, y)
    assert (found.macs, found.weight_elements) == (macs, 0)


def test_a_causal_convolution_and_linear_attention(tmp_path):
    net = Graph(opset=27)
    x = net.input("x", [1, 32, 10])
    y = net.node("CausalConvWithState", [x, net.weight("w", [32, 1, 4])], outputs=["y", "last"])
    assert network(tmp_path, net, y).macs == 10 * 32 * 4
    net = Graph(opset=27)
    names = [net.input("q", [1, 10, 64]), net.input("k", [1, 10, 32]), net.input("v", [1, 10, 32])]
    heads = {"q_num_heads": 4, "kv_num_heads": 2, "update_rule": "linear"}
    y = net.node("LinearAttention", names, outputs=["y", "state"], **heads)
    assert network(tmp_path, net, y).macs == 10 * 2 * 16 * 16 + 10 * 4 * 16 * 16


def test_channels_last_of_contrib(tmp_path):
    net = Graph()
    s, z = net.number("s", 0.1, np.float32), net.number("z", 1, np.uint8)
    inputs = [net.input("x", [1, 9, 11, 6], "uint8"), s, z, net.weight("w", [4, 6, 3, 3], "uint8")]
    y = net.node("QLinearConv", [*inputs, s, z, s, z], domain="com.microsoft", channels_last=1)
    (layer,) = network(tmp_path, net, y).layers
    assert (layer.macs, layer.iy, layer.ix) == (7 * 9 * 4 * 6 * 9, 9, 11)


@pytest.mark.parametrize(
    ("op", "shapes", "attributes", "macs"),
    [
        ("FusedMatMulActivation", ([2, 5], [5, 3]), {"activation": "Relu"}, 30),
        ("TransposeMatMul", ([5, 2], [5, 3]), {"transA": 1}, 30),
        ("GemmFastGelu", ([2, 5], [5, 3]), {}, 30),
    ],
)
def test_products_that_an_optimiser_fused(tmp_path, op, shapes, attributes, macs):
    net = Graph()
    inputs = [net.input("x", shapes[0]), net.weight("w", shapes[1])]
    y = net.node(op, inputs, domain="com.microsoft", **attributes)
    found = imported(tmp_path, net, net.node("MatMul", [y, net.weight("v", [3, 7])]))
    assert found.coverage["macs_modelled"] == macs + 2 * 3 * 7


def test_batches_between_rows_and_columns(tmp_path):
    """What fuses a transposition into a product: rows stand before the batch."""
    net = Graph()
    names = [net.input("a", [7, 4, 5]), net.input("b", [9, 4, 5])]
    attributes = {"transBatchA": 1, "transBatchB": 1, "transB": 1}
    y = net.node("FusedMatMul", names, domain="com.microsoft", **attributes)
    found = imported(tmp_path, net, net.node("MatMul", [y, net.weight("w", [9, 3])]))
    assert found.coverage["macs_modelled"] == 4 * 7 * 5 * 9 + 4 * 7 * 9 * 3


def test_blocked_maps_of_an_optimiser(tmp_path):
    """Three channels filled up to eight, back to six, a pool between; the file is so."""
    net = Graph()
    blocked = {"domain": "com.microsoft.nchwc"}
    x = net.node("ReorderInput", [net.input("x", [1, 3, 16, 16])], **blocked)
    inputs = [x, net.weight("w", [8, 8, 3, 3]), net.weight("b", [8])]
    x = net.node("Conv", inputs, kernel_shape=[3, 3], **blocked)
    x = net.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2], **blocked)
    depthwise = [x, net.weight("d", [8, 1, 3, 3])]
    x = net.node("Conv", depthwise, kernel_shape=[3, 3], group=6, pads=[1] * 4, **blocked)
    x = net.node("ReorderOutput", [x], channels=6, **blocked)
    found = imported(tmp_path, net, net.conv(x, "plain", 4, 6, 1))
    macs = 14 * 14 * 8 * 8 * 9 + 7 * 7 * 8 * 9 + 7 * 7 * 4 * 6
    assert (found.coverage["macs_modelled"], found.coverage["macs_share"]) == (macs, 1)
    assert "filled up to whole blocks" in found.values["notes"][0]


@pytest.mark.parametrize(
    ("op", "attributes", "shape"),
    [
        ("QLinearAveragePool", {"kernel_shape": [3, 2], "strides": [2, 2]}, [1, 6, 4, 5]),
        ("QLinearAveragePool", {"kernel_shape": [2, 2], "channels_last": 1}, [1, 5, 8, 11]),
        ("NhwcMaxPool", {"kernel_shape": [3, 3], "strides": [3, 3]}, [1, 2, 3, 11]),
        ("QLinearReduceMean", {"axes": [2, 3]}, [1, 6, 1, 1]),
        ("QLinearReduceMean", {"axes": [-1], "keepdims": 0}, [1, 6, 9]),
    ],
)
def test_quantised_pools_have_a_shape(tmp_path, op, attributes, shape):
    net = Graph()
    s, z = net.number("s", 0.1, np.float32), net.number("z", 1, np.uint8)
    x = net.input("x", [1, 6, 9, 11], "uint8")
    inputs = [x] if op == "NhwcMaxPool" else [x, s, z, s, z]
    y = net.node(op, inputs, domain="com.microsoft", **attributes)
    y = net.node("DequantizeLinear", [y, s, z])
    found = imported(tmp_path, net, net.node("MatMul", [y, net.weight("w", [shape[-1], 7])]))
    assert found.coverage["macs_modelled"] == prod(shape) * 7


def test_experts_have_macs_that_are_known_and_not_modelled(tmp_path):
    net = Graph()
    inputs = [net.input("x", [10, 8]), net.input("p", [10, 4])]
    inputs += [net.weight("a", [4, 8, 32]), "", net.weight("b", [4, 32, 8])]
    found = imported(tmp_path, net, net.node("MoE", inputs, domain="com.microsoft", k=2))
    assert (found.coverage["macs"], found.coverage["macs_share"]) == (10 * 2 * 2 * 8 * 32, 0)


def test_classifiers_have_the_products_of_their_coefficients(tmp_path):
    net = Graph()
    net.domains["ai.onnx.ml"] = 3
    x = net.input("x", [5, 6])
    outputs = ["label", "scores"]
    attributes = {"coefficients": [0.5] * 18, "classlabels_ints": [0, 1, 2]}
    net.node("LinearClassifier", [x], outputs=outputs, domain="ai.onnx.ml", **attributes)
    net.domains["ai.onnx.ml"] = 3
    found = network(tmp_path, net, "scores")
    assert (found.macs, found.weight_elements) == (5 * 6 * 3, 18)


def test_support_vectors_are_a_product_and_a_sum(tmp_path):
    net = Graph()
    x = net.input("x", [5, 6])
    attributes = {"support_vectors": [0.5] * 24, "coefficients": [0.1] * 4, "n_supports": 4}
    y = net.node("SVMRegressor", [x], domain="ai.onnx.ml", **attributes)
    found = network(tmp_path, net, y)
    assert (found.macs, found.weight_elements) == (5 * 4 * 6 + 5 * 4, 28)


def test_a_map_over_a_sequence_repeats_its_body(tmp_path):
    net = Graph()
    parts = net.node("SplitToSequence", [net.input("x", [8, 6]), net.number("n", 2)], axis=0)
    net.weight("w", [6, 7])
    info = [helper.make_tensor_value_info(x, 1, None) for x in ("h", "h2")]
    body = [helper.make_node("MatMul", ["h", "w"], ["h2"], name="each")]
    graph = helper.make_graph(body, "body", [info[0]], [info[1]])
    made = net.node("SequenceMap", [parts], body=graph)
    y = net.node("ConcatFromSequence", [made], axis=0)
    found = imported(tmp_path, net, net.node("MatMul", [y, net.weight("v", [7, 3])]))
    assert found.coverage["macs_modelled"] == 8 * 6 * 7 + 8 * 7 * 3
