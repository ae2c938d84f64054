"""Families of Hugging Face configurations against counts by transformers' own models.

families.json: configurations (the defaults of each family's class, of published models, and
short ones, named given_, as people write them); ``parameters`` is the sum of `numel` over the
parameters of the model that transformers 5.24 builds from it on torch's meta device; ``macs``
are half of what torch's own `FlopCounterMode` counts for one forward pass (eager attention; the
experts of a mixture as batched products) of 128 tokens, the head for the last one, of an image,
or of 128 tokens in and one out. Absent where that counts something else: state spaces, whose
scan it pads and counts as products, experts that are all computed, a head for every token.
"""

import json
from pathlib import Path

import pytest

import dse
from dse import DseError
from dse.importers.transformers.families import ENCODER, FAMILIES, IMAGE, SEQUENCES, SOUND

MODELS = json.loads(Path(__file__).with_name("families.json").read_text(encoding="utf-8"))
TOKENS = 128
POOLERS = ("bert", "roberta", "camembert", "xlm-roberta", "ernie", "data2vec-text", "mpnet", "vit",
           "deit", "albert", "esm", "mobilebert", "xlm-roberta-xl",
           "roberta-prelayernorm")  # fmt: skip


def load(folder, config, **sizes):
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return dse.load_workload(path, **sizes)


def sizes_of(config):
    names = FAMILIES[config["model_type"]][0]
    if config["model_type"] == "clip_text_model":  # its own 77 tokens
        return {"seq_len": config["max_position_embeddings"]}
    if names in (ENCODER, SEQUENCES):
        return {"seq_len": TOKENS}
    if names in (IMAGE, SOUND) or "seq_len" in names or config["model_type"] == "whisper":
        return {}
    return {"query_len": TOKENS, "context_len": TOKENS}


def lengths(name):
    return sizes_of(MODELS[name]["config"])


def pooler(config):
    """Return the weights of a pooler, which is not run."""
    return config["hidden_size"] ** 2 if config["model_type"] in POOLERS else 0


@pytest.mark.parametrize("name", MODELS)
def test_parameters_equal_those_of_the_model(tmp_path, name):
    config = MODELS[name]["config"]
    made = load(tmp_path, config, **lengths(name))
    assert made.weight_elements == MODELS[name]["parameters"]


@pytest.mark.parametrize("name", [x for x in MODELS if "macs" in MODELS[x]])
def test_macs_equal_those_that_torch_counts(tmp_path, name):
    config = MODELS[name]["config"]
    made = load(tmp_path, config, **lengths(name))
    assert made.macs + pooler(config) == MODELS[name]["macs"]


@pytest.mark.parametrize(
    "name", [x for x in MODELS if "context_len" in str(sizes_of(MODELS[x]["config"]))]
)
def test_decode_has_the_parameters_of_prefill(tmp_path, name):
    config = MODELS[name]["config"]
    made = load(tmp_path, config, query_len=1, context_len=TOKENS)
    assert made.weight_elements == MODELS[name]["parameters"]


def test_decode_of_an_encoder_and_a_decoder_runs_the_decoder_alone(tmp_path):
    config = MODELS["given_t5_small"]["config"]
    start = load(tmp_path, config, seq_len=100)
    later = load(tmp_path, config, seq_len=100, query_len=1, context_len=9)
    assert start.weight_elements == later.weight_elements == 60506624
    assert not any(x.name.startswith("encoder_") for x in later.layers)
    width, heads, layers = 512, 8, 6  # projections of one token, two of them for the cross part
    products = layers * (4 + 2 + 2 * 4) * width * width
    pairs = layers * heads * 64 * 2 * (9 + 100)
    assert later.macs == products + pairs + 32128 * width
    assert "computed once, with the first token" in later.notes[0]


def test_a_head_follows_the_architecture(tmp_path):
    config = MODELS["given_whisper"]["config"]
    whole = load(tmp_path, config | {"architectures": ["WhisperForConditionalGeneration"]})
    assert whole.macs == 20251204608 + 51865 * 384
    assert whole.weight_elements == 37760640
    gemma = MODELS["given_gemma3_1b"]["config"] | {"architectures": ["Gemma3TextModel"]}
    bare = load(tmp_path, gemma, query_len=TOKENS, context_len=TOKENS)
    assert bare.macs == 90487914496 - 262144 * 1152
    assert bare.weight_elements == 999885952


MULTIMODAL = {
    "architectures": ["Mistral3ForConditionalGeneration"],
    "model_type": "mistral3",
    "torch_dtype": "bfloat16",
    "spatial_merge_size": 2,
    "text_config": {
        "model_type": "mistral", "hidden_size": 5120, "intermediate_size": 32768,
        "num_hidden_layers": 40, "num_attention_heads": 32, "num_key_value_heads": 8,
        "head_dim": 128, "vocab_size": 131072, "max_position_embeddings": 131072,
        "sliding_window": None,
    },
    "vision_config": {
        "model_type": "pixtral", "hidden_size": 1024, "intermediate_size": 4096,
        "num_hidden_layers": 24, "num_attention_heads": 16, "head_dim": 64, "image_size": 1540,
        "patch_size": 14,
    },
}  # fmt: skip
TEXT = 23_572_403_200
TOWER, JOINT = 403_305_472, 1024 + 4096 * 1024 + 1024 * 5120 + 5120 * 5120
TOWER_MACS = 12_075_733_401_600  # PixtralVisionModel, by torch's counter


def test_a_tower_of_images_is_read_with_its_decoder(tmp_path):
    made = load(tmp_path, MULTIMODAL, query_len=128, context_len=128)
    assert made.weight_elements == TEXT + TOWER + JOINT
    assert {x.weight_bits for x in made.layers} == {16}
    alone = load(tmp_path, MULTIMODAL["text_config"], query_len=128, context_len=128)
    assert alone.weight_elements == TEXT
    merged = 55 * 55  # of 110 x 110 patches
    assert made.macs - alone.macs == TOWER_MACS + merged * (JOINT - 1024)
    assert "Images seen: 1 of 1540 x 1540 pixels" in " ".join(made.notes)


def test_a_decoded_token_sees_no_image_anew(tmp_path):
    made = load(tmp_path, MULTIMODAL, query_len=1, context_len=4096)
    assert made.weight_elements == TEXT + TOWER + JOINT
    assert not any(x.name.startswith("image_") for x in made.layers)
    assert "workload.images=1" in made.notes[0]
    two = load(tmp_path, MULTIMODAL, query_len=1, context_len=4096, images=2, image_size=224)
    one = load(tmp_path, MULTIMODAL, query_len=1, context_len=4096, images=1, image_size=224)
    assert two.macs - made.macs == 2 * (one.macs - made.macs)
    assert two.weight_elements == one.weight_elements == made.weight_elements


def test_attention_to_a_chunk_or_a_window_is_bounded(tmp_path):
    made = load(tmp_path, MODELS["llama4_text"]["config"], query_len=1, context_len=100_000)
    scores = {x.name: (x.k, x.repeat) for x in made.layers if x.name.startswith("scores")}
    assert scores == {"scores": (100_000, 12), "scores_local": (8192, 36)}
    made = load(tmp_path, MODELS["given_gemma3_1b"]["config"], query_len=1, context_len=4096)
    scores = {x.name: (x.k, x.repeat) for x in made.layers if x.name.startswith("scores")}
    assert scores == {"scores": (4096, 4), "scores_local": (512, 22)}


def test_tokens_spread_over_experts_to_the_last_one(tmp_path):
    config = MODELS["qwen2_moe"]["config"]  # 60 experts, 4 a token
    made = load(tmp_path, config, query_len=100, context_len=100)
    experts = [x for x in made.layers if x.name.startswith("expert_up")]
    assert {(x.name, x.oy, x.repeat // 24) for x in experts} == {
        ("expert_up", 7, 40),
        ("expert_up_rest", 6, 20),
    }
    assert made.weight_elements == MODELS["qwen2_moe"]["parameters"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"layer_types": ["full_attention"] * 3}, "layer_types must have 26 entries"),
        ({"layer_types": ["lightning"] * 26}, "layer_types must be of full_attention"),
        ({"num_key_value_heads": 3}, "must divide num_attention_heads = 4, got 3"),
        ({"dtype": "float7"}, "dtype must be a type such as bfloat16, got 'float7'"),
        ({"hidden_size": float("nan")}, "hidden_size must be a whole number"),
        ({"num_hidden_layers": "many"}, "num_hidden_layers must be a whole number"),
        ({"quantization_config": 4}, "quantization_config must hold an object, got 4"),
        ({"quantization_config": {"quant_method": "magic"}}, "got 'magic'"),
        ({"quantization_config": {"quant_method": "awq"}}, "'quantization_config.bits'"),
        ({"quantization_config": {"quant_method": "quanto", "weights": "few"}}, "got 'few'"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "must be true, got neither"),
        ({"quantization_config": {"quant_method": "compressed-tensors"}}, "must hold groups"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path, change, rule):
    with pytest.raises(DseError) as caught:
        load(tmp_path, MODELS["given_gemma3_1b"]["config"] | change)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (MULTIMODAL | {"vision_config": {"model_type": "eye"}}, "'eye' is not a known tower"),
        (MULTIMODAL | {"text_config": {"model_type": "lama"}}, "'lama' is not a known family"),
        (MULTIMODAL | {"vision_config": [1]}, "vision_config must hold an object, got [1]"),
        ({"model_type": "t5", "d_model": 8, "num_heads": 2, "num_layers": 1, "d_ff": 8,
          "vocab_size": 9, "feed_forward_proj": "gated-x-y"}, "got 'gated-x-y'"),
    ],
)  # fmt: skip
def test_parts_that_are_not_known_are_named(tmp_path, config, rule):
    with pytest.raises(DseError) as caught:
        load(tmp_path, config)
    assert rule in str(caught.value)


def test_what_was_not_read_is_told(tmp_path):
    config = MODELS["given_phi3"]["config"]
    made = load(tmp_path, config | {"num_memory_layers": 4, "rms_norm_eps": 1e-6, "use_cache": 1})
    assert made.notes == ("Not read, not among the keys known to matter: num_memory_layers = 4",)
    assert not load(tmp_path, config).notes


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("given_phi3", {"audio_config": {"model_type": "ear"}}, "audio_config (model_type 'ear')"),
        ("bert", {"position_embedding_type": "relative_key"}, "must be one of None, absolute"),
        ("albert", {"num_hidden_groups": 2}, "num_hidden_groups must be one of None, 1, got 2"),
        ("gpt_neo", {"attention_types": 3}, "attention_types must be lists"),
        ("qwen3_moe", {"mlp_only_layers": 3}, "mlp_only_layers must be a list, got 3"),
        ("swin_large_384", {"image_size": 2}, "image_size must be at least 4, a patch, got 2"),
        ("swin_large_384", {"num_heads": [3]}, "num_heads must have 4 entries"),
        ("convnext", {"image_size": 16}, "image_size must be at least 32, got 16"),
        ("internvl", {"downsample_ratio": "x"}, "downsample_ratio must be a number above 0"),
        ("vit", {"patch_size": [16, 8]}, "patch_size must be square"),
    ],
)
def test_values_that_a_family_is_not_known_for_are_refused(tmp_path, name, change, rule):
    with pytest.raises(DseError) as caught:
        load(tmp_path, MODELS[name]["config"] | change)
    assert rule in str(caught.value)


def test_a_state_is_moved_once_for_all_tokens_of_a_run(tmp_path):
    config = MODELS["mamba_2.8b"]["config"]
    inner, state, taps, rank, layers, width = 2 * 2560, 16, 4, 160, 64, 2560
    products = width * 2 * inner + inner * taps + inner * (rank + 2 * state) + rank * inner
    products += inner * width
    for tokens in (1, 9):
        made = load(tmp_path, config, query_len=tokens, context_len=tokens)
        assert made.macs == layers * tokens * products + 50280 * width
        scan = next(x for x in made.layers if x.name == "state_scan")
        assert scan.input_elements == tokens * 2 * inner + inner * state
        assert scan.output_elements == tokens * inner + inner * state
    assert "scan" in made.notes[0]


def test_blocks_of_a_hybrid_attend_where_the_file_says(tmp_path):
    made = load(tmp_path, MODELS["jamba"]["config"], query_len=1, context_len=500)
    assert {x.name: x.repeat for x in made.layers if x.name.startswith("scores")} == {
        "scores_dense": 4
    }
    assert sum(x.repeat for x in made.layers if x.name.startswith("state_scan")) == 28


def test_samples_become_frames(tmp_path):
    """49 frames of 16,000 samples; torch counts 50 of the filter of positions, and cuts one."""
    counted = 6911374336 - 128 * 768 * 768 // 16
    assert load(tmp_path, MODELS["wav2vec2_base"]["config"]).macs == counted
    large = 17810762752 - 128 * 1024 * 1024 // 16
    assert load(tmp_path, MODELS["wav2vec2_large"]["config"], samples=16000).macs == large
    with pytest.raises(DseError, match="samples must be more, got 100"):
        load(tmp_path, MODELS["wav2vec2_base"]["config"], samples=100)


@pytest.mark.parametrize("name", ["qwen2_audio", "voxtral"])
def test_a_tower_of_sounds_is_read_with_its_decoder(tmp_path, name):
    config = MODELS[name]["config"]
    made = load(tmp_path, config, query_len=TOKENS, context_len=TOKENS)
    tower = [x for x in made.layers if x.name.startswith("sound_") and "join" not in x.name]
    assert sum(x.macs * x.repeat for x in tower) == 1_136_885_760_000
    none = load(tmp_path, config, query_len=TOKENS, context_len=TOKENS, sounds=0)
    assert none.weight_elements == made.weight_elements
    assert "workload.sounds=1" in " ".join(none.notes)


def test_a_head_of_its_own_is_told(tmp_path):
    config = MODELS["gpt2"]["config"]
    whole = load(tmp_path, config | {"architectures": ["GPT2LMHeadModel"]}, query_len=1)
    bare = load(tmp_path, config | {"architectures": ["GPT2Model"]}, query_len=1)
    assert whole.macs - bare.macs == 50257 * 768
    assert not whole.notes
    made = load(tmp_path, MODELS["bert"]["config"] | {"architectures": ["BertForMaskedLM"]})
    assert made.notes == (
        "BertForMaskedLM: its own head is not modelled; the network ahead of it is",
    )


def test_an_encoder_alone(tmp_path):
    """35,330,816 parameters: transformers' T5EncoderModel of t5-small."""
    config = MODELS["given_t5_small"]["config"] | {"architectures": ["T5EncoderModel"]}
    made = load(tmp_path, config, seq_len=TOKENS)
    assert made.weight_elements == 35_330_816
    assert not any(x.name.startswith("decoder_") for x in made.layers)


PUBLISHED = {
    "gemma_3_4b": (4_300_079_472, {
        "model_type": "gemma3", "mm_tokens_per_image": 256, "torch_dtype": "bfloat16",
        "text_config": {"hidden_size": 2560, "intermediate_size": 10240,
                        "model_type": "gemma3_text", "num_hidden_layers": 34,
                        "sliding_window": 1024},
        "vision_config": {"hidden_size": 1152, "image_size": 896, "intermediate_size": 4304,
                          "model_type": "siglip_vision_model", "num_attention_heads": 16,
                          "num_hidden_layers": 27, "patch_size": 14, "vision_use_head": False},
    }),
    "paligemma_3b": (2_923_466_480, {
        "model_type": "paligemma", "projection_dim": 2048,
        "text_config": {"hidden_size": 2048, "intermediate_size": 16384, "model_type": "gemma",
                        "num_attention_heads": 8, "num_hidden_layers": 18,
                        "num_key_value_heads": 1, "vocab_size": 257216},
        "vision_config": {"hidden_size": 1152, "intermediate_size": 4304,
                          "model_type": "siglip_vision_model", "num_attention_heads": 16,
                          "num_hidden_layers": 27, "patch_size": 14, "projection_dim": 2048,
                          "vision_use_head": False},
    }),
    "qwen2_vl_2b": (2_208_985_600, {
        "model_type": "qwen2_vl", "hidden_size": 1536, "intermediate_size": 8960,
        "num_attention_heads": 12, "num_hidden_layers": 28, "num_key_value_heads": 2,
        "tie_word_embeddings": True, "vocab_size": 151936,
        "vision_config": {"depth": 32, "embed_dim": 1280, "mlp_ratio": 4, "num_heads": 16,
                          "in_chans": 3, "hidden_size": 1536, "patch_size": 14,
                          "spatial_merge_size": 2, "temporal_patch_size": 2},
    }),
    "qwen2_5_vl_7b": (8_292_166_656, {
        "model_type": "qwen2_5_vl", "hidden_size": 3584, "intermediate_size": 18944,
        "num_attention_heads": 28, "num_hidden_layers": 28, "num_key_value_heads": 4,
        "tie_word_embeddings": False, "vocab_size": 152064,
        "vision_config": {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420,
                          "num_heads": 16, "out_hidden_size": 3584, "patch_size": 14,
                          "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31]},
    }),
    "llava_1_5_7b": (7_063_427_072, {
        "model_type": "llava", "tie_word_embeddings": False,
        "text_config": {"max_position_embeddings": 4096, "model_type": "llama",
                        "vocab_size": 32064},
        "vision_config": {"hidden_size": 1024, "image_size": 336, "intermediate_size": 4096,
                          "model_type": "clip_vision_model", "num_attention_heads": 16,
                          "num_hidden_layers": 24, "patch_size": 14},
    }),
    "deepseek_moe_16b": (16_375_728_128, {
        "model_type": "deepseek", "hidden_size": 2048, "intermediate_size": 10944,
        "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 16,
        "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6,
        "moe_intermediate_size": 1408, "first_k_dense_replace": 1, "vocab_size": 102400,
    }),
    "internlm2_7b": (7_737_708_544, {
        "model_type": "internlm2", "bias": False, "hidden_size": 4096,
        "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "vocab_size": 92544,
    }),
    "baichuan2_7b": (7_505_973_248, {
        "model_type": "baichuan", "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 125696,
    }),
    "llama_4_scout": (108_641_793_536, {
        "model_type": "llama4",
        "text_config": {"model_type": "llama4_text", "attention_chunk_size": 8192,
                        "head_dim": 128, "hidden_size": 5120, "interleave_moe_layer_step": 1,
                        "intermediate_size": 8192, "intermediate_size_mlp": 16384,
                        "num_attention_heads": 40, "num_experts_per_tok": 1,
                        "num_hidden_layers": 48, "num_key_value_heads": 8,
                        "num_local_experts": 16, "vocab_size": 202048},
        "vision_config": {"model_type": "llama4_vision_model", "hidden_size": 1408,
                          "image_size": 336, "intermediate_size": 5632,
                          "num_attention_heads": 16, "num_hidden_layers": 34,
                          "patch_size": 14, "projector_input_dim": 4096,
                          "projector_output_dim": 4096, "vision_output_dim": 4096},
    }),
    "lfm2_350m": (354_483_968, {
        "model_type": "lfm2", "block_ff_dim": 6656, "block_auto_adjust_ff_dim": True,
        "block_multiple_of": 256, "conv_L_cache": 3, "full_attn_idxs": [2, 5, 8, 10, 12, 14],
        "hidden_size": 1024, "num_attention_heads": 16, "num_hidden_layers": 16,
        "num_key_value_heads": 8, "vocab_size": 65536,
    }),
    "falcon_7b": (6_921_720_704, {
        "model_type": "falcon", "hidden_size": 4544, "num_attention_heads": 71,
        "num_hidden_layers": 32, "vocab_size": 65024,
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_files_as_they_are_published(tmp_path, name):
    """Parameters as the hub shows them; most keys are left to the family's defaults."""
    parameters, config = PUBLISHED[name]
    assert load(tmp_path, config).weight_elements == parameters
    assert load(tmp_path, config, query_len=64, context_len=64).weight_elements == parameters
