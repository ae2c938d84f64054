"""Keys of single families, made into those that all decoders have."""

from collections.abc import Mapping
from typing import Any

from dse.importers.transformers.config import Config


def falcon_keys(config: Config) -> Mapping[str, Any]:
    """Falcon: heads share one key, or a few; one norm or two."""
    is_new, heads = config.flag("new_decoder_architecture"), config.positive("num_attention_heads")
    kv_heads = 1 if config.flag("multi_query") else heads
    if is_new:
        kv_heads = config.positive("num_kv_heads", default=heads)
    norms = 1 if config.flag("parallel_attn") else 2
    if is_new:
        norms = config.positive("num_ln_in_parallel_attn", default=2)
    return {"num_key_value_heads": kv_heads, "norms": norms}


def one_key_keys(config: Config) -> Mapping[str, Any]:
    """GPT-BigCode: all heads share one key."""
    heads = config.positive("num_attention_heads")
    return {"num_key_value_heads": 1 if config.flag("multi_query") else heads}


def gpt_neo_keys(config: Config) -> Mapping[str, Any]:
    """GPT-Neo: kinds of attention in turn."""
    given = config.get("attention_types") or [[["global"], config.positive("num_layers")]]
    names = {"global": "full_attention", "local": "sliding_attention"}
    kinds: list[str] = []
    try:
        for kind, times in given:
            kinds += [names.get(x, str(x)) for x in kind] * times
    except (TypeError, ValueError):
        config.refuse(f"attention_types must be lists of kinds and times, got {given!r}")
    return {"layer_types": kinds, "sliding_window": config.positive("window_size")}


def opt_keys(config: Config) -> Mapping[str, Any]:
    """OPT: a last norm where norms come first."""
    is_ahead = config.flag("do_layer_norm_before")
    has_norm = is_ahead and not config.flag("_remove_final_layer_norm")
    width = config.get("word_embed_proj_dim")
    return {"final_norm": has_norm, "word_embed_proj_dim": width or config.positive("hidden_size")}


def mpt_keys(config: Config) -> Mapping[str, Any]:
    """MPT: the feed-forward block as a multiple."""
    return {"intermediate_size": config.positive("expansion_ratio") * config.positive("d_model")}


def parallel_keys(config: Config) -> Mapping[str, Any]:
    """StableLM: one norm for both halves where they run side by side."""
    return {"norms": 1 if config.flag("use_parallel_residual") else 2}


def llama4_keys(_: Config) -> Mapping[str, Any]:
    """Llama 4: an expert that all tokens use."""
    return {"n_shared_experts": 1}


def mamba_keys(config: Config) -> Mapping[str, Any]:
    """Return Mamba's own keys as those that networks with attention have for it."""
    names = {"mamba_d_state": "state_size", "mamba_d_conv": "conv_kernel",
             "mamba_expand": "expand", "mamba_dt_rank": "time_step_rank",
             "mamba_n_groups": "n_groups", "mamba_n_heads": "num_heads",
             "mamba_d_head": "head_dim", "mamba_proj_bias": "use_bias",
             "mamba_conv_bias": "use_conv_bias",
             "mamba_intermediate_size": "intermediate_size"}  # fmt: skip
    return {key: config.get(own) for key, own in names.items()}


def jamba_keys(config: Config) -> Mapping[str, Any]:
    """Jamba: attention and experts every so many blocks."""
    layers = range(config.positive("num_hidden_layers"))
    attending = config.positive("attn_layer_period"), config.number("attn_layer_offset")
    sparse = config.positive("expert_layer_period"), config.number("expert_layer_offset")
    return {
        "layer_types": [
            "attention" if x % attending[0] == attending[1] else "mamba" for x in layers
        ],
        "moe_layers": [x for x in layers if x % sparse[0] == sparse[1]],
        "mamba_norms": True,
    }


def bamba_keys(config: Config) -> Mapping[str, Any]:
    """Bamba: attention in a few blocks."""
    chosen = config.get("attn_layer_indices") or []
    if not isinstance(chosen, list):
        config.refuse(f"attn_layer_indices must be a list, got {chosen!r}")
    layers = range(config.positive("num_hidden_layers"))
    return {"layer_types": ["attention" if x in chosen else "mamba" for x in layers]}


def granite_hybrid_keys(config: Config) -> Mapping[str, Any]:
    """Granite 4: attention in a few blocks, and a part that all tokens use."""
    types = config.get("layer_types")
    layers = config.positive("num_hidden_layers")
    shared = config.positive("shared_intermediate_size")
    dense = {} if config.number("num_experts") else {"intermediate_size": shared}
    return {"layer_types": ["mamba"] * layers if types is None else types, **dense}


def qwen3_next_keys(config: Config) -> Mapping[str, Any]:
    """Qwen3-Next: attention in every fourth block."""
    if config.get("layer_types") is not None:
        return {}
    step = config.positive("full_attention_interval", default=4)
    layers = range(config.positive("num_hidden_layers"))
    kinds = ["linear_attention" if (x + 1) % step else "full_attention" for x in layers]
    return {"layer_types": kinds}


def falcon_h1_keys(config: Config) -> Mapping[str, Any]:
    """Falcon H1: a norm inside its state space where the file says so."""
    return {
        "mamba_rms_norm": config.flag("mamba_rms_norm"),
        "mamba_proj_bias": config.flag("mamba_proj_bias") or config.flag("projectors_bias"),
    }


def recurrent_gemma_keys(config: Config) -> Mapping[str, Any]:
    """RecurrentGemma: kinds of blocks in turn, windows, half of the feed-forward channels."""
    kinds, layers = config.get("block_types"), config.positive("num_hidden_layers")
    names = {"recurrent": "linear_attention", "attention": "sliding_attention"}
    if not isinstance(kinds, list) or not kinds or not all(x in names for x in map(str, kinds)):
        config.refuse(f"block_types must be a list of recurrent and attention, got {kinds!r}")
    return {
        "layer_types": [names[str(kinds[x % len(kinds)])] for x in range(layers)],
        "sliding_window": config.positive("attention_window_size"),
        "intermediate_size": config.positive("intermediate_size") // 2,
    }


def lfm2_keys(config: Config) -> Mapping[str, Any]:
    """LFM2: filters in most blocks, and a rounded feed-forward block."""
    has_own = config.get("block_ff_dim") is not None
    inner = config.positive("block_ff_dim" if has_own else "intermediate_size")
    if config.flag("block_auto_adjust_ff_dim"):
        whole = config.positive("block_multiple_of")
        factor = config.ratio("block_ffn_dim_multiplier", default=1.0)
        inner = -(-int(factor * int(2 * inner / 3)) // whole) * whole
    made: dict[str, Any] = {"intermediate_size": inner}
    chosen = config.get("full_attn_idxs")
    if config.get("layer_types") is None and isinstance(chosen, list):
        layers = range(config.positive("num_hidden_layers"))
        made["layer_types"] = ["full_attention" if x in chosen else "conv" for x in layers]
    return made
