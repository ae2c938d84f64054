"""Files of networks that are no text, each changed by chance: ONNX, .tflite and .gguf."""

import random
from pathlib import Path

from onnx import GraphProto, ModelProto, TensorProto, helper

from tests.importers.lite import Lite
from tests.importers.test_checkpoints import Q8_0, gguf


def changed_bytes(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if not changed:
            break
        place = chance.randrange(len(changed))
        how = chance.random()
        if how < 0.6:
            changed[place] = chance.randrange(256)
        elif how < 0.75:
            del changed[place : place + chance.randint(1, 40)]
        elif how < 0.9:
            changed[place:place] = changed[place : place + chance.randint(1, 40)]
        else:
            del changed[place:]
    return bytes(changed)


def _graph() -> ModelProto:
    """Return a convolution and a product as an ONNX file."""
    shapes = (("x", [1, 3, 8, 8]), ("w", [4, 3, 3, 3]), ("v", [144, 10]))
    inputs = [helper.make_tensor_value_info(x, TensorProto.FLOAT, size) for x, size in shapes]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv", kernel_shape=[3, 3]),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("Flatten", ["r"], ["f"], name="flat"),
        helper.make_node("MatMul", ["f", "v"], ["y"], name="product"),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph(nodes, "g", inputs, [output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


OPERATORS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum", "LSTM", "If", "Loop", "Reshape",
             "Softmax", "Pad", "Attention", "QLinearConv", "x", "")  # fmt: skip
SIZES = (0, -1, 1, 2, 3, 7, 2**31, 2**40, 2**62)


def _change_graph(chance: random.Random, graph: GraphProto) -> None:
    """Change a size, type, name, operator or attribute of a graph."""
    node = chance.choice(graph.node)
    kind = chance.choice([*graph.input, *graph.output]).type.tensor_type
    how = chance.randrange(7)
    if how == 0 and kind.shape.dim:
        chance.choice(kind.shape.dim).dim_value = chance.choice(SIZES)
    elif how == 1:
        kind.elem_type = chance.randrange(30)
    elif how == 2:
        node.op_type = chance.choice(OPERATORS)
    elif how == 3:
        names = [x for other in graph.node for x in (*other.input, *other.output)]
        node.input[chance.randrange(len(node.input))] = chance.choice([*names, "", "${oc.env:X}"])
    elif how == 4:
        name = chance.choice(("kernel_shape", "strides", "pads", "dilations", "group", "axis"))
        value = [chance.choice(SIZES) for _ in range(chance.randint(1, 5))]
        node.attribute.append(helper.make_attribute(name, chance.choice((value, value[0]))))
    elif how == 5:
        graph.node.append(node)
    elif len(graph.node) > 1:
        graph.node.remove(node)


def onnx_file(chance: random.Random, _: Path) -> list[str]:
    """Write a changed ONNX file; return the command that imports it."""
    model = _graph()
    for _ in range(chance.randint(1, 3)):
        _change_graph(chance, model.graph)
    data = model.SerializeToString()
    Path("n.onnx").write_bytes(changed_bytes(chance, data) if chance.random() < 0.2 else data)
    return ["task=import", "workload.path=n.onnx"]


def _small(folder: Path) -> Path:
    net = Lite()
    x = net.conv(net.input(1, 8, 8, 3), 8, (3, 3), 2)
    x = net.op("RESHAPE", [net.pool(x, (4, 4), 1), net.sizes(1, 8)], (1, 8))
    return net.save(folder, net.dense(x, 4))


def binary_file(chance: random.Random, _: Path) -> list[str]:
    """Write a changed .tflite or .gguf file; return the command that imports it."""
    is_lite = chance.random() < 0.6
    path = _small(Path.cwd()) if is_lite else gguf(Path.cwd(), lambda *_: Q8_0)
    path.write_bytes(changed_bytes(chance, path.read_bytes()))
    return ["task=import", f"workload.path={path.name}"]
