"""Files where onnx infers no type or shape, or a wrong one: the walk goes on, by own rules."""

import numpy as np
import pytest

from tests.importers.graphs import Graph
from tests.importers.test_operators import imported, network


def test_a_quantised_operator_writes_what_it_reads(tmp_path):
    """What quantisation in QOperator form writes for a residual addition."""
    net = Graph()
    x = net.input("x", [1, 16, 20, 20])
    s, z = net.number("s", 0.1, np.float32), net.number("z", 1, np.uint8)
    q = net.node("QuantizeLinear", [x, s, z])
    r = net.node("QLinearAdd", [q, s, z, q, s, z, s, z], domain="com.microsoft")
    o = net.node("QLinearConv", [r, s, z, net.weight("w", [8, 16, 3, 3], "uint8"), s, z, s, z])
    found = network(tmp_path, net, net.node("DequantizeLinear", [o, s, z]))
    conv = found.layers[-1]
    assert (found.macs, found.weight_elements) == (373_248, 1_152)
    assert (conv.input_bits, conv.weight_bits) == (8, 8)


@pytest.mark.parametrize("opset", [12, 14, 17])
def test_a_comparison_that_is_a_function_has_a_shape(tmp_path, opset):
    net = Graph(opset=opset)
    x, half = net.input("x", [1, 16, 20, 20]), net.number("c", 0.5, np.float32)
    mask = net.node("GreaterOrEqual", [x, half])
    y = net.conv(net.node("Where", [mask, x, half]), "conv", 8, 16, 3, bias=False)
    found = imported(tmp_path, net, y)
    assert found.coverage["macs_modelled"] == 373_248
    assert not found.coverage["not_understood"]


@pytest.mark.parametrize(
    ("op", "inputs", "attributes"),
    [
        ("GroupNormalization", ["x", "scale", "scale"], {"num_groups": 4}),
        ("MeanVarianceNormalization", ["x"], {}),
    ],
)
def test_a_norm_that_is_a_function_keeps_its_shape(tmp_path, op, inputs, attributes):
    net = Graph(opset=21)
    net.input("x", [1, 16, 20, 20])
    net.weight("scale", [16])
    y = net.conv(net.node(op, inputs, **attributes), "conv", 8, 16, 3)
    assert imported(tmp_path, net, y).coverage["macs_share"] == 1
    assert network(tmp_path, net, y).macs == 373_248


def test_a_quantised_lstm_is_an_lstm(tmp_path):
    """What dynamic quantisation writes: matrices the other way round, of eight bits."""
    net = Graph()
    net.input("x", [40, 1, 64])
    inputs = ["x", net.weight("w", [1, 64, 128], "int8"), net.weight("r", [1, 32, 128], "int8")]
    scale, zero = net.number("s", [1.0], np.float32), net.number("z", [0], np.int8)
    inputs += [""] * 5 + [scale, zero, scale, zero]
    u = net.node("DynamicQuantizeLSTM", inputs, domain="com.microsoft", hidden_size=32)
    z = net.node("Squeeze", [u, net.number("axis", [1])])
    found = network(tmp_path, net, net.node("MatMul", [z, net.weight("out", [32, 1000])]))
    assert found.macs == 40 * 128 * (64 + 32) + 40 * 32 * 1000 == 1_771_520
    assert [layer.weight_bits for layer in found.layers] == [8, 8, 32]


def test_after_an_unknown_operator_the_walk_goes_on_and_says_what_it_takes(tmp_path):
    net = Graph()
    x = net.node("Frobnicate", [net.input("x", [4, 8])], name="odd", domain="example.org")
    found = imported(tmp_path, net, net.dense(x, "fc", 16, 8))
    assert found.coverage["macs"] == 4 * 8 * 16
    assert any("Shape not known" in x and "odd (Frobnicate)" in x for x in found.values["notes"])


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("attributes", [{}, {"output_padding": [1, 1]}])
def test_a_transposed_convolution_padded_the_same_is_input_times_stride(
    tmp_path, auto_pad, attributes
):
    """By the specification of ConvTranspose; onnx infers one more row (onnx issue 4299)."""
    net = Graph(opset=13)
    inputs = [net.input("x", [1, 8, 16, 16]), net.weight("w", [8, 4, 3, 3])]
    attributes |= {"strides": [2, 2], "auto_pad": auto_pad, "kernel_shape": [3, 3]}
    found = network(tmp_path, net, net.node("ConvTranspose", inputs, **attributes))
    assert sum(layer.map_elements for layer in found.layers) == 4 * 32 * 32
    assert found.macs == 16 * 16 * 9 * 8 * 4


@pytest.mark.parametrize("opset", [11, 17])
def test_a_squeeze_that_names_no_axes_drops_all_of_one(tmp_path, opset):
    net = Graph(opset=opset)
    y = net.node("Squeeze", [net.input("x", [1, 5, 1, 8])])
    found = imported(tmp_path, net, net.node("MatMul", [y, net.weight("w", [8, 3])]))
    assert found.coverage["macs_modelled"] == 5 * 8 * 3


def test_weights_behind_a_cast_keep_their_width(tmp_path):
    net = Graph()
    x = net.input("x", [1, 64])
    wide = net.node("Cast", [net.weight("w", [64, 32], "half")], to=1)
    found = network(tmp_path, net, net.node("MatMul", [x, wide]))
    assert (found.layers[0].weight_bits, found.layers[0].input_bits) == (16, 32)


def test_sequences_hold_their_tensors(tmp_path):
    """Split into two, the first part through a product, joined again, and counted."""
    net = Graph()
    parts = net.node("SplitToSequence", [net.input("x", [8, 6]), net.number("n", 4)], axis=0)
    first = net.node("SequenceAt", [parts, net.number("zero", 0)])
    y = net.node("MatMul", [first, net.weight("w", [6, 6])])
    more = net.node("SequenceInsert", [parts, y])
    joined = net.node("ConcatFromSequence", [more], axis=0)
    length = net.node("SequenceLength", [more])
    shape = net.node("Concat", [net.node("Unsqueeze", [length, net.number("axes", [0])]),
                                net.number("rest", [4, 6])], axis=0)  # fmt: skip
    z = net.node("MatMul", [net.node("Reshape", [joined, shape]), net.weight("w2", [6, 10])])
    found = imported(tmp_path, net, z)
    assert not found.coverage["not_understood"]
    assert found.coverage["macs"] == 4 * 6 * 6 + 3 * 4 * 6 * 10


@pytest.mark.parametrize(
    ("op", "rows"), [("NonMaxSuppression", 2 * 5), ("NonZero", 2 * 30 * 2), ("Unique", 120)]
)
def test_what_the_data_decide_is_counted_at_its_most(tmp_path, op, rows):
    net = Graph()
    boxes = net.input("boxes", [1, 30, 4]) if op != "NonZero" else net.input("m", [2, 30, 2])
    inputs, into = [boxes], 3
    if op == "NonMaxSuppression":
        inputs += [net.input("scores", [1, 2, 30]), net.number("most", [5])]
    y = net.node(op, inputs, name="found")
    y = net.node("Cast", [y], to=1)
    if op == "Unique":
        y, into = net.node("Unsqueeze", [y, net.number("axes", [1])]), 1
    if op == "NonZero":
        y = net.node("Transpose", [y], perm=[1, 0])
    found = imported(tmp_path, net, net.node("MatMul", [y, net.weight("w", [into, 7])]))
    assert found.coverage["macs"] == rows * into * 7
    assert any("decided by the data" in x for x in found.values["notes"])
