"""Families of decoders, as data: what each has otherwise than Llama."""

from collections.abc import Mapping
from typing import Any

from dse.importers.transformers.config import Config
from dse.importers.transformers.decoders import Decoder


def _falcon(config: Config) -> Mapping[str, Any]:
    is_new, heads = config.flag("new_decoder_architecture"), config.positive("num_attention_heads")
    kv_heads = 1 if config.flag("multi_query") else heads
    if is_new:
        kv_heads = config.positive("num_kv_heads", default=heads)
    norms = 1 if config.flag("parallel_attn") else 2
    if is_new:
        norms = config.positive("num_ln_in_parallel_attn", default=2)
    return {"num_key_value_heads": kv_heads, "norms": norms}


def _one_key(config: Config) -> Mapping[str, Any]:
    heads = config.positive("num_attention_heads")
    return {"num_key_value_heads": 1 if config.flag("multi_query") else heads}


def _gpt_neo(config: Config) -> Mapping[str, Any]:
    given = config.get("attention_types") or [[["global"], config.positive("num_layers")]]
    names = {"global": "full_attention", "local": "sliding_attention"}
    kinds: list[str] = []
    try:
        for kind, times in given:
            kinds += [names.get(x, str(x)) for x in kind] * times
    except (TypeError, ValueError):
        config.refuse(f"attention_types must be lists of kinds and times, got {given!r}")
    return {"layer_types": kinds, "sliding_window": config.positive("window_size")}


def _opt(config: Config) -> Mapping[str, Any]:
    is_ahead = config.flag("do_layer_norm_before")
    has_norm = is_ahead and not config.flag("_remove_final_layer_norm")
    width = config.get("word_embed_proj_dim")
    return {"final_norm": has_norm, "word_embed_proj_dim": width or config.positive("hidden_size")}


def _mpt(config: Config) -> Mapping[str, Any]:
    return {"intermediate_size": config.positive("expansion_ratio") * config.positive("d_model")}


def _parallel(config: Config) -> Mapping[str, Any]:
    return {"norms": 1 if config.flag("use_parallel_residual") else 2}


def _llama4(_: Config) -> Mapping[str, Any]:
    return {"n_shared_experts": 1}


def _mamba(config: Config) -> Mapping[str, Any]:
    return {"num_attention_heads": 1, "intermediate_size": config.get("intermediate_size")}


LLAMA = Decoder()
QWEN2 = Decoder(query_bias=True, output_bias=False)
HEAD_NORMS = Decoder(head_norm="head")
WIDE_NORMS = Decoder(head_norm="width")
GPT2 = Decoder(
    norm=2, query_bias=True, output_bias=True, mlp_bias=True, gated=False, fused=True, positions=0
)
GPTJ = Decoder(
    norm=2, norms=1, query_bias=False, output_bias=False, mlp_bias=True, head_bias=True, gated=False
)

DECODERS: dict[str, Decoder] = {
    **dict.fromkeys(
        (
            "llama",
            "mistral",
            "ministral",
            "ministral3",
            "mixtral",
            "deepseek_v2",
            "deepseek_v3",
            "gemma",
            "granite",
            "granitemoe",
            "granitemoeshared",
            "smollm3",
            "helium",
            "vaultgemma",
            "cwm",
        ),
        LLAMA,
    ),
    "phi3": Decoder(fused=True),
    **dict.fromkeys(("qwen2", "qwen2_vl_text", "qwen2_5_vl_text"), QWEN2),
    "qwen2_moe": Decoder(query_bias="qkv_bias", output_bias=False),
    **dict.fromkeys(
        ("qwen3", "qwen3_moe", "exaone4", "hunyuan_v1_dense", "qwen3_vl_text", "qwen3_vl_moe_text"),
        HEAD_NORMS,
    ),
    "gemma2": Decoder(norms=4),
    "gemma3_text": Decoder(norms=4, head_norm="head"),
    "glm": Decoder(output_bias=False),
    "glm4": Decoder(output_bias=False, norms=4),
    "glm4_moe": Decoder(output_bias=False, head_norm="head", head_norm_if="use_qk_norm"),
    "seed_oss": Decoder(output_bias="attention_out_bias"),
    **dict.fromkeys(
        ("ernie4_5", "ernie4_5_moe"),
        Decoder(
            query_bias="use_bias", output_bias="use_bias", mlp_bias="use_bias", router_bias=True
        ),
    ),
    **dict.fromkeys(("olmo2", "olmo3", "olmoe", "flex_olmo", "minimax_m2"), WIDE_NORMS),
    "olmo": Decoder(norm=0),
    "cohere": Decoder(norms=1, head_norm="width", head_norm_if="use_qk_norm"),
    "cohere2": Decoder(norms=1),
    "gpt_oss": Decoder(sinks=True, expert_bias=True, router_bias=True),
    "llama4_text": Decoder(adapt=_llama4),
    "arcee": Decoder(gated=False),
    "apertus": Decoder(gated=False, head_norm="head", activation_parameters=2),
    "nemotron": Decoder(norm=2, gated=False),
    "bitnet": Decoder(inner_norms=True),
    "phimoe": Decoder(norm=2, head_bias="lm_head_bias"),
    "stablelm": Decoder(
        norm=2,
        norms="norms",
        query_bias="use_qkv_bias",
        output_bias=False,
        head_norm="width",
        head_norm_if="qk_layernorm",
        adapt=_parallel,
    ),
    "phi": Decoder(
        norm=2,
        norms=1,
        query_bias=True,
        output_bias=True,
        mlp_bias=True,
        head_bias=True,
        gated=False,
        head_norm="head",
        head_norm_if="qk_layernorm",
        head_norm_vectors=2,
    ),
    "persimmon": Decoder(
        norm=2,
        query_bias=True,
        output_bias=True,
        mlp_bias=True,
        gated=False,
        head_norm="head",
        head_norm_if="qk_layernorm",
        head_norm_vectors=2,
        fused=True,
    ),
    "starcoder2": Decoder(
        norm=2, query_bias="use_bias", output_bias="use_bias", mlp_bias="use_bias", gated=False
    ),
    "gpt_neox": Decoder(norm=2, mlp_bias=True, gated=False, fused=True),
    "gptj": GPTJ,
    "codegen": GPTJ,
    "gpt2": GPT2,
    "gpt_bigcode": Decoder(
        norm=2,
        query_bias=True,
        output_bias=True,
        mlp_bias=True,
        gated=False,
        fused=True,
        positions=0,
        adapt=_one_key,
    ),
    "openai-gpt": Decoder(
        norm=2,
        query_bias=True,
        output_bias=True,
        mlp_bias=True,
        gated=False,
        fused=True,
        positions=0,
        final_norm=False,
    ),
    "gpt_neo": Decoder(
        norm=2,
        query_bias=False,
        output_bias=True,
        mlp_bias=True,
        gated=False,
        positions=0,
        adapt=_gpt_neo,
    ),
    "opt": Decoder(
        norm=2,
        query_bias="enable_bias",
        output_bias="enable_bias",
        mlp_bias="enable_bias",
        gated=False,
        positions=2,
        final_norm="final_norm",
        adapt=_opt,
    ),
    "bloom": Decoder(
        norm=2,
        query_bias=True,
        output_bias=True,
        mlp_bias=True,
        gated=False,
        fused=True,
        embedding_norm=True,
    ),
    "falcon": Decoder(
        norm=2,
        norms="norms",
        query_bias="bias",
        output_bias="bias",
        mlp_bias="bias",
        gated=False,
        fused=True,
        adapt=_falcon,
    ),
    "mpt": Decoder(gated=False, fused=True, query_bias=False, output_bias=False, adapt=_mpt),
    **dict.fromkeys(("mamba", "mamba2", "falcon_mamba"), Decoder(adapt=_mamba)),
}
"""Families by ``model_type``; whether they attend to windows, and have experts, is in the file."""
