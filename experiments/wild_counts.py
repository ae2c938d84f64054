"""MACs of an ONNX file, counted from the shapes that ONNX Runtime gives its tensors.

Nothing of the importer is used but the names of sizes: the file is run once with zeros, every
tensor that a product reads or writes is an output, and each product has its MACs by definition.
In the place of a branch is the graph that these inputs take.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

Shapes = dict[str, list[int]]
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1, "DynamicQuantizeLSTM": 4}
PAIRS = {
    **dict.fromkeys(("Conv", "FusedConv", "ConvInteger", "ConvTranspose"), (0, 1)),
    **dict.fromkeys(("MatMul", "MatMulInteger", "FusedMatMul", "Gemm", "FusedGemm"), (0, 1)),
    **dict.fromkeys(("DynamicQuantizeMatMul", "MatMulIntegerToFloat"), (0, 1)),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QGemm"), (0, 3)),
}
"""Places of the two operands of each product."""

CLASSICAL = ("LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor")
COUNTED = (*PAIRS, *GATES, *CLASSICAL, "Einsum")


def counted_macs(path: Path, sizes: Mapping[str, int], runtime: Any) -> int:
    """Return the MACs of a file at these sizes.

    Parameters
    ----------
    sizes
        Those of the importer: dynamic dimensions by name, values of inputs of one number.
    runtime
        The module of ONNX Runtime.
    """
    model = onnx.load(path)
    feeds = {x.name: _zeros(x, sizes) for x in _inputs(model.graph)}
    model = _inlined(model, feeds, runtime)
    return _of_graph(model.graph, _executed(model, feeds, runtime))


def _inputs(graph: Any) -> list[Any]:
    given = {x.name for x in graph.initializer}
    return [x for x in graph.input if x.name not in given]


def _zeros(value: Any, sizes: Mapping[str, int]) -> np.ndarray:
    """Return an input of zeros, or of the value that the user gives it."""
    kind = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    shape = []
    for place, dim in enumerate(value.type.tensor_type.shape.dim):
        name = dim.dim_param or f"{value.name}_{place}"
        key = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "dimension"
        shape.append(dim.dim_value if dim.dim_value > 0 else sizes.get(key, 1))
    return np.full(shape, sizes.get(value.name, 0), kind)


def _executed(model: Any, feeds: Mapping[str, np.ndarray], runtime: Any) -> Shapes:
    """Return the shapes of inputs, weights, and of all tensors that a product touches."""
    shapes = {x.name: list(x.dims) for x in model.graph.initializer}
    shapes |= {name: list(x.shape) for name, x in feeds.items()}
    nodes = [x for x in model.graph.node if x.op_type in COUNTED]
    names = {y for x in nodes for y in (*x.input, *x.output) if y and y not in shapes}
    if not names:
        return shapes
    found = _values(model, sorted(names), feeds, runtime)
    return shapes | {k: list(np.shape(x)) for k, x in zip(sorted(names), found, strict=True)}


def _values(model: Any, names: list[str], feeds: Mapping[str, Any], runtime: Any) -> list[Any]:
    """Return tensors of a run, the graph as it is in the file."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=x) for x in names)
    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = runtime.InferenceSession(probe.SerializeToString(), options)
    known = {x.name for x in session.get_inputs()}
    return list(session.run(names, {k: x for k, x in feeds.items() if k in known}))


def _inlined(model: Any, feeds: Mapping[str, np.ndarray], runtime: Any) -> Any:
    """Return the model with the branch that is taken in the place of each If."""
    while True:
        nodes = list(model.graph.node)
        place = next((i for i, x in enumerate(nodes) if x.op_type == "If"), None)
        if place is None:
            return model
        node = nodes[place]
        (taken,) = _values(model, [node.input[0]], feeds, runtime)
        name = "then_branch" if np.all(taken) else "else_branch"
        branch = next(x.g for x in node.attribute if x.name == name)
        links = zip(branch.output, node.output, strict=True)
        inside = [*branch.node, *(helper.make_node("Identity", [x.name], [y]) for x, y in links)]
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        del changed.graph.node[:]
        changed.graph.node.extend([*nodes[:place], *inside, *nodes[place + 1 :]])
        changed.graph.initializer.extend(branch.initializer)
        model = changed


def _of_graph(graph: Any, shapes: Shapes) -> int:
    """Return the MACs of a graph; what constants alone decide is not computed at each run."""
    constants = {x.name for x in graph.initializer}
    macs = 0
    for node in graph.node:
        if node.op_type in ("Loop", "Scan"):
            raise ValueError(f"{node.name}: a {node.op_type} is not counted")
        if node.op_type == "Constant" or {*filter(None, node.input)} <= constants:
            constants |= {*node.output}
        elif node.op_type in COUNTED:
            macs += _of_node(node, shapes)
    return macs


def _of_node(node: Any, shapes: Shapes) -> int:
    attributes = {x.name: helper.get_attribute_value(x) for x in node.attribute}
    out = shapes.get(node.output[0], [])
    if node.op_type in GATES:
        steps, batch, inputs = shapes[node.input[0]]
        directions, *sides = shapes[node.input[2]]
        hidden = min(sides)
        return GATES[node.op_type] * hidden * (inputs + hidden) * steps * batch * directions
    if node.op_type in CLASSICAL:
        return _classical(shapes[node.input[0]], attributes)
    if node.op_type == "Einsum":
        letters = attributes["equation"].decode().replace(" ", "").partition("->")[0].split(",")
        sizes: dict[str, int] = {}
        for name, term in zip(node.input, letters, strict=True):
            sizes |= dict(zip(term, shapes[name], strict=True))
        return math.prod(sizes.values()) if len(letters) > 1 else 0
    left, right = (shapes[node.input[x]] for x in PAIRS[node.op_type])
    if node.op_type == "ConvTranspose":
        return _transposed(left, right, out, attributes)
    if "Conv" in node.op_type:
        return math.prod(out) * math.prod(right[1:])
    return math.prod(out) * left[-2 if attributes.get("transA") else -1]


def _classical(data: list[int], attributes: Mapping[str, Any]) -> int:
    """Return rows by coefficients, and rows by the elements of the support vectors."""
    vectors = len(attributes.get("support_vectors", ()))
    return math.prod(data[:-1]) * (vectors + len(attributes["coefficients"]))


def _transposed(
    left: list[int], right: list[int], out: list[int], attributes: Mapping[str, Any]
) -> int:
    """Return a product for each output, tap and channel that meet, beyond the borders too."""
    met, axes = 1, len(out) - 2
    strides = attributes.get("strides", [1] * axes)
    dilations = attributes.get("dilations", [1] * axes)
    pads = attributes.get("pads", [0] * 2 * axes)
    for axis in range(axes):
        taps = range(right[2 + axis])
        places = range(pads[axis], pads[axis] + out[2 + axis])
        met *= sum((o - f * dilations[axis]) % strides[axis] == 0 for o in places for f in taps)
    return left[0] * left[1] * right[1] * met
