"""A transformer by its file of weights: its sizes, and the bits that its weights have."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dse.errors import DseError, nearest
from dse.importers.checkpoints.gguf import Header, read_header
from dse.importers.checkpoints.safetensors import stored_tensors
from dse.importers.coverage import Imported
from dse.importers.transformers.network import import_values, read_config
from dse.importers.transformers.widths import Widths

FAMILIES = {
    "llama": "llama", "mistral3": "ministral3", "qwen2": "qwen2", "qwen2moe": "qwen2_moe",
    "qwen3": "qwen3", "qwen3moe": "qwen3_moe", "gemma": "gemma", "gemma2": "gemma2",
    "gemma3": "gemma3_text", "phi2": "phi", "phi3": "phi3", "starcoder": "gpt_bigcode",
    "starcoder2": "starcoder2", "falcon": "falcon", "gpt2": "gpt2", "gptneox": "gpt_neox",
    "bloom": "bloom", "stablelm": "stablelm", "command-r": "cohere", "cohere2": "cohere2",
    "olmo": "olmo", "olmo2": "olmo2", "olmoe": "olmoe", "granite": "granite",
    "gpt-oss": "gpt_oss", "smollm3": "smollm3",
}  # fmt: skip
"""A configuration's ``model_type`` by a file's ``general.architecture``."""

KEYS = {
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "max_position_embeddings": "context_length",
    "sliding_window": "attention.sliding_window",
    "num_experts": "expert_count",
    "num_experts_per_tok": "expert_used_count",
    "moe_intermediate_size": "expert_feed_forward_length",
    "shared_expert_intermediate_size": "expert_shared_feed_forward_length",
    "vocab_size": "vocab_size",
}
"""A configuration's keys by those of a file, behind the name of its architecture."""

ACTIVATIONS = (
    "A .gguf file does not say how wide activations and the cache are: counted with 16 bits "
    "(workload.bits says otherwise)"
)


def import_safetensors(path: Path, sizes: Mapping[str, int]) -> Imported:
    """Import a transformer from a .safetensors file and the config.json beside it.

    Parameters
    ----------
    path
        The file; others of the same network lie beside it.
    sizes
        As in `dse.importers.transformers.network.import_config`.

    Raises
    ------
    DseError
        If a file is missing or cannot be read, or a size is wrong.
    """
    _check(path)
    config = path.parent / "config.json"
    if not config.is_file():
        raise DseError(f"{path}: needs the network's config.json beside it: it says what runs")
    widths = Widths(stored_tensors(path))
    return import_values(config, read_config(config), sizes, widths=widths)


def import_gguf(path: Path, sizes: Mapping[str, int]) -> Imported:
    """Import a transformer from a .gguf file, with the bits of each matrix.

    Parameters
    ----------
    path
        The file; of one in parts the first.
    sizes
        As in `dse.importers.transformers.network.import_config`.

    Raises
    ------
    DseError
        If the file cannot be read, its architecture is not known, or a size is wrong.
    """
    _check(path)
    header = read_header(path)
    values = _config(path, header)
    widths = Widths(header.tensors)
    imported = import_values(path, values, sizes, widths=widths, source="GGUF file")
    notes = [*imported.values.get("notes", ()), ACTIVATIONS]
    name = header.values.get("general.name")
    own = {"name": _name(name)} if isinstance(name, str) and _name(name) else {}
    return Imported(values={**imported.values, **own, "notes": notes}, coverage=imported.coverage)


def _check(path: Path) -> None:
    if not path.is_file():
        raise DseError(f"workload.path must be a file that exists, got {str(path)!r}")


def _name(text: str) -> str:
    clean = "".join(x if x.isalnum() or x in "-_." else "_" for x in text)
    return clean[:100].strip("._")


def _config(path: Path, header: Header) -> dict[str, Any]:
    """Return what a file says as the values of a config.json."""
    architecture = str(header.values.get("general.architecture"))
    if architecture not in FAMILIES:
        hint = nearest(architecture, FAMILIES)
        raise DseError(f"{path}: general.architecture {architecture!r} is not known{hint}")
    found = {key: header.values.get(f"{architecture}.{own}") for key, own in KEYS.items()}
    values = {key: _one(path, key, x) for key, x in found.items() if x is not None}
    family = FAMILIES[architecture]
    if family == "llama" and values.get("num_experts"):
        family = "mixtral"
    words = header.values.get("tokenizer.ggml.tokens")
    if isinstance(words, int):  # a list that long is its length
        values.setdefault("vocab_size", words)
    elif isinstance(words, list):
        values.setdefault("vocab_size", len(words))
    names = header.names
    return {
        **values,
        "model_type": family,
        "dtype": "float16",
        "tie_word_embeddings": "output.weight" not in names,
        "attention_bias": "blk.0.attn_q.bias" in names,
        "mlp_bias": "blk.0.ffn_up.bias" in names,
    }


def _one(path: Path, key: str, value: object) -> object:
    """Return a value that is the same for each block."""
    if not isinstance(value, list):
        return value
    if len(set(value)) != 1:
        raise DseError(f"{path}: {KEYS[key]} must be one for all blocks, got {value[:4]}")
    return value[0]
