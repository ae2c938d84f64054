"""Element types and shapes of ONNX tensors, and the dynamic dimensions that a user sets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dse.errors import DseError, nearest
from dse.importers.drafts import Tensor, checked_shape
from dse.importers.onnx.file import parameter_name, shown_name

BITS = {
    1: 32,  # float
    2: 8,  # uint8
    3: 8,  # int8
    4: 16,  # uint16
    5: 16,  # int16
    6: 32,  # int32
    7: 64,  # int64
    8: 8,  # text, each element counted as one byte
    9: 8,  # bool
    10: 16,  # float16
    11: 64,  # double
    12: 32,  # uint32
    13: 64,  # uint64
    14: 64,  # complex64
    15: 128,  # complex128
    16: 16,  # bfloat16
    17: 8,  # float8e4m3fn
    18: 8,  # float8e4m3fnuz
    19: 8,  # float8e5m2
    20: 8,  # float8e5m2fnuz
    21: 4,  # uint4
    22: 4,  # int4
    23: 4,  # float4e2m1
    24: 8,  # float8e8m0
    25: 2,  # uint2
    26: 2,  # int2
}
"""Bits of an element by ONNX's number of its type (TensorProto.DataType)."""

BOOL = 9
"""ONNX's number of a truth value."""

FLOATS = frozenset({1, 10, 11, 16, 17, 18, 19, 20, 23})
"""ONNX's numbers of the floating-point types."""

WHOLE = frozenset({2, 3, 4, 5, 6, 7, 9, 12, 13})
"""ONNX's numbers of the whole numbers and of a truth value."""

BATCH = "batch"

UNKNOWN = -1  # what some exporters write for a dynamic dimension


@dataclass(slots=True)
class Dimensions:
    """The dynamic dimensions of a file, and what the user says of them.

    Attributes
    ----------
    given
        Parameter to size, or to the value of an input of one whole number; the batch is not
        among them: the graph is read at a batch of 1.
    batch_symbols
        The dynamic dimensions that are the batch.
    asked
        Parameter to the inputs that have it.
    optional
        Parameters that need not be given: values of inputs, trips of loops.
    """

    path: Path
    given: Mapping[str, int]
    batch_symbols: frozenset[str] = frozenset()
    asked: dict[str, str] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)

    def size(self, symbol: str, owner: str) -> int:
        """Return the size of a dynamic dimension of a graph's input."""
        name = parameter_name(symbol)
        if symbol in self.batch_symbols:
            return 1
        self.asked.setdefault(name, owner)
        size = self.given.get(name, 0)
        if name in self.given and size < 1:
            raise DseError(f"workload.{name} must be a whole number, 1 or more, got {size}")
        return size

    def known(self, symbol: str) -> int | None:
        """Return the size of a symbol anywhere in the graph, None if it has none."""
        if symbol in self.batch_symbols:
            return 1
        return self.given.get(parameter_name(symbol))

    def offered(self, text: str) -> int:
        """Return what the user gives for something that has a default, 0 if nothing."""
        name = parameter_name(text)
        self.optional.add(name)
        return self.given.get(name, 0)

    def check(self) -> None:
        """Raise `DseError` for a dimension without size."""
        missing = [name for name in self.asked if name not in self.given]
        if missing:
            needed = ", ".join(f"{name} (of {self.asked[name]})" for name in missing)
            example = " ".join(f"workload.{name}=..." for name in missing)
            raise DseError(f"{self.path}: dynamic dimensions need a size: {needed}; give {example}")

    def check_all_used(self) -> None:
        """Raise `DseError` for a size or value that nothing in the file has."""
        for name in self.given:
            if name not in self.asked and name not in self.optional:
                known = [*self.asked, *sorted(self.optional), BATCH, "bits", "name"]
                raise DseError(
                    f"{self.path} has no dynamic dimension {name!r}{nearest(name, known)}"
                )


def symbol_of(dim: Any, owner: str, place: int) -> str | None:
    """Return the name of a dynamic dimension, also one written as 0 or -1; None for a number."""
    if dim.HasField("dim_param") and dim.dim_param:
        return str(dim.dim_param)
    if dim.HasField("dim_value") and dim.dim_value not in (0, UNKNOWN):
        return None
    return f"{owner}_{place}"


def input_tensor(path: Path, value: Any, dimensions: Dimensions) -> Tensor:
    """Return the tensor of a graph's input, its dynamic dimensions filled in."""
    owner = shown_name(value.name)
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        return Tensor(owner, None, 8, kind.elem_type)
    shape = []
    for place, dim in enumerate(kind.shape.dim):
        symbol = symbol_of(dim, value.name, place)
        shape.append(dim.dim_value if symbol is None else dimensions.size(symbol, owner))
    sized = checked_shape(f"{path}: input {owner!r}", shape)
    tensor = Tensor(owner, sized, BITS.get(kind.elem_type, 8), kind.elem_type)
    if tensor.elements == 1 and kind.elem_type in WHOLE:
        _give_value(tensor, dimensions)
    return tensor


def _give_value(tensor: Tensor, dimensions: Dimensions) -> None:
    """Make an input of one whole number a constant if the user says which."""
    name = parameter_name(tensor.name)
    if name in dimensions.asked:  # a dimension has that name
        return
    value = dimensions.offered(name)
    if name in dimensions.given:
        kind = np.int64 if tensor.element_type != BOOL else np.bool_
        tensor.is_constant, tensor.value = True, np.full(tensor.shape or (), value, kind)


def declared_tensors(
    path: Path, graph: Any, dimensions: Dimensions
) -> dict[str, tuple[int, tuple[int, ...] | None]]:
    """Return element type and shape of the tensors that a graph or function declares."""
    values = [*getattr(graph, "value_info", ()), *graph.output]
    return {
        x.name: (x.type.tensor_type.elem_type, _declared_shape(path, x, dimensions))
        for x in values
        if not isinstance(x, str) and x.type.HasField("tensor_type")
    }


def _declared_shape(path: Path, value: Any, dimensions: Dimensions) -> tuple[int, ...] | None:
    """Return the shape that a file declares for a tensor, None where a size is not known."""
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        return None
    shape = []
    for dim in kind.shape.dim:
        size = dim.dim_value if dim.HasField("dim_value") else None
        if dim.HasField("dim_param") and dim.dim_param:
            size = dimensions.known(dim.dim_param)
        if size is None or size == UNKNOWN:
            return None
        shape.append(size)
    return checked_shape(f"{path}: tensor {shown_name(value.name)!r}", shape)
