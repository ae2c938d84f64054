"""The header of a .safetensors file, which is JSON: names, types and shapes of its tensors."""

import json
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

from dse.errors import DseError
from dse.importers.transformers.widths import Stored

LARGEST_HEADER_BYTES = 100_000_000
"""As the format's own readers allow."""

BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
        "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64,
        "U32": 32, "U16": 16, "U8": 8, "BOOL": 8, "C64": 64}  # fmt: skip
"""Bits of each type (safetensors 0.6, Dtype)."""

SHARD = re.compile(r"(.+)-\d+-of-(\d+)\.safetensors")

NAMES = {
    "q_proj": "query", "k_proj": "key", "v_proj": "value", "o_proj": "projection",
    "out_proj": "projection", "dense": "projection", "qkv_proj": "qkv", "c_attn": "qkv",
    "query_key_value": "qkv", "gate_proj": "gate", "up_proj": "up", "down_proj": "down",
    "w1": "gate", "w2": "down", "w3": "up", "fc1": "up", "fc2": "down", "c_fc": "up",
    "router": "router", "query": "query", "key": "key", "value": "value",
}  # fmt: skip
"""The part of a block by the last word of a module's name."""


def stored_tensors(path: Path) -> list[Stored]:
    """Return the matrices of a file, and of the others that it is one of.

    Raises
    ------
    DseError
        If a file is missing, or no .safetensors.
    """
    shard = SHARD.fullmatch(path.name)
    pattern = f"{shard[1]}-*-of-{shard[2]}.safetensors" if shard else ""
    files = sorted(x for x in path.parent.iterdir() if x.match(pattern)) if shard else [path]
    if shard and len(files) != int(shard[2]):
        raise DseError(f"{path}: {shard[2]} files must lie side by side, got {len(files)}")
    return [x for file in files for x in _tensors(file)]


def _tensors(path: Path) -> Iterator[Stored]:
    for name, entry in _header(path).items():
        if name == "__metadata__":
            continue
        try:
            shape, bits = [int(x) for x in entry["shape"]], BITS[entry["dtype"]]
        except (KeyError, TypeError, ValueError) as error:
            raise DseError(f"{path}: tensor {name[:100]!r} has no shape or a type that is not known"
                           ) from error  # fmt: skip
        if len(shape) >= 2:
            part, layer = _place(name)
            yield Stored(part=part, layer=layer, bits=bits, elements=prod(shape))


def _header(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= min(LARGEST_HEADER_BYTES, path.stat().st_size - 8):
            raise DseError(f"{path}: cannot be read as .safetensors (truncated, or no such file)")
        text = file.read(size)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DseError(f"{path}: cannot be read as .safetensors: no header") from error
    if not isinstance(found, dict):
        raise DseError(f"{path}: cannot be read as .safetensors: its header is no object")
    return found


def _place(name: str) -> tuple[str, int | None]:
    """Return the part of a block that a tensor is the weight of, and the block's number.

    >>> _place("model.layers.3.mlp.experts.7.down_proj.weight"), _place("lm_head.weight")
    (('expert_down', 3), ('head', None))
    """
    words = [x for x in name.split(".") if x != "weight"] or [""]
    if words[-1] in ("lm_head", "embed_out"):
        return "head", None
    if words[-1] in ("embed_tokens", "wte", "word_embeddings"):
        return "embedding", None
    numbers = [int(x) for x in words if x.isdecimal() and len(x) < 6]
    part = NAMES.get(words[-1], "")
    if part in ("gate", "up", "down"):
        inside = "expert" if "experts" in words else "mlp"
        part = f"{'shared' if 'shared_expert' in name else inside}_{part}"
    return part, numbers[0] if numbers else None
