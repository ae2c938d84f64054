"""What a workload's YAML may say, and the one line that each mistake gives."""

import pytest
from omegaconf import OmegaConf

from dse.config.files import conf_dir, load_group, plain
from dse.config.workloads import workload_from
from dse.errors import DseError
from dse.workload import Layer, Workload

FC = {"name": "fc", "k": 10, "c": 20}
CONV = {"name": "conv", "k": 8, "c": 4, "oy": 5, "ox": 5, "fy": 3, "fx": 3}
POOL = {"name": "pool", "op": "pool", "input_elements": 8, "output_elements": 2}
UP = {**CONV, "name": "up", "op": "conv_transpose"}
GRU = {"name": "gru", "op": "gru", "k": 4, "c": 3, "oy": 5}


def network(*layers, **keys):
    return workload_from({"name": "net", "layers": list(layers), **keys})


def test_defaults_and_overrides_of_a_layer():
    made = network({**CONV, "stride": {"y": 2, "x": 1}, "pad": 1, "bits": {"weight": 4}}, POOL)
    conv = Layer(**CONV, stride_y=2, pad_y=1, pad_x=1, weight_bits=4)
    assert made == Workload(name="net", layers=(conv, Layer(**POOL)))


def test_bits_of_the_workload_of_the_layer_and_of_the_operand():
    made = network(
        FC,
        {**FC, "name": "own", "bits": {"weight": 4, "psum": 24}},
        {**FC, "name": "single", "bits": {"weight": 4}, "weight_bits": 2},
        bits={"input": 16, "weight": 16},
    )
    found = [(x.input_bits, x.weight_bits, x.output_bits, x.psum_bits) for x in made.layers]
    assert found == [(16, 16, 8, 32), (16, 4, 8, 24), (16, 2, 8, 32)]


def test_batch_multiplies_what_each_kind_of_layer_says():
    scores = {**FC, "name": "scores", "g": 3, "weight_is_activation": True}
    one, four = (network(CONV, POOL, scores, GRU, UP, batch=batch) for batch in (1, 4))
    assert [layer.b for layer in four.layers] == [4, 1, 1, 1, 4, 4]
    assert four.layers[1].input_elements == 32
    assert (four.layers[2].g, four.layers[3].oy) == (12, 20)
    assert four.macs == 4 * one.macs
    assert (four.batch, four.weight_elements) == (4, one.weight_elements)


def test_lowered_layers_stand_where_the_layer_stood():
    made = network(FC, {**UP, "stride": 2, "pad": 1, "oy": 8, "ox": 8}, GRU)
    names = ["fc", "up.y0x0", "up.y0x1", "up.y1x0", "up.y1x1", "gru.input", "gru.recurrent"]
    assert [layer.name for layer in made.layers] == names


def test_parameters_reach_layers_alone_and_inside_a_larger_configuration():
    alone = load_group("workload", "gpt2", query_len=3, context_len=7)
    inside = OmegaConf.create({"workload": OmegaConf.load(conf_dir() / "workload/gpt2.yaml")})
    inside.workload.query_len, inside.workload.context_len = 3, 7
    assert plain(inside.workload, "workload") == alone
    scores = next(x for x in workload_from(alone).layers if x.name == "scores")
    assert (scores.g, scores.oy, scores.k, scores.c) == (12, 3, 7, 64)


WRONG = [
    ({"layers": []}, "workload 'net'.layers must be a list of at least one layer, got []"),
    ({"layers": "conv"}, "workload 'net'.layers must be a list of at least one layer, got 'conv'"),
    ({"layers": None, "layer": [FC]}, "at least one layer, got None; did you mean 'layer'?"),
    ({"layers": [3]}, "workload 'net', layer 1 must be a mapping, got 3"),
    ({"layers": [{"k": 3}]}, "workload 'net', layer 1.name must be a non-empty text, got None"),
    ({"layers": [FC, FC]}, "workload 'net': layer names must be unique, got 'fc' twice"),
    ({"name": ""}, "workload.name must be a non-empty text, got ''"),
    ({"name": 7}, "workload.name must be a non-empty text, got 7"),
    ({"source": 2017}, "workload 'net'.source must be a text, got 2017"),
    ({"batch": 0}, "workload 'net'.batch must be an integer from 1 to 2147483647, got 0"),
    ({"batch": -4}, "workload 'net'.batch must be an integer from 1 to 2147483647, got -4"),
    ({"batch": True}, "workload 'net'.batch must be an integer from 1 to 2147483647, got True"),
    ({"batch": "four"}, "workload 'net'.batch must be an integer from 1 to"),
    ({"batch": 2**30, "layers": [{**FC, "b": 4}]}, "net' at batch 1073741824: layer 'fc'.b must"),
    ({"bits": {"weigth": 4}}, "workload 'net'.bits has no key 'weigth'; did you mean 'weight'?"),
    (
        {"bits": 8},
        "workload 'net'.bits must be a mapping of input, weight, output, psum, cache, got 8",
    ),
    ({"extra_parameters": -1}, "workload 'net'.extra_parameters must be an integer from 0 to"),
    ({"seq_len": "long"}, "workload 'net'.seq_len must be an integer from 1 to 2147483647, got 'l"),
    (
        {"seq_len": 9, "limits": {"seq_len": 8}},
        "net'.seq_len must be an integer from 1 to 8, got 9",
    ),
    ({"limits": {"seq": 8}, "seq_len": 1}, "limits has no key 'seq'; did you mean 'seq_len'?"),
]

WRONG_LAYERS = [
    ({**CONV, "strid": 2}, "layer 'conv' (mac) has no key 'strid'; did you mean 'stride'?"),
    ({**CONV, "op": "convolution"}, "workload 'net', layer 'conv' has no op 'convolution'"),
    ({**CONV, "op": "conv_transposed"}, "no op 'conv_transposed'; did you mean 'conv_transpose'?"),
    ({**CONV, "op": ["mac"]}, "workload 'net', layer 'conv' has no op ['mac']"),
    ({**CONV, "k": "many"}, "net', layer 'conv'.k must be an integer from 1 to 2147483647, got 'm"),
    ({**CONV, "k": 0}, "workload 'net', layer 'conv'.k must be an integer from 1 to"),
    ({**CONV, "c": 1.5}, "workload 'net', layer 'conv'.c must be an integer from 1 to"),
    (
        {**CONV, "oy": float("nan")},
        "layer 'conv'.oy must be an integer from 1 to 2147483647, got nan",
    ),
    (
        {**CONV, "ox": float("inf")},
        "layer 'conv'.ox must be an integer from 1 to 2147483647, got inf",
    ),
    ({**CONV, "pad": -1}, "workload 'net', layer 'conv'.pad_y must be an integer from 0 to"),
    ({**CONV, "pad": {"y": 1, "z": 1}}, "layer 'conv'.pad has no key 'z'; known: x, y"),
    ({**CONV, "stride": {"y": 0}}, "layer 'conv'.stride_y must be an integer from 1 to"),
    ({**CONV, "stride": [2, 2]}, "layer 'conv'.stride_y must be an integer from 1 to"),
    ({**CONV, "pad": 7}, "layer 'conv'.pad_y = 7 leaves no real input: oy = 5 spans 7"),
    ({**CONV, "bits": {"input": 0}}, "layer 'conv'.input_bits must be a number from 1 to 1024"),
    ({**CONV, "sequential": 1}, "layer 'conv'.sequential must be true or false, got 1"),
    ({**CONV, "input_elements": 5}, "layer 'conv' (mac) has no key 'input_elements'"),
    ({**POOL, "k": 64}, "layer 'pool' (pool) has no key 'k'"),
    ({"name": "pool", "op": "pool"}, "needs input_elements or output_elements"),
    ({**GRU, "repeat": 2}, "layer 'gru' (gru) has no key 'repeat'"),
    ({**GRU, "oy": 0}, "workload 'net', layer 'gru'.oy must be an integer from 1 to"),
    ({**UP, "pad": 1.5}, "workload 'net', layer 'up'.pad_y must be an integer from 0, got 1.5"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_wrong_workload_gives_one_line(wrong, message):
    with pytest.raises(DseError) as caught:
        workload_from({"name": "net", "layers": [FC], **wrong})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("layer", "message"), WRONG_LAYERS)
def test_wrong_layer_gives_one_line(layer, message):
    with pytest.raises(DseError) as caught:
        network(FC, layer)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seqlen: 3", "workload 'net' has no key 'seqlen'; did you mean 'seq_len'?"),
        ("sorce: a book", "workload 'net' has no key 'sorce'; did you mean 'source'?"),
        ("spare: 3\nlimits: {spare: 4}", "workload 'net' has no key 'spare'; known:"),
        ("batch: ${.missing}", "missing"),
        ("batch: ${.batch}", "workload: batch: Recursive interpolation"),
    ],
)
def test_wrong_file_gives_one_line(tmp_path, text, message):
    path = tmp_path / "net.yaml"
    layer = "layers: [{name: fc, k: '${mul:2,${...seq_len}}', c: '${...seq_len}'}]"
    path.write_text(f"name: net\nseq_len: 8\n{layer}\n{text}\n")
    with pytest.raises(DseError) as caught:
        workload_from(load_group("workload", path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_override_of_a_parameter_that_does_not_exist():
    with pytest.raises(DseError, match="has no key 'seqlen'; did you mean 'seq_len'"):
        load_group("workload", "bert_base", seqlen=3)
