"""Each operator against onnx's own reference: with ones everywhere, outputs count the MACs."""

import numpy as np
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

from dse.config.workloads import workload_from
from dse.importers.onnx.network import Options, import_onnx
from tests.importers.graphs import Graph


def imported(folder, net, *outputs, sizes=None, **options):
    path = net.save(folder, *outputs)
    return import_onnx(path, sizes, Options(**options))


def network(folder, net, *outputs, **options):
    return workload_from(imported(folder, net, *outputs, **options).values)


def macs_of_ones(op, shapes, **attributes):
    """Run the operator with ones: each product adds one to the sum of its outputs."""
    if attributes.get("auto_pad") == "VALID":  # is no padding; onnx before 1.23 pads all the same
        del attributes["auto_pad"]
    names = [f"x{i}" for i in range(len(shapes))]
    net = Graph()
    for name, shape in zip(names, shapes, strict=True):
        net.input(name, shape)
    model = net.model(net.node(op, names, **attributes))
    feeds = {n: np.ones(s, np.float32) for n, s in zip(names, shapes, strict=True)}
    return int(ReferenceEvaluator(model).run(None, feeds)[0].sum())


PRODUCTS = [
    ("Conv", [2, 6, 9, 11], [4, 6, 3, 2], {}),
    ("Conv", [1, 6, 9, 11], [4, 3, 3, 2], {"group": 2}),
    ("Conv", [1, 6, 20, 11], [6, 1, 3, 2], {"group": 6, "dilations": [3, 2], "strides": [2, 1]}),
    ("Conv", [1, 5, 31], [4, 5, 7], {"strides": [3]}),
    ("Conv", [1, 5, 9, 9], [4, 5, 3, 3], {"auto_pad": "VALID", "strides": [2, 2]}),
    ("Conv", [2, 3, 5, 6, 7], [4, 3, 3, 2, 3], {"strides": [1, 2, 1]}),
    ("Conv", [1, 4, 5, 6, 9], [4, 2, 1, 3, 3], {"group": 2, "dilations": [1, 1, 2]}),
    ("ConvTranspose", [1, 5, 6, 7], [5, 4, 2, 3], {"strides": [2, 3]}),
    ("MatMul", [7, 5], [5, 3], {}),
    ("MatMul", [5], [5, 3], {}),
    ("MatMul", [7, 5], [5], {}),
    ("MatMul", [2, 4, 7, 5], [5, 3], {}),
    ("MatMul", [2, 4, 7, 5], [4, 5, 3], {}),
    ("MatMul", [2, 1, 7, 5], [4, 5, 3], {}),
    ("MatMul", [7, 5], [2, 4, 5, 3], {}),
    ("Gemm", [7, 5], [5, 3], {}),
    ("Gemm", [5, 7], [3, 5], {"transA": 1, "transB": 1}),
    ("Einsum", [2, 7, 5], [2, 5, 3], {"equation": "bij,bjk->bik"}),
    ("Einsum", [2, 7, 4, 5], [2, 9, 4, 5], {"equation": "bqhd,bkhd->bhqk"}),
    ("Einsum", [4, 5], [5, 3], {"equation": "ij,jk"}),
    ("Einsum", [4], [3], {"equation": "i,j->ij"}),
]


CASES = [
    (*case, place)
    for case in PRODUCTS
    for place in (0, 1, None)
    if place != 0 or "Conv" not in case[0]  # there the filter would be the only activation
]


@pytest.mark.parametrize(("op", "data", "weight", "attributes", "place"), CASES)
def test_macs_are_the_sum_of_outputs_over_ones(tmp_path, op, data, weight, attributes, place):
    """With the first, the second or no operand constant."""
    net = Graph()
    names = [
        net.weight(name, shape) if at == place else net.input(name, shape)
        for at, (name, shape) in enumerate((("a", data), ("b", weight)))
    ]
    made = network(tmp_path, net, net.node(op, names, **attributes))
    assert made.macs == macs_of_ones(op, [data, weight], **attributes)
    is_product = op in ("MatMul", "Gemm", "Einsum")
    assert any(x.weight_is_activation for x in made.layers) == (is_product and place is None)
    shape = {0: data, 1: weight}.get(place, weight)
    known = is_product and place is None
    assert made.weight_elements == (0 if known else np.prod(shape))


@pytest.mark.parametrize(("mode", "pad"), [("SAME_UPPER", 0), ("SAME_LOWER", 1)])
def test_automatic_padding_is_unequal(tmp_path, mode, pad):
    """Eight rows, three taps, stride two: one row of padding, below or above."""
    net = Graph()
    inputs = [net.input("x", [1, 3, 8, 8]), net.weight("w", [4, 3, 3, 3])]
    made = network(tmp_path, net, net.node("Conv", inputs, auto_pad=mode, strides=[2, 2]))
    (layer,) = made.layers
    assert (layer.oy, layer.iy, layer.pad_y, layer.pad_x) == (4, 8, pad, pad)


@pytest.mark.parametrize(("op", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrent_layers(tmp_path, op, gates, directions):
    steps, batch, into, hidden = 6, 1, 5, 4
    net = Graph()
    inputs = [net.input("x", [steps, batch, into])]
    inputs.append(net.weight("w", [directions, gates * hidden, into]))
    inputs.append(net.weight("r", [directions, gates * hidden, hidden]))
    inputs.append(net.weight("b", [directions, 2 * gates * hidden]))
    way = "bidirectional" if directions == 2 else "forward"
    made = network(tmp_path, net, net.node(op, inputs, hidden_size=hidden, direction=way))
    count = 0
    for _direction in range(directions):
        for _step in range(steps):
            for _gate in range(gates):
                count += hidden * into + hidden * hidden
    assert made.macs == count
    learned = directions * gates * hidden * (into + hidden + 2)
    assert made.weight_elements == learned
    assert sum(x.sequential for x in made.layers) == directions


def test_quantised_operands_have_the_bits_of_their_own_side(tmp_path):
    """Activations of 8 bits, weights of 4, the next layer reads 8 bits again."""
    net = Graph(opset=21)
    scale, zero = net.number("s", 1.0, np.float32), net.number("z", 0, np.uint8)
    x = net.input("x", [1, 3, 8, 8])
    x = net.node("DequantizeLinear", [net.node("QuantizeLinear", [x, scale, zero]), scale, zero])
    w = net.node("DequantizeLinear", [net.weight("w", [4, 3, 3, 3], "int4"), scale])
    x = net.node("Relu", [net.node("Conv", [x, w], name="first")])
    x = net.node("DequantizeLinear", [net.node("QuantizeLinear", [x, scale, zero]), scale, zero])
    x = net.node("Conv", [x, net.weight("v", [5, 4, 3, 3])], name="second")
    first, second = network(tmp_path, net, x).layers
    assert (first.input_bits, first.weight_bits, first.output_bits) == (8, 4, 8)
    assert (second.input_bits, second.weight_bits, second.output_bits) == (8, 32, 32)


def test_integer_products_have_their_types(tmp_path):
    net = Graph()
    x = net.input("x", [1, 6], "uint8")
    s, z = net.number("s", 1.0, np.float32), net.number("z", 0, np.uint8)
    w = net.weight("w", [6, 5], "int8")
    zw = net.number("zw", 0, np.int8)
    x = net.node("QLinearMatMul", [x, s, z, w, s, zw, s, z])
    x = net.node("MatMulInteger", [x, net.weight("v", [5, 4], "int8")])
    first, second = network(tmp_path, net, x).layers
    assert (first.input_bits, first.weight_bits, first.output_bits) == (8, 8, 8)
    assert (second.output_bits, second.macs) == (32, 20)


def test_quantised_convolution(tmp_path):
    net = Graph()
    s, z = net.number("s", 1.0, np.float32), net.number("z", 0, np.uint8)
    zw = net.number("zw", 0, np.int8)
    inputs = [net.input("x", [1, 3, 8, 8], "uint8"), s, z, net.weight("w", [4, 3, 3, 3], "int8")]
    inputs += [s, zw, s, z, net.weight("b", [4], "int32")]
    (layer,) = network(tmp_path, net, net.node("QLinearConv", inputs)).layers
    assert (layer.macs, layer.extra_parameters, layer.output_bits) == (36 * 4 * 27, 4, 8)


def test_a_convolution_over_four_dimensions_is_charged_its_bytes_and_said(tmp_path):
    net = Graph()
    inputs = [net.input("x", [1, 3, 8, 8, 8, 8]), net.weight("w", [4, 3, 3, 3, 3, 3])]
    found = imported(tmp_path, net, net.node("Conv", inputs, name="deep"))
    (missed,) = found.coverage["not_understood"]
    assert (missed["op"], missed["names"]) == ("Conv", ["deep"])
    assert (found.coverage["macs"], found.coverage["macs_modelled"]) == (1296 * 4 * 243, 0)
    (layer,) = workload_from(found.values).layers
    assert layer.input_elements == 3 * 4096 + 4 * 243
    assert layer.output_elements == 4 * 1296


def test_unknown_operator_is_listed_and_charged(tmp_path):
    net = Graph()
    x = net.input("x", [1, 8])
    x = net.dense(x, "fc", 8, 8)
    x = net.node("Frobnicate", [x], name="odd", domain="example.org")
    found = imported(tmp_path, net, x)
    (missed,) = found.coverage["not_understood"]
    assert (missed["op"], missed["count"]) == ("Frobnicate", 1)
    assert found.coverage["operators_share"] == 0.5
    assert found.coverage["bytes_share"] == pytest.approx((8 + 64 + 8) / (8 + 64 + 8 + 8 + 8))
    assert "Frobnicate" in found.values["notes"][0]


def test_pointwise_functions_are_done_as_outputs_leave(tmp_path):
    """SiLU reads its input twice; a sum of two maps, or a large constant, is a layer."""
    net = Graph()
    x = net.conv(net.input("x", [1, 3, 8, 8]), "conv", 4, 3, 3)
    x = net.node("Mul", [x, net.node("Sigmoid", [x])])
    y = net.node("Add", [x, net.number("half", 0.5, np.float32)])
    y = net.conv(y, "next", 4, 4, 1)
    y = net.node("Add", [y, x], name="sum")
    y = net.node("Add", [y, net.weight("map", [4, 6, 6])], name="position")
    made = network(tmp_path, net, y)
    assert [x.name for x in made.layers] == ["conv", "next", "sum", "position"]
    assert [x.input_elements for x in made.layers[2:]] == [288, 288]
    assert made.layers[3].extra_parameters == 144


def test_pointwise_of_two_orders_of_one_map_is_a_layer(tmp_path):
    net = Graph()
    x = net.dense(net.input("x", [6, 6]), "fc", 6, 6)
    y = net.node("Add", [x, net.node("Transpose", [x], perm=[1, 0])], name="symmetric")
    assert [z.name for z in network(tmp_path, net, y).layers] == ["fc", "symmetric"]


@pytest.mark.parametrize("is_charged", [False, True])
def test_copies_are_free_or_charged(tmp_path, is_charged):
    net = Graph()
    x = net.conv(net.input("x", [1, 3, 8, 8]), "a", 4, 3, 1)
    x = net.node("Concat", [x, net.node("Transpose", [x], perm=[0, 1, 3, 2])], axis=1)
    made = network(tmp_path, net, net.conv(x, "b", 4, 8, 1), are_copies_charged=is_charged)
    copies = [x.output_elements for x in made.layers if x.op == "copy"]
    assert copies == ([256, 512] if is_charged else [])


def test_embedding_reads_only_the_rows_used(tmp_path):
    net = Graph()
    ids = net.input("ids", [1, 7], "int64")
    (layer,) = network(tmp_path, net, net.node("Gather", [net.weight("t", [999, 16]), ids])).layers
    assert (layer.op, layer.input_elements, layer.output_elements) == ("embedding", 112, 112)
    assert layer.extra_parameters == 999 * 16


def test_shape_arithmetic_is_folded(tmp_path):
    """Flatten as exporters write it for a dynamic batch."""
    net = Graph()
    x = net.conv(net.input("x", ["n", 3, 8, 8]), "a", 4, 3, 1)
    size = net.node("Gather", [net.node("Shape", [x]), net.number("first", 0)])
    size = net.node("Unsqueeze", [size, net.number("axis", [0])])
    shape = net.node("Concat", [size, net.number("rest", [-1])], axis=0)
    x = net.dense(net.node("Reshape", [x, shape]), "fc", 10, 256)
    assert network(tmp_path, net, x).layers[-1].c == 256


def test_dynamic_dimensions_are_set_by_name(tmp_path):
    net = Graph()
    x = net.node("MatMul", [net.input("x", ["batch", "len", 16]), net.weight("w", [16, 8])])
    made = workload_from(imported(tmp_path, net, x, sizes={"len": 12}).values)
    assert (made.layers[0].oy, made.with_batch(3).layers[0].b) == (12, 3)


def _loop(net, trips, body_nodes, weight):
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["still"]), *body_nodes],
        "body",
        [
            helper.make_tensor_value_info("i", 7, []),
            helper.make_tensor_value_info("on", 9, []),
            helper.make_tensor_value_info("h", 1, [1, 8]),
        ],
        [
            helper.make_tensor_value_info("still", 9, []),
            helper.make_tensor_value_info("h2", 1, None),
        ],
        [],
    )
    condition = net.number("true", True, np.bool_)
    return net.node("Loop", [trips, condition, "x"], body=body, name="loop"), weight


def test_loop_repeats_its_layers_with_one_set_of_weights(tmp_path):
    net = Graph()
    net.input("x", [1, 8])
    weight = net.weight("w", [8, 8])
    nodes = [helper.make_node("MatMul", ["h", weight], ["h2"], name="step")]
    out, _ = _loop(net, net.number("trips", 5), nodes, weight)
    made = network(tmp_path, net, out)
    (layer,) = made.layers
    assert (layer.repeat, layer.sequential, made.macs) == (5, True, 5 * 64)
    assert made.weight_elements == 64


def test_loop_whose_trips_are_data_is_counted_once_and_said(tmp_path):
    net = Graph()
    net.input("x", [1, 8])
    weight = net.weight("w", [8, 8])
    nodes = [helper.make_node("MatMul", ["h", weight], ["h2"], name="step")]
    out, _ = _loop(net, net.input("trips", [], "int64"), nodes, weight)
    found = imported(tmp_path, net, out)
    assert (found.coverage["macs"], found.coverage["macs_modelled"]) == (64, 0)
    assert "Trips decided by the data" in found.values["notes"][0]


@pytest.mark.parametrize("taken", [True, False])
def test_if_with_a_known_condition_is_its_branch(tmp_path, taken):
    net = Graph()
    net.input("x", [1, 8])
    branches = []
    for width in (3, 5):
        weight = net.weight(f"w{width}", [8, width])
        node = helper.make_node("MatMul", ["x", weight], ["y"], name=f"m{width}")
        info = helper.make_tensor_value_info("y", 1, None)
        branches.append(helper.make_graph([node], "branch", [], [info]))
    condition = net.number("c", taken, np.bool_)
    out = net.node("If", [condition], then_branch=branches[0], else_branch=branches[1])
    assert network(tmp_path, net, out).macs == 8 * (3 if taken else 5)


def test_functions_of_the_file_are_walked_with_their_attributes(tmp_path):
    net = Graph()
    x, w = net.input("x", [1, 3, 8, 8]), net.weight("w", [4, 3, 3, 3])
    inner = helper.make_node("Conv", ["a", "b"], ["c"], name="inner")
    strides = inner.attribute.add(name="strides", ref_attr_name="steps", type=7)
    assert strides.ref_attr_name == "steps"
    function = helper.make_function(
        "own", "Block", ["a", "b"], ["c"], [inner], [helper.make_opsetid("", 17)], ["steps"]
    )
    net.functions.append(function)
    made = network(tmp_path, net, net.node("Block", [x, w], domain="own", steps=[2, 2]))
    assert (made.layers[0].oy, made.layers[0].stride_y) == (3, 2)


def test_attention_of_the_standard_and_of_contrib_agree(tmp_path):
    """Two key-value heads for four heads; five tokens that attend to themselves and seven."""
    net = Graph(opset=23)
    q = net.input("q", [1, 4, 5, 8])
    k, v = net.input("k", [1, 2, 5, 8]), net.input("v", [1, 2, 5, 8])
    past = [net.input("pk", [1, 2, 7, 8]), net.input("pv", [1, 2, 7, 8])]
    outputs = ["y", "present_k", "present_v"]
    net.node("Attention", [q, k, v, "", *past], outputs=outputs)
    standard = network(tmp_path, net, "y")
    net = Graph()
    q, k, v = net.input("q", [1, 5, 32]), net.input("k", [1, 5, 16]), net.input("v", [1, 5, 16])
    past = [net.input("pk", [1, 2, 7, 8]), net.input("pv", [1, 2, 7, 8])]
    y = net.node(
        "GroupQueryAttention",
        [q, k, v, *past],
        domain="com.microsoft",
        num_heads=4,
        kv_num_heads=2,
    )
    contrib = network(tmp_path, net, y)
    count = sum(1 for _head in range(4) for _token in range(5) for _seen in range(12)) * 8
    for made in (standard, contrib):
        assert made.macs == 2 * count
        assert [x.op for x in made.layers] == ["mac", "softmax", "mac"]
        assert [x.g for x in made.layers[::2]] == [2, 2]


def test_weights_that_are_inputs_are_weights(tmp_path):
    """A file without weights: by its readers, or as the user says."""
    net = Graph()
    x, w = net.input("x", [1, 3, 8, 8]), net.input("w", [4, 3, 3, 3])
    assert network(tmp_path, net, net.node("Conv", [x, w])).weight_elements == 108
    net = Graph()
    product = net.node("MatMul", [net.input("x", [5, 4]), net.input("w", [4, 3])])
    assert network(tmp_path, net, product).layers[0].weight_is_activation
    assert network(tmp_path, net, product, inputs=("x",)).weight_elements == 12


def _spelt_norm(net, x, width):
    """Return a layer norm as exporters before opset 17 write it."""
    away = net.node("Sub", [x, net.node("ReduceMean", [x], axes=[-1])])
    square = net.node("Pow", [away, net.number(f"two{width}", 2.0, np.float32)])
    spread = net.node("ReduceMean", [square], axes=[-1])
    little = net.number(f"eps{width}", 1e-5, np.float32)
    root = net.node("Sqrt", [net.node("Add", [spread, little])])
    y = net.node("Mul", [net.node("Div", [away, root]), net.weight(f"g{width}", [width])])
    return net.node("Add", [y, net.weight(f"b{width}", [width])])


def test_a_norm_that_is_spelt_out_is_one_layer(tmp_path):
    net = Graph(opset=13)
    x = net.dense(net.input("x", [6, 8]), "fc", 8, 8)
    x = net.dense(_spelt_norm(net, x, 8), "next", 4, 8)
    made = network(tmp_path, net, x)
    assert [x.op for x in made.layers] == ["mac", "layer_norm", "mac"]
    norm = made.layers[1]
    assert (norm.input_elements, norm.output_elements, norm.extra_parameters) == (48, 48, 16)


def test_two_norms_in_a_row_are_two_layers(tmp_path):
    net = Graph(opset=13)
    x = net.dense(net.input("x", [6, 8]), "fc", 8, 8)
    x = net.node("Relu", [_spelt_norm(net, x, 8)])
    away = net.node("Sub", [x, net.node("ReduceMean", [x], axes=[-1])])
    made = network(tmp_path, net, away)
    assert [x.op for x in made.layers] == ["mac", "layer_norm", "layer_norm"]


def test_a_softmax_and_an_rms_norm_that_are_spelt_out(tmp_path):
    net = Graph(opset=13)
    x = net.dense(net.input("x", [6, 8]), "fc", 8, 8)
    mean = net.node("ReduceMean", [net.node("Mul", [x, x])], axes=[-1])
    x = net.node("Mul", [x, net.node("Reciprocal", [net.node("Sqrt", [mean])])])
    x = net.dense(x, "scores", 8, 8)
    powers = net.node("Exp", [net.node("Sub", [x, net.node("ReduceMax", [x], axes=[-1])])])
    total = net.node("ReduceSum", [powers, net.number("last", [-1])])
    made = network(tmp_path, net, net.node("Div", [powers, total]))
    assert [x.op for x in made.layers] == ["mac", "layer_norm", "mac", "softmax"]


def test_a_statistic_that_is_used_otherwise_is_a_layer(tmp_path):
    """The mean of each row feeds a product, or is an output."""
    net = Graph(opset=13)
    x = net.dense(net.input("x", [6, 8]), "fc", 8, 8)
    mean = net.node("ReduceMean", [x], axes=[-1], name="mean")
    made = network(tmp_path, net, net.dense(mean, "next", 4, 1), mean)
    assert [x.op for x in made.layers] == ["mac", "pool", "mac"]
    assert (made.layers[1].input_elements, made.layers[1].output_elements) == (48, 6)
    net.nodes.pop()
    assert [x.op for x in network(tmp_path, net, mean).layers] == ["mac", "pool"]


@pytest.mark.parametrize("mode", ["NOTSET", "SAME_UPPER"])
def test_fused_convolution_of_contrib_is_that_of_the_standard(tmp_path, mode):
    made = []
    for op, domain in (("Conv", ""), ("FusedConv", "com.microsoft")):
        net = Graph()
        inputs = [net.input("x", [1, 3, 17, 12]), net.weight("w", [4, 3, 3, 2])]
        pads = {"pads": [1, 0, 2, 1]} if mode == "NOTSET" else {"auto_pad": mode}
        x = net.node(op, inputs, domain=domain, name="c", strides=[2, 3], **pads)
        made.append(network(tmp_path, net, x))
    assert made[0] == made[1]


def test_projected_attention_of_contrib(tmp_path):
    """Three projections of 32 channels, then four heads of eight over six tokens."""
    net = Graph()
    inputs = [net.input("x", [1, 6, 32]), net.weight("w", [32, 96]), net.weight("b", [96])]
    made = network(
        tmp_path, net, net.node("Attention", inputs, domain="com.microsoft", num_heads=4)
    )
    assert made.macs == 6 * 32 * 96 + 2 * 4 * 6 * 6 * 8
    assert made.weight_elements == 32 * 96 + 96
    assert [x.op for x in made.layers] == ["mac", "mac", "softmax", "mac"]


def test_weights_in_blocks_of_four_bits(tmp_path):
    net = Graph()
    inputs = [net.input("x", [1, 6, 32]), net.weight("w", [8, 1, 16], "uint8")]
    inputs.append(net.weight("s", [8]))
    x = net.node("MatMulNBits", inputs, domain="com.microsoft", K=32, N=8, bits=4, block_size=32)
    (layer,) = network(tmp_path, net, x).layers
    assert (layer.oy, layer.k, layer.c, layer.weight_bits) == (6, 8, 32, 4)
    assert layer.parameters == 256


def test_scan_repeats_its_layers(tmp_path):
    net = Graph()
    net.input("x", [5, 1, 8])
    net.input("h", [1, 8])
    weight = net.weight("w", [8, 8])
    nodes = [helper.make_node("MatMul", ["s", weight], ["m"], name="step")]
    nodes.append(helper.make_node("Add", ["m", "e"], ["t"], name="sum"))
    nodes.append(helper.make_node("Identity", ["t"], ["u"]))
    infos = [helper.make_tensor_value_info(n, 1, [1, 8]) for n in ("s", "e")]
    results = [helper.make_tensor_value_info(n, 1, None) for n in ("t", "u")]
    body = helper.make_graph(nodes, "body", infos, results)
    net.node("Scan", ["h", "x"], outputs=["last", "all"], body=body, num_scan_inputs=1)
    last = net.node("MatMul", ["all", net.weight("v", [8, 4])], name="fc")
    made = network(tmp_path, net, last)
    assert [(x.name, x.repeat) for x in made.layers] == [("step", 5), ("sum", 5), ("fc", 1)]
    assert made.layers[2].oy == 5
