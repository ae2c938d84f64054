"""Configurations of transformers against counts by Hugging Face's own models.

transformers.json: ``parameters`` is the sum of `numel` over the parameters of the model that
transformers 5.23 builds from the configuration on torch's meta device; ``macs`` are those that
forward hooks on its Linear, Conv1D and Conv2d modules count for 64 tokens (an image for vit),
the language head left out; ``pooler`` are parameters of a pooler, which is not run here.
"""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import dse
from dse import DseError

MODELS = json.loads(Path(__file__).with_name("transformers.json").read_text(encoding="utf-8"))
BITS = {"input": 8, "weight": 8, "output": 8, "psum": 32}
TOKENS = 64


def load(folder, name, **sizes):
    path = folder / "config.json"
    path.write_text(json.dumps(MODELS[name]["config"]), encoding="utf-8")
    return dse.load_workload(path, **sizes)


def lengths(name):
    """Return the parameters that make every token attend to all."""
    kind = MODELS[name]["config"]["model_type"]
    if kind == "vit":
        return {}
    encoder = kind in ("bert", "roberta")
    return {"seq_len": TOKENS} if encoder else {"query_len": TOKENS, "context_len": TOKENS}


@pytest.mark.parametrize("name", MODELS)
def test_parameters_equal_those_of_the_model(tmp_path, name):
    made = load(tmp_path, name, **lengths(name))
    assert made.weight_elements == MODELS[name]["parameters"]


@pytest.mark.parametrize("name", [x for x in MODELS if "macs" in MODELS[x]])
def test_macs_equal_those_that_hooks_count(tmp_path, name):
    made = load(tmp_path, name, **lengths(name))
    own = [x for x in made.layers if not x.weight_is_activation and x.name != "head"]
    width = MODELS[name]["config"].get("hidden_size", 0)
    pooler = width * width if "pooler" in MODELS[name] else 0
    assert sum(x.macs * x.repeat for x in own) + pooler == MODELS[name]["macs"]


@pytest.mark.parametrize("name", [x for x in MODELS if x.startswith(("llama", "qwen3_8b", "gpt2"))])
@pytest.mark.parametrize(("queries", "context"), [(1, 100), (64, 64), (3, 50)])
def test_attention_counts_each_pair_of_tokens_once(tmp_path, name, queries, context):
    config = MODELS[name]["config"]
    made = load(tmp_path, name, query_len=queries, context_len=context)
    heads = config.get("num_attention_heads") or config["n_head"]
    width = config.get("hidden_size") or config["n_embd"]
    dim = config.get("head_dim") or width // heads
    pairs = sum(1 for _query in range(queries) for _key in range(context))
    layers = config.get("num_hidden_layers") or config["n_layer"]
    counted = sum(x.macs * x.repeat for x in made.layers if x.weight_is_activation)
    assert counted == layers * heads * pairs * dim * 2


@pytest.mark.parametrize(
    "name", [x for x in MODELS if "num_experts_per_tok" in MODELS[x]["config"]]
)
def test_decode_computes_only_the_active_experts(tmp_path, name):
    config = MODELS[name]["config"]
    made = load(tmp_path, name, query_len=1, context_len=16)
    active = config["num_experts_per_tok"]
    inner = config.get("moe_intermediate_size") or config["intermediate_size"]
    sparse = config["num_hidden_layers"] - config.get("first_k_dense_replace", 0)
    expected = 0
    for _layer in range(sparse):
        for _expert in range(active):
            expected += 3 * inner * config["hidden_size"]
    experts = [x for x in made.layers if x.name.startswith("expert_") and x.has_macs]
    assert sum(x.macs * x.repeat for x in experts) == expected


@pytest.mark.parametrize("name", ["deepseek_v2_lite", "deepseek_v3"])
def test_latent_attention_reads_one_latent_vector_a_token(tmp_path, name):
    """Decode: scores of all heads share keys of 512 + 64 channels, values of 512."""
    made = load(tmp_path, name, query_len=1, context_len=1000)
    scores = next(x for x in made.layers if x.name.startswith("scores"))
    values = next(x for x in made.layers if x.name.startswith("attention") and x.has_macs)
    assert (scores.g, scores.k, scores.c) == (1, 1000, 576)
    assert (values.g, values.k, values.c) == (1, 512, 1000)


def test_sliding_window_bounds_what_a_token_attends_to(tmp_path):
    made = load(tmp_path, "mistral_7b", query_len=1, context_len=30000)
    assert next(x for x in made.layers if x.name.startswith("scores")).k == 4096
    assert not made.notes
    assert "Sliding window" in load(tmp_path, "mistral_7b", query_len=9, context_len=9).notes[0]


@pytest.mark.parametrize(("queries", "context"), [(1, 2048), (77, 77)])
@pytest.mark.parametrize("name", ["llama3_8b", "llama2_7b", "gpt2"])
def test_decoders_equal_those_of_the_zoo(tmp_path, name, queries, context):
    context = min(context, 1024)
    sizes = {"query_len": queries, "context_len": context}
    assert shapes(load(tmp_path, name, bits=BITS, **sizes)) == shapes(
        dse.load_workload(name, **sizes)
    )


def test_bert_equals_that_of_the_zoo(tmp_path):
    made = load(tmp_path, "bert_base", bits=BITS, seq_len=128)
    assert made == replace(dse.load_workload("bert_base"), name=made.name, source=made.source)


def shapes(network):
    counts = Counter()
    for layer in network.layers:
        counts[replace(layer, name="any", repeat=1)] += layer.repeat
    return counts


def test_types_of_the_file_are_its_bits(tmp_path):
    path = tmp_path / "config.json"
    config = MODELS["llama3_8b"]["config"] | {"quantization_config": {"bits": 4}}
    path.write_text(json.dumps(config), encoding="utf-8")
    layer = next(x for x in dse.load_workload(path).layers if x.has_macs)
    assert (layer.input_bits, layer.weight_bits, layer.output_bits) == (16, 4, 16)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "cannot be read as JSON"),
        ("[1]", "must hold an object"),
        ("[" * 100_000, "cannot be read as JSON"),
        ('{"model_type": "lama"}', "did you mean 'llama'?"),
        ('{"model_type": "llama"}', "needs a value for 'hidden_size'"),
        ('{"model_type": "llama", "hidden_size": -1}', "hidden_size must be a whole number"),
        ('{"model_type": "llama", "hidden_size": 1e99}', "hidden_size must be a whole number"),
    ],
)
def test_wrong_files(tmp_path, text, rule):
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DseError) as caught:
        dse.load_workload(path)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "sizes",
    [{"query_len": 9, "context_len": 8}, {"context_len": 10**6}, {"seq_len": 3}, {"query_len": 0}],
)
def test_wrong_lengths(tmp_path, sizes):
    with pytest.raises(DseError):
        load(tmp_path, "llama3_8b", **sizes)
