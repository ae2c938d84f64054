"""A transformer's config.json as a workload: prefill or decode, without any weights."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dse.errors import DseError, nearest
from dse.importers.coverage import Imported
from dse.importers.transformers.config import Config, Tokens
from dse.importers.transformers.families import DECODER, ENCODER, FAMILIES
from dse.workload import LARGEST_BOUND

LARGEST_FILE_BYTES = 2**24
DEFAULT_CONTEXT = 2048
DEFAULT_LENGTH = 128
TYPE_BITS = {"float32": 32, "float16": 16, "bfloat16": 16, "float8_e4m3fn": 8, "int8": 8}


def import_config(path: Path, sizes: Mapping[str, int]) -> Imported:
    """Import a transformer from its config.json.

    Parameters
    ----------
    path
        The file.
    sizes
        ``query_len`` and ``context_len`` of a decoder, ``seq_len`` of an encoder. Without
        ``query_len`` one token is decoded; equal to ``context_len`` it is a prefill. [tokens]

    Raises
    ------
    DseError
        If the file is no such configuration, its family is not known, or a size is wrong.
    """
    config = Config(path, _read(path))
    family = config.values.get("model_type")
    if not isinstance(family, str) or family not in FAMILIES:
        hint = nearest(str(family), FAMILIES)
        raise DseError(f"{path}: model_type {family!r} is not a known family{hint}")
    names, build = FAMILIES[family]
    for key in sizes:
        if key not in names:
            raise DseError(
                f"workload of {path} has no key {key!r}{nearest(key, [*names, 'batch'])}"
            )
    made = build(config, _tokens(config, sizes, names))
    coverage = {"operators": len(made.items), "operators_modelled": len(made.items),
                "operators_share": 1.0, "macs_share": 1.0, "bytes_share": 1.0,
                "not_understood": []}  # fmt: skip
    values = {
        "name": _name(config, family),
        "source": f"Hugging Face configuration {path.name}, model_type {family}",
        "batch": 1,
        "bits": _bits(config),
        **({"extra_parameters": made.idle} if made.idle else {}),
        "layers": made.items,
        "coverage": coverage,
        **({"notes": list(made.notes)} if made.notes else {}),
    }
    return Imported(values=values, coverage=coverage)


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise DseError(f"workload.path must be a file that exists, got {str(path)!r}")
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise DseError(f"{path}: a config.json must be at most {LARGEST_FILE_BYTES} bytes")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DseError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(values, dict):
        raise DseError(f"{path}: must hold an object, got {type(values).__name__}")
    inner = values.get("text_config")
    return inner if isinstance(inner, dict) and "model_type" in inner else values


def _tokens(config: Config, sizes: Mapping[str, int], names: Sequence[str]) -> Tokens:
    most = config.number("max_position_embeddings", "n_positions", default=LARGEST_BOUND)
    if names == ENCODER:
        length = sizes.get("seq_len", min(most, DEFAULT_LENGTH))
        tokens = Tokens(length, length)
    elif names == DECODER:
        context = sizes.get("context_len", min(most, DEFAULT_CONTEXT))
        tokens = Tokens(sizes.get("query_len", 1), context)
    else:
        return Tokens(1, 1)
    if not 1 <= tokens.queries <= tokens.context <= most:
        raise DseError(
            f"{config.path}: 1 <= query_len <= context_len <= {most} must hold, "
            f"got {tokens.queries} and {tokens.context}"
        )
    return tokens


def _name(config: Config, family: str) -> str:
    folder = config.path.resolve().parent.name
    own = config.values.get("_name_or_path")
    text = own if isinstance(own, str) and own else f"{folder}_{config.path.stem}"
    clean = "".join(x if x.isalnum() or x in "-_." else "_" for x in text.rpartition("/")[2])
    return clean[:100].strip("._") or family


def _bits(config: Config) -> dict[str, int]:
    """Return bits by the type of the weights, narrower where they are quantised."""
    text = str(config.values.get("dtype") or config.values.get("torch_dtype") or "float32")
    bits = TYPE_BITS.get(text.removeprefix("torch."), 32)
    quantised = config.values.get("quantization_config")
    own = quantised.get("bits") if isinstance(quantised, Mapping) else None
    weight = own if isinstance(own, int) and 1 <= own <= 32 else bits
    return {"input": bits, "weight": weight, "output": bits, "psum": 32}
