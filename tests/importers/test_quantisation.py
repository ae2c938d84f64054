"""Bits by role: weights of products are narrower where a configuration is quantised."""

import json

import pytest

import dse

LLAMA2 = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
    "vocab_size": 32000, "max_position_embeddings": 4096, "torch_dtype": "float16",
    "tie_word_embeddings": False,
}  # fmt: skip
LINEAR = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)  # 6.476e9 of 6.607e9 with the head
HEAD, CACHE = 32000 * 4096, 32 * 2 * 4096 * 4096  # of 4,096 tokens
GROUP = {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 4, "type": "int"}}}


def load(folder, quantisation, config=LLAMA2, **sizes):
    path = folder / "config.json"
    path.write_text(json.dumps(config | {"quantization_config": quantisation}), encoding="utf-8")
    return dse.load_workload(path, **sizes)


def weights_by_bits(made):
    found = {}
    for layer in made.layers:
        if layer.has_macs and not layer.weight_is_activation:
            size = layer.weight_elements * layer.repeat
            found[layer.weight_bits] = found.get(layer.weight_bits, 0) + size
    return found


@pytest.mark.parametrize(
    ("quantisation", "bits"),
    [
        ({"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}, 8),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 4),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True, "load_in_4bit": False}, 8),
        ({"quant_method": "compressed-tensors", "config_groups": GROUP}, 4),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": True}, 4 + 20 / 128),
        ({"quant_method": "gptq", "bits": 3, "group_size": -1}, 3),
        ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}, 4 + 20 / 128),
        ({"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 2}}}, 2),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, 4.5),
        ({"quant_method": "quanto", "weights": "int4"}, 4),
        ({"quant_method": "eetq"}, 8),
    ],
)
def test_only_weights_of_products_are_quantised(tmp_path, quantisation, bits):
    made = load(tmp_path, quantisation, context_len=4096)
    assert weights_by_bits(made) == {bits: LINEAR, 16: HEAD}
    for layer in made.layers:
        assert (layer.input_bits, layer.output_bits) == (16, 16)
        if layer.weight_is_activation:
            assert layer.weight_bits == 16


@pytest.mark.parametrize(
    ("quantisation", "total"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, 8.9e9),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 5.7e9),
    ],
)
def test_a_token_moves_the_bytes_of_its_weights_and_cache(tmp_path, quantisation, total):
    made = load(tmp_path, quantisation, context_len=4096)
    chip = dse.load_accelerator("systolic")
    moved = float(dse.evaluate(made, chip, objective="dram_bytes").layers["dram_bytes"].sum())
    bits = 8 if "weight_block_size" in quantisation else 4
    least = LINEAR * bits / 8 + (HEAD + CACHE) * 2
    assert least < moved < 1.01 * least
    assert moved == pytest.approx(total, rel=0.01)


def test_a_head_and_a_cache_are_quantised_where_the_file_says_so(tmp_path):
    made = load(tmp_path, {"quant_method": "gptq", "bits": 4, "lm_head": True})
    assert weights_by_bits(made) == {4: LINEAR + HEAD}
    scheme = {"num_bits": 8, "type": "float"}
    whole = {"quant_method": "compressed-tensors", "config_groups": GROUP, "ignore": []}
    made = load(tmp_path, {**whole, "kv_cache_scheme": scheme})
    assert weights_by_bits(made) == {4: LINEAR + HEAD}
    assert {x.weight_bits for x in made.layers if x.weight_is_activation} == {8}
    made = load(tmp_path, {"quant_method": "modelopt", "quant_algo": "FP8",
                           "kv_cache_quant_algo": "FP8"})  # fmt: skip
    assert {x.weight_bits for x in made.layers if x.weight_is_activation} == {8}


def test_modules_that_are_listed_keep_their_bits_layer_by_layer(tmp_path):
    kept = ["lm_head", "model.layers.0.self_attn", "model.layers.31.mlp.down_proj", "up_proj"]
    made = load(tmp_path, {"quant_method": "fp8", "modules_to_not_convert": kept})
    ups, attention = 32 * 4096 * 11008, 4 * 4096 * 4096
    own = HEAD + attention + 4096 * 11008 + ups
    assert weights_by_bits(made) == {8: LINEAR + HEAD - own, 16: own}
    names = {x.name: x.repeat for x in made.layers}
    assert (names["mlp_down"], names["mlp_down_kept"]) == (31, 1)
    pattern = ["re:.*self_attn.*", "lm_head"]
    made = load(tmp_path, {"quant_method": "compressed-tensors", "config_groups": GROUP,
                           "ignore": pattern})  # fmt: skip
    assert weights_by_bits(made)[16] == HEAD + 32 * attention


def test_mxfp4_is_for_experts_alone(tmp_path):
    config = {
        "model_type": "gpt_oss", "hidden_size": 2880, "intermediate_size": 2880,
        "num_hidden_layers": 24, "num_local_experts": 32, "num_experts_per_tok": 4,
        "vocab_size": 201088, "head_dim": 64, "num_attention_heads": 64,
        "num_key_value_heads": 8, "torch_dtype": "bfloat16",
    }  # fmt: skip
    rule = {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn",
            "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]}  # fmt: skip
    made = load(tmp_path, rule, config)
    experts = 24 * 4 * 3 * 2880 * 2880
    others = 24 * (2 * 2880 * 4096 + 2 * 2880 * 512 + 2880 * 32) + 201088 * 2880
    assert weights_by_bits(made) == {4.25: experts, 16: others}
