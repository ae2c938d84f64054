"""The header of a .gguf file: keys with values, and names, types and shapes of its tensors.

Read here, not by the package gguf: that one walks each of a vocabulary's words, and does not end
on a file whose counts are wrong.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from dse.errors import DseError
from dse.importers.transformers.widths import Stored

VERSIONS = (2, 3)
LARGEST_COUNT = 10_000_000
KEPT_ITEMS = 4096
"""Elements of a list that are kept; the words of a vocabulary are counted alone."""

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
           12: "d"}  # fmt: skip
TEXT, LIST = 8, 9
"""Numbers of the types of values (ggml, docs/gguf.md)."""

BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 40), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36),
}  # fmt: skip
"""Elements and bytes of a block by the number of a tensor's type (gguf 0.19, GGML_QUANT_SIZES)."""

PARTS = {
    "attn_q": "query", "attn_k": "key", "attn_v": "value", "attn_output": "projection",
    "attn_qkv": "qkv", "ffn_gate": "mlp_gate", "ffn_up": "mlp_up", "ffn_down": "mlp_down",
    "ffn_gate_inp": "router", "ffn_gate_exps": "expert_gate", "ffn_up_exps": "expert_up",
    "ffn_down_exps": "expert_down", "ffn_gate_shexp": "shared_gate", "ffn_up_shexp": "shared_up",
    "ffn_down_shexp": "shared_down", "output": "head", "token_embd": "embedding",
}  # fmt: skip
"""The part of a block by a tensor's name (gguf 0.19, TENSOR_NAMES)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file says of itself.

    Attributes
    ----------
    values
        By key; of a long list its length.
    tensors, names
        Its matrices, and the names of all tensors.
    """

    values: Mapping[str, Any]
    tensors: tuple[Stored, ...]
    names: frozenset[str]


def read_header(path: Path) -> Header:
    """Return the header of a .gguf file.

    Raises
    ------
    DseError
        If it is none, is cut off within its header, or of a version that is not known.
    """
    try:
        with path.open("rb") as file:
            return _header(path, file)
    except DseError:
        raise
    except (struct.error, ValueError, OverflowError, MemoryError) as error:
        raise DseError(f"{path}: cannot be read as .gguf (truncated, or broken)") from error


def _header(path: Path, file: BinaryIO) -> Header:
    magic, version = file.read(4), _number(file, "I")
    if magic != b"GGUF" or version not in VERSIONS:
        raise DseError(f"{path}: must be a .gguf file of version 2 or 3, lowest byte first")
    tensor_count, value_count = _count(file), _count(file)
    values = {}
    for _ in range(value_count):
        key = _text(file)
        values[key] = _value(file, _number(file, "I"))
    found = [_tensor(path, file) for _ in range(tensor_count)]
    return Header(
        values=values,
        tensors=tuple(x for _, x in found if x is not None),
        names=frozenset(name for name, _ in found),
    )


def _number(file: BinaryIO, kind: str) -> Any:
    return struct.unpack(f"<{kind}", file.read(struct.calcsize(f"<{kind}")))[0]


def _count(file: BinaryIO) -> int:
    count = int(_number(file, "Q"))
    if count > LARGEST_COUNT:
        raise ValueError(f"{count} entries are more than {LARGEST_COUNT}")
    return count


def _text(file: BinaryIO) -> str:
    size = _count(file)
    data = file.read(size)
    if len(data) != size:
        raise ValueError("a text ends early")
    return data.decode("utf-8", "replace")


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == TEXT:
        return _text(file)
    if kind != LIST:
        if kind not in SCALARS:
            raise ValueError(f"type {kind} is not known")
        return _number(file, SCALARS[kind])
    inner, count = _number(file, "I"), _count(file)
    if inner in SCALARS:
        width = struct.calcsize(f"<{SCALARS[inner]}")
        data = file.read(width * count)
        if len(data) != width * count:
            raise ValueError("a list ends early")
        whole = struct.iter_unpack(f"<{SCALARS[inner]}", data)
        return [x for (x,) in whole] if count <= KEPT_ITEMS else count
    if inner != TEXT:
        raise ValueError("lists in lists are not known")
    for _ in range(count):
        _text(file)
    return count


def _tensor(path: Path, file: BinaryIO) -> tuple[str, Stored | None]:
    name, dims = _text(file), _number(file, "I")
    if dims > 8:
        raise ValueError(f"a tensor has {dims} dimensions")
    shape = [int(_number(file, "Q")) for _ in range(dims)]
    kind, _ = _number(file, "I"), _number(file, "Q")
    if kind not in BLOCKS:
        raise DseError(f"{path}: tensor {name[:100]!r} has type {kind}, which is not known")
    elements, size = BLOCKS[kind]
    if dims < 2:
        return name, None
    words = name.split(".")
    layer = int(words[1]) if words[0] == "blk" and words[1].isdecimal() else None
    part = PARTS.get(words[2] if layer is not None and len(words) > 2 else words[0], "")
    bits = 8 * size / elements
    return name, Stored(part=part, layer=layer, bits=bits, elements=prod(shape))
