"""Shapes and small constants of one node, as onnx infers and computes them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dse.errors import DseError
from dse.importers.drafts import Tensor, checked_shape, least_certain
from dse.importers.onnx.contrib_shapes import output_type
from dse.importers.onnx.file import LARGEST_VALUE, STANDARD_DOMAINS, attributes_of, shown_name
from dse.importers.onnx.types import BITS

FOLDED = frozenset(
    {
        "Abs",
        "Add",
        "And",
        "Cast",
        "Ceil",
        "Concat",
        "ConstantOfShape",
        "Div",
        "Equal",
        "Expand",
        "Flatten",
        "Floor",
        "Gather",
        "Greater",
        "GreaterOrEqual",
        "Identity",
        "Less",
        "LessOrEqual",
        "Max",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "Not",
        "Or",
        "Pow",
        "Range",
        "ReduceMax",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "Reshape",
        "ScatterND",
        "Slice",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tile",
        "Transpose",
        "Unsqueeze",
        "Where",
        "Xor",
        "NonZero",
        "CumSum",
        "ScatterElements",
        "GatherElements",
    }
)
"""Operators of shape arithmetic: computed where all inputs are small and known."""

EQUATION = re.compile(r"([A-Za-z, ]|\.\.\.)+(->([A-Za-z ]|\.\.\.)*)?")

COMPUTE_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)


def inferred(
    path: Path, node: Any, inputs: Sequence[Tensor | None], opsets: Mapping[str, int]
) -> dict[str, tuple[int, tuple[int, ...] | None]]:
    """Return element type and shape of each output that onnx can infer.

    Raises
    ------
    DseError
        If the shapes of the inputs, all certain, contradict the operator.
    """
    from onnx import checker, defs, helper, shape_inference

    domain = "" if node.domain in STANDARD_DOMAINS else node.domain
    version = opsets.get(domain, 0)
    try:
        schema = defs.get_schema(node.op_type, version, domain)
    except defs.SchemaError:
        return {}
    named = {n: t for n, t in zip(node.input, inputs, strict=True) if n and t is not None}
    if any(x.shape is None or not x.element_type for x in named.values()):
        return {}
    if node.op_type == "Einsum" and not EQUATION.fullmatch(
        str(attributes_of(node).get("equation"))
    ):
        return {}  # onnx's inference never ends on other text
    types = {n: helper.make_tensor_type_proto(x.element_type, x.shape) for n, x in named.items()}
    data = {n: _proto(n, x) for n, x in named.items() if _is_data(x)}
    opset = [helper.make_opsetid(domain, version)]
    try:
        found = shape_inference.infer_node_outputs(schema, node, types, data, opset_imports=opset)
    except (checker.ValidationError, shape_inference.InferenceError, ValueError) as error:
        if least_certain(named.values()) != "known":
            return {}
        reason = " ".join(str(error).split())[:200]
        where = shown_name(node.name or (node.output[0] if node.output else ""))
        raise DseError(f"{path}: node {where!r} ({node.op_type}): {reason}") from error
    return {name: _type_and_shape(path, name, kind) for name, kind in found.items()}


def _is_data(tensor: Tensor) -> bool:
    return tensor.value is not None and tensor.value.ndim <= 1


def _proto(name: str, tensor: Tensor) -> Any:
    from onnx import numpy_helper

    assert tensor.value is not None  # the caller asks
    return numpy_helper.from_array(tensor.value, name)


def _type_and_shape(path: Path, name: str, kind: Any) -> tuple[int, tuple[int, ...] | None]:
    tensor = kind.tensor_type
    if not kind.HasField("tensor_type"):
        return 0, None
    if not tensor.HasField("shape") or not all(x.HasField("dim_value") for x in tensor.shape.dim):
        return tensor.elem_type, None
    dims = [x.dim_value for x in tensor.shape.dim]
    return tensor.elem_type, checked_shape(f"{path}: tensor {shown_name(name)!r}", dims)


def small_outputs(
    node: Any, inputs: Sequence[Tensor | None], outputs: Sequence[Tensor | None], version: int
) -> list[np.ndarray] | None:
    """Return the outputs of a node of shape arithmetic, None if they are large or not known."""
    if node.op_type in ("Shape", "Size") and inputs and inputs[0] is not None:
        return _shape_value(node, inputs[0])
    values = [None if x is None else x.value for x in inputs]
    if node.op_type not in FOLDED or node.domain not in STANDARD_DOMAINS:
        return None
    if any(x is not None and v is None for x, v in zip(inputs, values, strict=True)):
        return None
    if not _is_small(node, values, outputs):
        return None
    return _computed(node, values, version)


def _shape_value(node: Any, data: Tensor) -> list[np.ndarray] | None:
    from onnx import helper

    if data.shape is None:
        return None
    if node.op_type == "Size":
        return [np.array(data.elements, np.int64)]
    ends = {x.name: helper.get_attribute_value(x) for x in node.attribute}
    part = slice(ends.get("start"), ends.get("end"))
    return [np.array(data.shape[part], np.int64)]


def _is_small(node: Any, values: list[Any], outputs: Sequence[Tensor | None]) -> bool:
    """Whether the outputs have few elements, also where inference does not say how many."""
    known = [x.elements for x in outputs if x is not None and x.shape is not None]
    if known:
        return sum(known) <= LARGEST_VALUE
    if node.op_type == "Range":
        start, limit, delta = (float(x) for x in values)
        return delta != 0 and abs((limit - start) / delta) <= LARGEST_VALUE
    return node.op_type in ("NonZero", "Cast", "Identity")


def _computed(node: Any, values: list[Any], version: int) -> list[np.ndarray] | None:
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    feeds = {n: v for n, v in zip(node.input, values, strict=True) if n}
    blank = TensorProto.UNDEFINED
    names_in = [helper.make_tensor_value_info(n, blank, None) for n in feeds]
    names_out = [helper.make_tensor_value_info(n, blank, None) for n in node.output if n]
    graph = helper.make_graph([node], "folded", names_in, names_out)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", max(version, 1))])
    try:
        with np.errstate(all="ignore"):
            made = ReferenceEvaluator(model).run(None, feeds)
    except COMPUTE_ERRORS:
        return None
    arrays = [np.asarray(x) for x in made]
    return arrays if sum(x.size for x in arrays) <= LARGEST_VALUE else None


def output_tensors(
    node: Any,
    found: Mapping[str, tuple[int, tuple[int, ...] | None]],
    declared: Mapping[str, tuple[int, tuple[int, ...] | None]],
    inputs: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """Return the outputs of a node: as inferred, else as the file declares them."""
    certainty = least_certain(inputs)
    made: list[Tensor | None] = []
    for name in node.output:
        kind, shape = found.get(name) or declared.get(name) or (0, None)
        kind = kind or output_type(node.op_type, inputs)
        if shape is None and declared.get(name):
            shape = declared[name][1]
        tensor = Tensor(name, shape, BITS.get(kind, 8), kind, certainty=certainty)
        made.append(tensor if name else None)
    return made
