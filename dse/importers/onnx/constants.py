"""Constants of an ONNX graph: initialisers, constant nodes, and what is computed from them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dse.importers.drafts import Network, Tensor, checked_shape
from dse.importers.onnx.file import shown_name, small_value
from dse.importers.onnx.node import Operator
from dse.importers.onnx.types import BITS, FLOATS

COMPUTED = frozenset(
    {"BlackmanWindow", "EyeLike", "HammingWindow", "HannWindow", "MelWeightMatrix", "Range"}
)
"""Operators whose constants are by a formula, not learned."""

NEVER_LEARNED = frozenset({7, 8, 9, 13})
"""64-bit whole numbers, text and truth values: shapes, places and masks."""


def initializer(path: Path, proto: Any, network: Network) -> Tensor:
    """Return the tensor of an initialiser; its numbers only if they are few."""
    shape = checked_shape(f"{path}: initializer {shown_name(proto.name)!r}", proto.dims)
    value = small_value(path, proto)
    tensor = Tensor(proto.name, shape, BITS.get(proto.data_type, 8), proto.data_type)
    tensor.is_constant, tensor.value = True, value
    if shape and proto.data_type not in NEVER_LEARNED:
        learn(tensor, network)
    return tensor


def learn(tensor: Tensor, network: Network) -> None:
    """Make a constant a learned tensor; it counts where a layer uses it."""
    tensor.is_constant = True
    tensor.origins = frozenset({tensor.name})
    network.learned[tensor.name] = tensor.elements
    if tensor.is_vector:
        network.vectors.add(tensor.name)


def fold_constant_node(path: Path, step: Operator) -> None:
    """Give a Constant node's output its shape, and its numbers if they are few."""
    tensor, attributes = step.output(), step.attributes
    proto = attributes.get("value")
    if proto is not None:
        tensor.shape = checked_shape(f"{path}: constant {shown_name(step.name)!r}", proto.dims)
        tensor.element_type = proto.data_type
        tensor.value = small_value(path, proto)
    else:
        given = [attributes[x] for x in ("value_float", "value_floats") if x in attributes]
        whole = [attributes[x] for x in ("value_int", "value_ints") if x in attributes]
        if given or whole:
            value = np.array((given or whole)[0], np.float32 if given else np.int64)
            tensor.value, tensor.shape = value, value.shape
            tensor.element_type = 1 if given else 7
    tensor.bits, tensor.is_constant = BITS.get(tensor.element_type, 8), True
    if tensor.element_type in FLOATS and tensor.elements > 1:
        learn(tensor, step.network)
    step.network.counts["folded"] += 1


def fold(step: Operator, values: Sequence[np.ndarray] | None) -> None:
    """Make a node's outputs constant, made from the learned tensors of its inputs."""
    sources = () if step.op == "ConstantOfShape" else step.given
    origins = frozenset(name for x in sources for name in x.origins)
    for place, tensor in enumerate(step.outputs):
        if tensor is None:
            continue
        tensor.is_constant, tensor.origins = True, origins
        if step.op == "DequantizeLinear":
            tensor.origins = step.input(0).origins
        if tensor.origins and step.op != "QuantizeLinear":
            tensor.bits = max(step.given, key=lambda x: bool(x.origins) * x.elements).bits
        if values is not None and place < len(values):
            tensor.value, tensor.shape = values[place], values[place].shape
        is_new = (
            step.op not in COMPUTED
            and not origins
            and tensor.element_type in FLOATS
            and tensor.elements > 1
        )
        if is_new and (tensor.value is None or step.op == "ConstantOfShape"):
            learn(tensor, step.network)
    step.network.counts["folded"] += 1
