"""The networks in conf/workload: published totals to the last MAC and parameter."""

import csv
from pathlib import Path

import pytest

from dse.config.files import group_names, load_group
from dse.config.workloads import workload_from

NAMES = group_names("workload")
WANTED = {
    *{"alexnet", "alexnet_one_tower", "vgg16", "googlenet", "resnet18", "resnet50", "resnet50_v1"},
    *{"mobilenet_v1", "mobilenet_v2", "efficientnet_b0", "bert_base", "vit_b16", "gpt2"},
    *{"llama2_7b", "llama3_8b", "deepspeech2", "deepbench_gru", "deepbench_lstm", "dlrm", "linear"},
}
DATA = Path(__file__).parent / "data"


def zoo(name, **parameters):
    return workload_from(load_group("workload", name, **parameters))


def is_convolution(layer):
    return layer.has_macs and layer.oy * layer.ox > 1


def has_own_weights(layer):
    return layer.has_macs and not layer.weight_is_activation


def totals(network, keep=lambda layer: True):
    """Return MACs and parameters of the layers to keep."""
    kept = [layer for layer in network.layers if keep(layer)]
    parameters = (x.parameters * (1 if x.sequential else x.repeat) for x in kept)
    return sum(layer.macs * layer.repeat for layer in kept), sum(parameters)


TABLE = {
    "AlexNet grouped, conv only": lambda: totals(zoo("alexnet"), is_convolution),
    "AlexNet grouped": lambda: whole("alexnet"),
    "AlexNet one tower, conv only": lambda: totals(zoo("alexnet_one_tower"), is_convolution),
    "AlexNet one tower (torchvision)": lambda: whole("alexnet_one_tower"),
    "VGG-16, conv only": lambda: totals(zoo("vgg16"), is_convolution),
    "VGG-16": lambda: whole("vgg16"),
    "GoogLeNet original (5x5), no auxiliary": lambda: whole("googlenet"),
    "ResNet-18": lambda: whole("resnet18"),
    "ResNet-50 v1.5 (stride on 3x3, torchvision)": lambda: whole("resnet50"),
    "ResNet-50 v1 (stride on 1x1, Caffe)": lambda: whole("resnet50_v1"),
    "MobileNet v1 1.0": lambda: whole("mobilenet_v1"),
    "MobileNet v2 1.0": lambda: whole("mobilenet_v2"),
    "BERT-base uncased encoder, sequence 128": lambda: whole("bert_base", seq_len=128),
    "GPT-2 small, one token, without attention scores": lambda: one_token("gpt2"),
    "Llama-2-7B, one token, without attention scores": lambda: one_token("llama2_7b"),
    "Deep Speech 2 like, 4 GRU x 400 (the article)": lambda: whole("deepspeech2_article"),
}
"""Rows of tests/data/model_totals.csv, and how the zoo counts the same."""

NOT_IN_THE_ZOO = {
    "GoogLeNet torchvision (3x3 in the 5x5 branch, batch norm), no auxiliary",
    "Deep Speech 2 like, 7 recurrent x 1760",  # no number in the table
    "Deep Speech 2, DeepBench inference GRU sizes",  # no number in the table
}


def whole(name, **parameters):
    network = zoo(name, **parameters)
    return network.macs, network.weight_elements


def one_token(name):
    network = zoo(name, query_len=1)
    return totals(network, has_own_weights)[0], network.weight_elements


def published_rows():
    with (DATA / "model_totals.csv").open(encoding="utf-8") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def test_every_network_is_there_and_every_row_is_used():
    assert set(NAMES) >= WANTED
    assert set(published_rows()) == set(TABLE) | NOT_IN_THE_ZOO


@pytest.mark.parametrize("model", TABLE)
def test_totals_equal_the_published_table(model):
    row = published_rows()[model]
    expected = int(row["macs_exact_computed"]), int(row["params_exact_computed"])
    assert TABLE[model]() == expected


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("efficientnet_b0", 5288548),  # torchvision EfficientNet_B0_Weights, num_params
        ("vit_b16", 86567656),  # torchvision ViT_B_16_Weights, num_params
        ("llama3_8b", 8030261248),  # Hugging Face meta-llama/Meta-Llama-3-8B, safetensors total
        ("dlrm", 2368897),  # 13-512-256-128 and 479-1024-1024-512-256-1 with biases
    ],
)
def test_parameters_published_elsewhere(name, parameters):
    assert zoo(name).weight_elements == parameters


@pytest.mark.parametrize(
    ("name", "gmacs"),
    [("efficientnet_b0", 0.386), ("vit_b16", 17.564), ("resnet50", 4.089), ("vgg16", 15.47)],
)
def test_macs_printed_by_torchvision(name, gmacs):
    """The ``_ops`` of torchvision's weights, three decimals or two."""
    assert round(zoo(name).macs / 1e9, len(str(gmacs).split(".")[1])) == gmacs


@pytest.mark.parametrize("name", NAMES)
def test_network_alone_and_at_batch_four(name):
    one, four = zoo(name), zoo(name, batch=4)
    assert one.name == name
    assert one.source.strip()
    assert four == one.with_batch(4)
    assert four.macs == 4 * one.macs
    assert four.weight_elements == one.weight_elements
    for single, batched in zip(one.layers, four.layers, strict=True):
        assert batched.macs == 4 * single.macs
        assert batched.output_elements == 4 * single.output_elements


@pytest.mark.parametrize("name", NAMES)
def test_input_rows_agree_with_the_outputs(name):
    """Each map is covered: padding on the far side is not negative by a whole stride."""
    for layer in zoo(name).layers:
        for axis in ("y", "x") if layer.has_macs else ():
            size, out, taps = (getattr(layer, f"{x}{axis}") for x in "iof")
            stride, pad = getattr(layer, f"stride_{axis}"), getattr(layer, f"pad_{axis}")
            span = (out - 1) * stride + (taps - 1) * getattr(layer, f"dilation_{axis}") + 1
            after = span - pad - size
            assert -stride < after <= max(pad, 0), layer.name


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"tiny", "linear"}))
def test_convolutions_with_a_stride_give_their_input_size(name):
    for item in load_group("workload", name)["layers"]:
        if "stride" in item:
            assert {"iy", "ix"} <= set(item), item["name"]


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("alexnet", 227),
        ("alexnet_one_tower", 224),
        ("vgg16", 224),
        ("resnet18", 224),
        ("resnet50", 224),
        ("resnet50_v1", 224),
        ("mobilenet_v1", 224),
        ("mobilenet_v2", 224),
    ],
)
def test_maps_flow_from_layer_to_layer(name, image):
    """In a chain, a layer reads what the last one wrote (adds and projections aside)."""
    written = 3 * image * image
    for layer in zoo(name).layers:
        if layer.name.endswith(("add", "downsample")):
            continue
        elements_in = layer.g * layer.c * layer.iy * layer.ix if layer.has_macs else 0
        read = elements_in or layer.input_elements
        assert written == read, layer.name
        made = layer.g * layer.k * layer.oy * layer.ox if layer.has_macs else 0
        written = made or layer.output_elements


@pytest.mark.parametrize(
    ("name", "query", "context", "attention"),
    [
        ("gpt2", 1, 1024, 12 * 2 * 768),
        ("gpt2", 512, 512, 12 * 2 * 768),
        ("llama2_7b", 1, 2048, 32 * 2 * 4096),
        ("llama3_8b", 1, 8192, 32 * 2 * 4096),
        ("llama3_8b", 128, 128, 32 * 2 * 4096),
    ],
)
def test_attention_counts_both_products(name, query, context, attention):
    network = zoo(name, query_len=query, context_len=context)
    macs, parameters = totals(network, lambda layer: layer.weight_is_activation)
    assert (macs, parameters) == (attention * query * context, 0)


def test_grouped_queries_share_keys_and_values():
    scores = {x.name: x for x in zoo("llama3_8b", context_len=100).layers}["scores"]
    assert (scores.g, scores.oy, scores.k, scores.c) == (8, 4, 100, 128)
    assert scores.weight_elements == 8 * 128 * 100  # the keys that are held, not the heads' copies


def test_llama2_weights_read_for_a_token():
    """13.21 GB of bf16: all but the token table and the norms (tests/data/model_totals.csv)."""
    read = sum(x.weight_elements * x.repeat for x in zoo("llama2_7b").layers if has_own_weights(x))
    assert 2 * read / 1e9 == pytest.approx(13.21, abs=0.005)


@pytest.mark.parametrize("seq_len", [1, 384, 512])
def test_bert_follows_its_length(seq_len):
    macs, parameters = whole("bert_base", seq_len=seq_len)
    assert macs == 12 * (7077888 * seq_len + 2 * 768 * seq_len**2)
    assert parameters == 109482240


@pytest.mark.parametrize(
    ("name", "hidden_size", "steps", "time_ms", "tflops"),
    [
        ("deepbench_gru", 1024, 1500, 65.755, 0.14354),  # Titan X Pascal, batch 1
        ("deepbench_gru", 2816, 1500, 420.64, 0.16968),  # GTX 1080 Ti, batch 1
        ("deepbench_gru", 1536, 187, 18.245, 0.1451),  # GTX 1080 Ti, batch 1
        ("deepbench_lstm", 1536, 50, 6.853, 0.13772),  # GTX 1080 Ti, batch 1
        ("deepbench_lstm", 1024, 25, 1.942, 0.108),  # Titan X Pascal, batch 1
    ],
)
def test_deepbench_operations(name, hidden_size, steps, time_ms, tflops):
    """Time x TFLOPS of the workbooks (experiments/data/rnn.csv) is 2 operations a MAC."""
    macs = zoo(name, hidden_size=hidden_size, steps=steps).macs
    assert 2 * macs / (time_ms * 1e-3) / 1e12 == pytest.approx(tflops, rel=0.003)  # digits printed


def test_deepspeech2_gru_weights():
    network = zoo("deepspeech2", steps=100)
    hidden, first = 1760, 32 * 41
    recurrent = {x.name: x for x in network.layers}["gru1_forward.recurrent"]
    assert (recurrent.k, recurrent.c, recurrent.repeat) == (3 * hidden, hidden, 100)
    gru_macs, _ = totals(network, lambda layer: layer.has_macs and "gru" in layer.name)
    assert gru_macs == 100 * 2 * 3 * hidden * (7 * hidden + first + 6 * hidden)
    conv_macs = 32 * (81 * 41 + 41 * 32 * 21) * 11 * 100
    assert (
        totals(network, is_convolution)[0] - conv_macs
        == totals(network, lambda x: x.name.endswith("input") or x.name == "fc")[0]
    )


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("bert_base", {"seq_len": 513}, "must be an integer from 1 to 512, got 513"),
        ("gpt2", {"context_len": 1025}, "context_len must be an integer from 1 to 1024, got 1025"),
        (
            "llama3_8b",
            {"query_len": 9, "context_len": 8},
            "query_len must be an integer from 1 to 8",
        ),
        ("linear", {"size": 0}, "workload 'linear'.size must be an integer from 1"),
        ("linear", {"sise": 8}, "did you mean 'size'"),
        ("deepbench_gru", {"steps": "many"}, "steps must be an integer from 1 to 2147483647, got"),
    ],
)
def test_parameters_out_of_range(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        zoo(name, **parameters)


def test_linear_sides():
    assert zoo("linear", size=1000).macs == 10**6
    assert zoo("linear", inputs=9216).macs == 9216 * 4096  # fc6 of AlexNet
