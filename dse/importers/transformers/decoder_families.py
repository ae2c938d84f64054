"""Families of decoders, as data: what each has otherwise than Llama."""

from dataclasses import replace

from dse.importers.transformers.adapters import (
    bamba_keys,
    falcon_h1_keys,
    falcon_keys,
    gpt_neo_keys,
    granite_hybrid_keys,
    jamba_keys,
    lfm2_keys,
    llama4_keys,
    mamba_keys,
    mpt_keys,
    one_key_keys,
    opt_keys,
    parallel_keys,
    qwen3_next_keys,
    recurrent_gemma_keys,
)
from dse.importers.transformers.decoders import Decoder

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
            "deepseek",
            "kimi_k2",
            "gemma",
            "granite",
            "granitemoe",
            "granitemoeshared",
            "smollm3",
            "helium",
            "vaultgemma",
            "cwm",
            "glm4_moe_lite",
            "youtu",
            "solar_open",
            "internlm3",
            "glm4_moe_lite",
            "youtu",
            "solar_open",
            "internlm3",
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
    "llama4_text": Decoder(adapt=llama4_keys),
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
        adapt=parallel_keys,
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
    "gpt_bigcode": replace(GPT2, adapt=one_key_keys),
    "openai-gpt": replace(GPT2, final_norm=False),
    "gpt_neo": replace(GPT2, query_bias=False, fused=False, adapt=gpt_neo_keys),
    "opt": replace(
        GPT2,
        query_bias="enable_bias",
        output_bias="enable_bias",
        mlp_bias="enable_bias",
        fused=False,
        positions=2,
        final_norm="final_norm",
        adapt=opt_keys,
    ),
    "bloom": replace(GPT2, positions=None, embedding_norm=True),
    "falcon": Decoder(
        norm=2,
        norms="norms",
        query_bias="bias",
        output_bias="bias",
        mlp_bias="bias",
        gated=False,
        fused=True,
        adapt=falcon_keys,
    ),
    "mpt": Decoder(gated=False, fused=True, query_bias=False, output_bias=False, adapt=mpt_keys),
    "xglm": Decoder(norm=2, query_bias=True, output_bias=True, mlp_bias=True, gated=False),
    "biogpt": Decoder(
        norm=2, query_bias=True, output_bias=True, mlp_bias=True, gated=False, positions=2
    ),
    "nanochat": Decoder(norm=0, gated=False),
    "jamba": Decoder(query_bias=False, output_bias=False, adapt=jamba_keys),
    "bamba": Decoder(adapt=bamba_keys),
    "granitemoehybrid": Decoder(adapt=granite_hybrid_keys),
    **dict.fromkeys(
        ("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text"),
        Decoder(head_norm="head", query_gate=True, adapt=qwen3_next_keys),
    ),
    "internlm2": Decoder(query_bias="bias", output_bias="bias", fused=True),
    "baichuan": Decoder(query_bias=False, output_bias=False, fused=True),
    "falcon_h1": Decoder(states_beside="mamba2", adapt=falcon_h1_keys),
    "recurrent_gemma": Decoder(output_bias=True, mlp_bias=True, adapt=recurrent_gemma_keys),
    "lfm2": Decoder(query_bias=False, output_bias=False, head_norm="head", adapt=lfm2_keys),
    **dict.fromkeys(("mamba", "mamba2", "falcon_mamba"), Decoder(adapt=mamba_keys)),
}
"""Families by ``model_type``; whether they attend to windows, and have experts, is in the file."""
