"""Bits of a config.json, by role: weights of products, and not the head, tables or a cache."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dse.errors import DseError
from dse.importers.transformers.config import Config
from dse.importers.transformers.layers import Item
from dse.workload import FORMAT_BITS

METHODS: dict[str, str | float] = {
    "gptq": "bits", "awq": "bits", "gptq_marlin": "bits", "awq_marlin": "bits",
    "auto-round": "bits", "intel/auto-round": "bits", "hqq": "nbits", "eetq": 8, "fp8": 8,
    "fbgemm_fp8": 8, "mxfp4": "mxfp4", "bitnet": 2, "bitsandbytes": "load",
    "compressed-tensors": "groups",
    "compressed_tensors": "groups", "modelopt": "algorithm", "quanto": "weights",
    "torchao": "type",
}  # fmt: skip
"""Methods, and where their bits stand. BitNet packs four weights of three values in a byte."""

WORDS: dict[str, str | float] = {
    "mxfp4": "mxfp4", "nvfp4": "nvfp4", "fp8": "fp8", "float8": "fp8", "int8": "int8",
    "int4": "int4", "int2": 2, "w4a16": 4, "w8a8": 8, "w4a8": 4, "fp8_pb_wo": "fp8",
}  # fmt: skip
"""Names of precisions that methods use, and what they mean."""

LEAST_SHARE = 0.01
"""A share of scales below this is left out. [bits]"""

PARTS = {
    "qkv": "self_attn.qkv_proj", "query": "self_attn.q_proj", "key": "self_attn.k_proj",
    "value": "self_attn.v_proj", "projection": "self_attn.o_proj",
    "query_down": "self_attn.q_a_proj", "query_up": "self_attn.q_b_proj",
    "latent": "self_attn.kv_a_proj_with_mqa", "key_value_up": "self_attn.kv_b_proj",
    "key_up": "self_attn.kv_b_proj", "value_up": "self_attn.kv_b_proj",
    "mlp_gate": "mlp.gate_proj", "mlp_up": "mlp.up_proj", "mlp_down": "mlp.down_proj",
    "router": "mlp.router", "expert_gate": "mlp.experts.gate_proj",
    "expert_up": "mlp.experts.up_proj", "expert_down": "mlp.experts.down_proj",
    "shared_gate": "mlp.shared_experts.gate_proj", "shared_up": "mlp.shared_experts.up_proj",
    "shared_down": "mlp.shared_experts.down_proj", "head": "lm_head",
    "state_in": "mixer.in_proj", "state_out": "mixer.out_proj",
    "state_steps_down": "mixer.x_proj", "state_steps_up": "mixer.dt_proj",
}  # fmt: skip
"""The module of a product, as lists of what is not quantised name it."""


@dataclass(frozen=True, slots=True)
class Quantised:
    """What a file says of quantisation.

    Attributes
    ----------
    weight, cache
        Bits of the weights of products, shares of scales included, and of keys and values; None
        where they are not quantised.
    kept
        Modules whose weights are not.
    has_head, only_experts, only_decoder
        Whether the head is among what is quantised; only experts, or the decoder's blocks.
    notes
        What the user should know.
    """

    weight: float | None = None
    cache: float | None = None
    kept: tuple[str, ...] = ()
    has_head: bool = False
    only_experts: bool = False
    only_decoder: bool = False
    notes: tuple[str, ...] = field(default=())


def type_bits(config: Config) -> float:
    """Return the bits of the type of the weights."""
    for key in ("dtype", "torch_dtype"):
        for part in (config, *(config.inner(x) for x in ("text_config", "vision_config"))):
            value = part.values.get(key)
            if value in (None, "auto"):
                continue
            name = str(value).removeprefix("torch.")
            if name not in FORMAT_BITS:
                config.refuse(f"{part.where}{key} must be a type such as bfloat16, got {value!r}")
            return FORMAT_BITS[name]
    return 32


def quantised(config: Config) -> Quantised:
    """Return what the file says of quantisation.

    Raises
    ------
    DseError
        If a method, or its bits, is not known.
    """
    given = config.values.get("quantization_config")
    if given is None:
        given = config.values.get("compression_config")
    if given is None and isinstance(config.values.get("text_config"), Mapping):
        given = config.values["text_config"].get("quantization_config")
    if given is None:
        return Quantised()
    if not isinstance(given, Mapping):
        config.refuse(f"quantization_config must hold an object, got {given!r}")
    part = Config(config.path, given, "", "quantization_config.")
    method = str(given.get("quant_method") or "")
    if not method and "bits" in given:
        return Quantised(weight=_grouped(part, part.number("bits", least=1), given))
    if method not in METHODS:
        known = ", ".join(sorted(METHODS))
        config.refuse(f"quantization_config.quant_method must be one of {known}, got {method!r}")
    weight, cache, notes = _bits(part, method)
    return Quantised(
        weight=weight,
        cache=cache,
        kept=_kept(given),
        has_head=bool(given.get("lm_head")) or _names_no_head(given),
        only_experts=method == "mxfp4",
        only_decoder=METHODS[method] == "bits",
        notes=notes,
    )


def _kept(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the modules that are listed as not quantised."""
    keys = ("modules_to_not_convert", "ignore", "ignored_layers", "llm_int8_skip_modules",
            "exclude_modules", "skip_modules")  # fmt: skip
    lists = (given.get(key) for key in keys)
    return tuple(str(x) for found in lists if isinstance(found, list) for x in found)


def _names_no_head(given: Mapping[str, Any]) -> bool:
    """Whether a list of what is not quantised leaves the head to be."""
    listed = given.get("ignore")
    return isinstance(listed, list) and not any("lm_head" in str(x) for x in listed)


def _bits(part: Config, method: str) -> tuple[float | None, float | None, tuple[str, ...]]:
    """Return bits of weights and of the cache, and what to know of them."""
    where, values = METHODS[method], part.values
    if where == "bits":
        return _grouped(part, part.number("bits", least=1), values), None, ()
    if where == "nbits":
        inner = part.inner("quant_config").inner("weight_quant_params")
        return _grouped(inner, inner.number("nbits", least=1), inner.values), None, ()
    if where == "load":
        return *_loaded(part), ()
    if where == "groups":
        return _compressed(part)
    if where == "algorithm":
        algorithm = part.get("quant_algo")
        cache = part.get("kv_cache_quant_algo")
        return _word(part, "quant_algo", algorithm), cache and _word(part, "cache", cache), ()
    if where in ("weights", "type"):
        key = "weights" if where == "weights" else "quant_type"
        return _word(part, key, part.get(key)), None, ()
    return FORMAT_BITS[where] if isinstance(where, str) else float(where), None, ()


def _loaded(part: Config) -> tuple[float, None]:
    """Return the bits of bitsandbytes; the file does not say how long its blocks are."""
    keys = {4: ("load_in_4bit", "_load_in_4bit"), 8: ("load_in_8bit", "_load_in_8bit")}
    found = [bits for bits, names in keys.items() if any(part.flag(x) for x in names)]
    if not found:
        part.refuse(f"{part.where}load_in_4bit or load_in_8bit must be true, got neither")
    return found[0], None


def _compressed(part: Config) -> tuple[float | None, float | None, tuple[str, ...]]:
    """Return the bits of compressed-tensors: of its one group of weights, and of its cache."""
    groups = part.get("config_groups")
    if not isinstance(groups, Mapping) or not groups:
        part.refuse(f"{part.where}config_groups must hold groups, got {groups!r}")
    found: set[float] = set()
    notes = []
    for name in groups:
        group = part.inner("config_groups").inner(name)
        weights = group.inner("weights")
        found.add(_grouped(weights, weights.number("num_bits", least=1), weights.values))
        if group.get("input_activations"):
            bits = group.inner("input_activations").number("num_bits", least=1)
            notes.append(
                f"Activations are made {bits} bits wide as products read them, and move as they "
                "were: workload.bits.input says otherwise"
            )
    if len(found) > 1:
        part.refuse(f"{part.where}config_groups must have weights of one width, got {found}")
    cache = part.get("kv_cache_scheme")
    kept = part.inner("kv_cache_scheme").number("num_bits", least=1) if cache else None
    return found.pop(), kept, tuple(notes)


def _word(part: Config, key: str, value: object) -> float:
    """Return the bits of a precision by its name."""
    text = str(value).lower().replace("-", "_")
    found = [bits for name, bits in WORDS.items() if name in text]
    if not found:
        part.refuse(f"{part.where}{key} must name a precision such as int4, got {value!r}")
    return FORMAT_BITS[found[0]] if isinstance(found[0], str) else found[0]


def _grouped(part: Config, bits: int, given: Mapping[str, Any]) -> float:
    """Return bits with the share of a group's scale of 16 bits, and of its zero point."""
    size = given.get("group_size")
    if not isinstance(size, int) or size < 1:
        return bits
    has_zero = given.get("zero_point") is True or given.get("sym", given.get("symmetric")) is False
    if str(given.get("quant_method")) == "gptq":  # its zero points are kept in any case
        has_zero = True
    share = (16 + bits * has_zero) / size
    if part.get("type") == "float" and bits == 4 and size in (16, 32):  # scales of eight bits
        share = 8 / size
    return bits + (share if share >= LEAST_SHARE else 0)


def by_role(items: Sequence[Item], q: Quantised, bits: float) -> list[Item]:
    """Return layers with bits of their own where they are not quantised, roles taken off.

    Layers of which only some numbers are listed are cut in two.
    """
    found: list[Item] = []
    for item in items:
        role = item.pop("role")
        is_filter = item.get("fy", 1) * item.get("fx", 1) > 1
        is_product = "op" not in item and not item.get("weight_is_activation") and not is_filter
        if q.weight is None or "op" in item or item.get("weight_is_activation"):
            found.append(item)
            continue
        if not is_product:
            found.append({**item, "bits": {"weight": bits}})
            continue
        found += _cut(item, _kept_places(role, q), len(role[2]) or 1, bits)
    return found


def _cut(item: Item, kept: int, places: int, bits: float) -> list[Item]:
    """Return a layer of which some are kept at their bits."""
    own = {**item, "bits": {"weight": bits}}
    if kept in (0, places):
        return [own if kept else item]
    each = item.get("repeat", 1) // places
    parts = []
    for made, count, suffix in ((item, places - kept, ""), (own, kept, "_kept")):
        parts.append({**made, "name": item["name"] + suffix, "repeat": each * count})
    return parts


def _kept_places(role: tuple[str, str, tuple[int, ...]], q: Quantised) -> int:
    """Return how many layers of a role are not quantised."""
    module, part, places = role
    every = len(places) or 1
    if part == "head":
        return 0 if q.has_head else every
    is_block = bool(places) and not module.startswith("vision")
    if q.only_experts and not part.startswith("expert_"):
        return every
    if part == "router" or (q.only_decoder and not is_block):
        return every
    if not places and part not in PARTS and not part.startswith(("join", "merge")):
        return every  # patches, filters and what makes no product of a Linear
    name = PARTS.get(part.removesuffix("_rest"), part)
    full = [f"{module.format(number)}.{name}" for number in places] or [f"{module}{name}"]
    return sum(any(_matches(x, one) for x in q.kept) for one in full)


def _matches(pattern: str, name: str) -> bool:
    """Whether an entry of a list means a module: a pattern after re:, a part of its name else."""
    if pattern.startswith("re:"):
        try:
            return re.match(pattern[3:], name) is not None
        except re.error as error:
            raise DseError(f"quantization_config.ignore: {pattern!r} is no pattern") from error
    words, own = pattern.strip(".").split("."), name.split(".")
    if own[0].startswith("vision"):
        return any(word.startswith("vis") for word in words) or words[-1] in own
    spans = (own[i : i + len(words)] for i in range(len(own) - len(words) + 1))
    return any(all(x in ("*", y) for x, y in zip(words, span, strict=True)) for span in spans)
