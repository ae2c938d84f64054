"""A transformer's config.json as a workload: prefill or decode, without any weights."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dse.errors import DseError, nearest
from dse.importers.coverage import Imported
from dse.importers.transformers.config import Config, Tokens
from dse.importers.transformers.families import FAMILIES, NEEDED, SOUND, head_notes
from dse.importers.transformers.quantisation import Quantised, by_role, quantised, type_bits
from dse.importers.transformers.towers import text_of
from dse.importers.transformers.unread import unread_notes
from dse.importers.transformers.widths import Widths, by_width
from dse.workload import LARGEST_BOUND

LARGEST_FILE_BYTES = 2**24
DEFAULT_CONTEXT = 2048
DEFAULT_LENGTH = 128
DEFAULT_SAMPLES = 16000


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
    return import_values(path, read_config(path), sizes)


def import_values(
    path: Path,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    *,
    widths: Widths | None = None,
    source: str = "Hugging Face configuration",
) -> Imported:
    """Import a transformer from the values of a config.json.

    Parameters
    ----------
    path
        What they are of.
    sizes
        As in `import_config`.
    widths
        Bits of weights as they are stored; None, and of a quantised network, as values say.
    source
        What the file is.

    Raises
    ------
    DseError
        As `import_config` does.
    """
    family = values.get("model_type")
    if not isinstance(family, str) or family not in FAMILIES:
        hint = nearest(str(family), FAMILIES)
        raise DseError(f"{path}: model_type {family!r} is not a known family{hint}")
    names, build = FAMILIES[family]
    for key in sizes:
        if key not in names:
            raise DseError(
                f"workload of {path} has no key {key!r}{nearest(key, [*names, 'batch'])}"
            )
    config = Config(path, values, family)
    bits, rule = type_bits(config), quantised(config)
    for key, value in NEEDED.get(family, {}).items():
        config.choice(key, (None, value))
    made = build(config, _tokens(config, sizes, names))
    is_stored = widths is not None and rule.weight is None
    if widths is not None and is_stored:
        items, rule = by_width(made.items, widths), replace(rule, weight=widths.usual)
    else:
        items = by_role(made.items, rule, bits)
    coverage = {"operators": len(items), "operators_modelled": len(items),
                "operators_share": 1.0, "macs_share": 1.0, "bytes_share": 1.0,
                "not_understood": []}  # fmt: skip
    notes = [*made.notes, *rule.notes, *head_notes(config), *unread_notes(config)]
    found = {
        "name": _name(config, family),
        "source": f"{source} {path.name}, model_type {family}",
        "batch": 1,
        "bits": _bits(bits, rule),
        **({"extra_parameters": made.idle} if made.idle else {}),
        "layers": items,
        "coverage": coverage,
        **({"notes": notes} if notes else {}),
    }
    return Imported(values=found, coverage=coverage)


def read_config(path: Path) -> Mapping[str, Any]:
    """Return the values of a config.json.

    Raises
    ------
    DseError
        If it cannot be read, or is no object.
    """
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
    return values


def _tokens(config: Config, sizes: Mapping[str, int], names: Sequence[str]) -> Tokens:
    text = (
        text_of(config)
        if {"images", "sounds"} & set(names) or "text_config" in config.values
        else config
    )
    limit = "max_target_positions" if config.family == "whisper" else "max_position_embeddings"
    most = text.positive(limit, default=LARGEST_BOUND)
    length = sizes.get("seq_len", min(most, DEFAULT_LENGTH))
    image = sizes.get("image_size", 0)
    if names == SOUND:
        return Tokens(sources=sizes.get("samples", DEFAULT_SAMPLES))
    if "query_len" not in names:
        queries = context = length
    else:
        default = 1 if "seq_len" in names or config.family == "whisper" else DEFAULT_CONTEXT
        queries = sizes.get("query_len", 1)
        context = sizes.get("context_len", max(min(most, default), queries * (default == 1)))
    if not 1 <= queries <= context <= most or not 1 <= length <= most:
        raise DseError(
            f"{config.path}: 1 <= query_len <= context_len <= {most} must hold, "
            f"got {queries} and {context}"
        )
    inputs = sizes.get("images", sizes.get("sounds", int(queries == context)))
    return Tokens(queries=queries, context=context, sources=length, image=image, inputs=inputs)


def _name(config: Config, family: str) -> str:
    folder = config.path.resolve().parent.name
    own = config.values.get("_name_or_path")
    text = own if isinstance(own, str) and own else f"{folder}_{config.path.stem}"
    clean = "".join(x if x.isalnum() or x in "-_." else "_" for x in text.rpartition("/")[2])
    return clean[:100].strip("._") or family


def _bits(bits: float, rule: Quantised) -> dict[str, float]:
    """Return bits by role: of a quantised network the weights of products are narrower."""
    weight = bits if rule.weight is None else rule.weight
    cache = {} if rule.cache is None else {"cache": rule.cache}
    return {"input": bits, "weight": weight, "output": bits, "psum": 32, **cache}
