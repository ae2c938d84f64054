"""An ONNX file as onnx parses it: bounded, nothing executed, nothing read outside its folder."""

import re
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.errors import DseError

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

LARGEST_FILE_BYTES = 2**31 - 1  # what protobuf can hold
LEAST_OPSET = 7
LARGEST_NODES = 50_000
LARGEST_VALUE = 4096  # elements; shape arithmetic is far below
STANDARD_DOMAINS = ("", "ai.onnx")


def read_model(path: Path) -> "ModelProto":
    """Return the parsed file; external data stay where they are.

    Raises
    ------
    DseError
        If it is no file, too large, no ONNX, too old, or points outside its folder.
    """
    import onnx
    from google.protobuf.message import DecodeError

    if not path.is_file():
        raise DseError(f"workload.path must be an ONNX file that exists, got {str(path)!r}")
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise DseError(f"{path}: an ONNX file must be at most {LARGEST_FILE_BYTES} bytes")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except (DecodeError, ValueError) as error:
        raise DseError(f"{path}: cannot be read as ONNX (truncated, or no ONNX file)") from error
    if not model.graph.node:
        raise DseError(f"{path}: cannot be read as ONNX: its graph has no nodes")
    _check_opset(path, model)
    for graph in (model.graph, *model.functions):
        if not all(isinstance(text, str) for text in _texts(graph)):
            raise DseError(f"{path}: cannot be read as ONNX: a name in it is not UTF-8 text")
    for tensor in {_location(x): x for x in model.graph.initializer}.values():
        check_place(path, tensor)
    return model


def _texts(graph: Any) -> Iterator[object]:
    """Yield the names in a graph and in those inside it; protobuf gives wrong ones as bytes."""
    yield graph.name
    for value in (*graph.input, *graph.output, *getattr(graph, "initializer", ())):
        yield value if isinstance(value, str | bytes) else value.name
    for tensor in getattr(graph, "initializer", ()):
        yield from (x.value for x in tensor.external_data)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name
            if attribute.HasField("g"):
                yield from _texts(attribute.g)


def _check_opset(path: Path, model: "ModelProto") -> None:
    versions = [x.version for x in model.opset_import if x.domain in STANDARD_DOMAINS]
    if not versions:
        return
    if versions[0] < LEAST_OPSET:
        raise DseError(
            f"{path}: opset must be {LEAST_OPSET} or later, got {versions[0]}; "
            f"onnx.version_converter makes it newer"
        )


def _location(tensor: "TensorProto") -> str | None:
    """Return where a tensor says that its external data are, None if they are inside."""
    if tensor.data_location != 1:  # TensorProto.EXTERNAL
        return None
    return next((str(x.value) for x in tensor.external_data if x.key == "location"), "")


def check_place(path: Path, tensor: "TensorProto") -> Path | None:
    """Return the file of a tensor's external data, None if its data are inside the model.

    Raises
    ------
    DseError
        If the file lies outside the model's folder, also through a link.
    """
    location = _location(tensor)
    if location is None:
        return None
    folder = path.resolve().parent
    try:
        place = (folder / location).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise DseError(f"{path}: external data {location!r} is not a file's name") from error
    if not location or not place.is_relative_to(folder):
        raise DseError(
            f"{path}: external data of {tensor.name!r} must lie in the model's folder, "
            f"got {location!r}"
        )
    return place


def small_value(path: Path, tensor: "TensorProto") -> np.ndarray | None:
    """Return a small tensor's numbers, None if it is large or its data are not there."""
    from onnx import numpy_helper

    size = 1
    for dim in tensor.dims:
        size *= max(int(dim), 0)
    if size > LARGEST_VALUE or tensor.data_type in (0, 8):  # undefined, text
        return None
    try:
        if tensor.data_location == 1:
            return _external_value(path, tensor, size)
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, OSError):
        return None


def _external_value(path: Path, tensor: "TensorProto", size: int) -> np.ndarray | None:
    """Read a small tensor of whole numbers from its file, by offset, and no byte more."""
    from onnx import helper

    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
    place = check_place(path, tensor) if dtype.kind in "iub" or size == 1 else None
    if place is None or not place.is_file():
        return None
    entries = {x.key: x.value for x in tensor.external_data}
    with place.open("rb") as file:
        file.seek(int(entries.get("offset", 0)))
        data = file.read(size * dtype.itemsize)
    if len(data) < size * dtype.itemsize:
        return None
    return np.frombuffer(data, dtype).reshape(tuple(tensor.dims))


def attributes_of(node: Any) -> dict[str, Any]:
    """Return a node's attributes; text as str."""
    from onnx import helper

    return {x.name: _text(helper.get_attribute_value(x)) for x in node.attribute}


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def parameter_name(text: str) -> str:
    """Return the name of a dynamic dimension as a key of the command line.

    >>> parameter_name("batch*heads"), parameter_name("2d")
    ('batch_heads', '_2d')
    """
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "dimension"
    return f"_{name}" if name[0].isdigit() else name


def shown_name(text: str) -> str:
    """Return a node's name as a layer's: printable, short, and no interpolation.

    >>> shown_name("conv${x}")
    'conv_{x}'
    """
    clean = "".join(x if x.isprintable() else "_" for x in str(text).replace("$", "_"))
    return clean[:200]


def producers_first(path: Path, nodes: Any) -> Iterator[Any]:
    """Yield nodes so that each comes after those that it reads.

    Raises
    ------
    DseError
        If two nodes write one tensor, or nodes wait for each other, or for what nothing writes.
    """
    waiting = _needs(path, nodes)
    readers: list[list[int]] = [[] for _ in nodes]
    for place, needs in enumerate(waiting):
        for other in needs:
            readers[other].append(place)
    ready = [place for place, needs in enumerate(waiting) if not needs]  # a heap, as sorted
    while ready:
        place = heappop(ready)  # the file's own order where it is one
        yield nodes[place]
        for reader in readers[place]:
            waiting[reader].discard(place)
            if not waiting[reader]:
                heappush(ready, reader)
    stuck = next((x for x, needs in zip(nodes, waiting, strict=True) if needs), None)
    if stuck is not None:
        name = shown_name(stuck.name or stuck.output[0])
        raise DseError(f"{path}: the graph must have no cycle, got one through node {name!r}")


def _needs(path: Path, nodes: Any) -> list[set[int]]:
    """Return for each node the places of those that write what it reads."""
    writer: dict[str, int] = {}
    for place, node in enumerate(nodes):
        for name in filter(None, node.output):
            if name in writer:
                raise DseError(f"{path}: tensor {shown_name(name)!r} is written twice")
            writer[name] = place
    return [{writer[x] for x in _needed(node) if x in writer} for node in nodes]


def _needed(node: Any) -> Iterator[str]:
    """Yield the tensors that a node or the graphs inside it read."""
    yield from filter(None, node.input)
    for attribute in node.attribute:
        if attribute.HasField("g"):
            for inner in attribute.g.node:
                yield from _needed(inner)


def without_references(node: Any, given: Mapping[str, Any]) -> Any:
    """Return a node of a function with the attributes of its call in place of their names."""
    if not any(x.ref_attr_name for x in node.attribute):
        return node
    import onnx

    plain = onnx.NodeProto()
    plain.CopyFrom(node)
    del plain.attribute[:]
    for attribute in node.attribute:
        source = given.get(attribute.ref_attr_name) if attribute.ref_attr_name else attribute
        if source is not None:
            copy = plain.attribute.add()
            copy.CopyFrom(source)
            copy.name = attribute.name
    return plain
