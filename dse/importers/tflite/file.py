"""A .tflite file as plain nodes and tensors: bounded, nothing executed."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import DseError
from dse.importers.drafts import checked_shape
from dse.importers.onnx.file import LARGEST_NODES, shown_name

LARGEST_FILE_BYTES = 2**32
LARGEST_OPERANDS = 4096
IDENTIFIER = b"TFL3"
ABSENT = -1
"""The place of an optional input that is not given."""

MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)
"""What reading raises where a file points outside itself."""

ELEMENT_TYPES = {
    0: 1, 1: 10, 2: 6, 3: 2, 4: 7, 5: 8, 6: 9, 7: 5, 8: 14, 9: 3, 10: 11, 11: 15, 12: 13, 15: 12,
    16: 4, 17: 22, 18: 16, 19: 26, 20: 21,
}  # fmt: skip
"""ONNX's number of an element type by that of .tflite (schema.fbs, TensorType)."""

OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "CONV_3D": "Conv3DOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
    "BIDIRECTIONAL_SEQUENCE_LSTM": "BidirectionalSequenceLSTMOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
}
"""The schema's table of options of operators whose options say what they compute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorEntry:
    """A tensor as the file lists it.

    Attributes
    ----------
    element_type
        ONNX's number, 0 for what holds no elements.
    has_data
        Whether its elements are in the file.
    is_dynamic
        For each dimension whether it is 1 only until the network runs.
    """

    name: str
    shape: tuple[int, ...]
    element_type: int
    has_data: bool
    is_dynamic: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An operator as the file lists it.

    Attributes
    ----------
    kind
        Its name in the schema, such as CONV_2D, or that of a custom operator.
    inputs, outputs
        Places of tensors; `ABSENT` where an optional one is not given.
    options
        The schema's table of options, None if it has none.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The first graph of a file.

    Attributes
    ----------
    inputs, outputs
        Places of its tensors.
    further
        Signatures of the file whose graph is another one.
    """

    tensors: tuple[TensorEntry, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    further: tuple[str, ...]


def read_graph(path: Path) -> Graph:
    """Return the first graph of a .tflite file.

    Raises
    ------
    DseError
        If it is no file, too large, or no .tflite file.
    """
    import tflite

    if not path.is_file():
        raise DseError(f"workload.path must be a .tflite file that exists, got {str(path)!r}")
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise DseError(f"{path}: a .tflite file must be at most {LARGEST_FILE_BYTES} bytes")
    data = path.read_bytes()
    if data[4:8] != IDENTIFIER:
        raise DseError(f"{path}: cannot be read as .tflite: it does not begin as one")
    try:
        model = tflite.Model.GetRootAs(data)
        if not model.SubgraphsLength():
            raise ValueError("it has no graph")
        return _graph(path, model)
    except MISFITS as error:
        raise DseError(f"{path}: cannot be read as .tflite (truncated, or broken)") from error


def _graph(path: Path, model: Any) -> Graph:
    graph = model.Subgraphs(0)
    count = _count(graph.TensorsLength(), 16 * LARGEST_NODES)
    tensors = tuple(_tensor(path, model, graph.Tensors(place)) for place in range(count))
    codes = [
        _kind(model.OperatorCodes(place))
        for place in range(_count(model.OperatorCodesLength(), LARGEST_OPERANDS))
    ]
    nodes = tuple(
        _node(graph.Operators(place), codes, count)
        for place in range(_count(graph.OperatorsLength(), LARGEST_NODES))
    )
    return Graph(
        tensors=tensors,
        nodes=nodes,
        inputs=_places(graph.InputsLength(), graph.Inputs, count),
        outputs=_places(graph.OutputsLength(), graph.Outputs, count),
        further=_further(model),
    )


def _count(length: int, most: int) -> int:
    if length > most:
        raise ValueError(f"{length} entries are more than {most}")
    return int(length)


def _places(length: int, item: Callable[[int], int], tensors: int) -> tuple[int, ...]:
    """Return places of tensors, checked."""
    places = tuple(int(item(number)) for number in range(_count(length, LARGEST_OPERANDS)))
    if any(not ABSENT <= place < tensors for place in places):
        raise ValueError("a tensor's place is outside the file")
    return places


def _tensor(path: Path, model: Any, entry: Any) -> TensorEntry:
    name = _text(entry.Name())
    dims = [entry.Shape(axis) for axis in range(_count(entry.ShapeLength(), 64))]
    signed = [
        entry.ShapeSignature(axis) for axis in range(_count(entry.ShapeSignatureLength(), 64))
    ]
    return TensorEntry(
        name=name,
        shape=checked_shape(f"{path}: tensor {name!r}", dims),
        element_type=ELEMENT_TYPES.get(entry.Type(), 0),
        has_data=_has_data(model, entry),
        is_dynamic=tuple(size < 0 for size in signed),
    )


def _has_data(model: Any, entry: Any) -> bool:
    """Whether a tensor's elements are in the file: in its buffer, or behind the tables."""
    if not 0 < entry.Buffer() < model.BuffersLength() or entry.IsVariable():
        return False
    buffer = model.Buffers(entry.Buffer())
    return bool(buffer.DataLength() or buffer.Size() or entry.Sparsity())


def _kind(code: Any) -> str:
    """Return an operator's name; old files have its number in a field of one byte."""
    import tflite

    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if number == tflite.BuiltinOperator.CUSTOM:
        return _text(code.CustomCode())
    return str(tflite.BUILTIN_OPCODE2NAME.get(number, f"operator {number}"))


def _node(operator: Any, codes: Sequence[str], tensors: int) -> Node:
    kind = codes[operator.OpcodeIndex()]
    return Node(
        kind=kind,
        inputs=_places(operator.InputsLength(), operator.Inputs, tensors),
        outputs=_places(operator.OutputsLength(), operator.Outputs, tensors),
        options=_options(operator, kind),
    )


def _options(operator: Any, kind: str) -> Any:
    """Return an operator's table of options, None where it has none, or another's."""
    import tflite

    name = OPTIONS.get(kind)
    found = operator.BuiltinOptions() if name else None
    if found is None or operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, str(name)):
        return None
    options = getattr(tflite, str(name))()
    options.Init(found.Bytes, found.Pos)
    return options


def _further(model: Any) -> tuple[str, ...]:
    found = [
        model.SignatureDefs(place)
        for place in range(_count(model.SignatureDefsLength(), LARGEST_OPERANDS))
    ]
    return tuple(_text(x.SignatureKey()) for x in found if x.SubgraphIndex())


def _text(value: bytes | None) -> str:
    return shown_name((value or b"").decode("utf-8", "replace"))
