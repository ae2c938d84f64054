"""Files of .tflite: MACs, bytes and parameters equal an independent count."""

import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

import dse
from dse import DseError
from dse.cli import main
from dse.config.networks import network_values
from tests.importers.lite import NO_PAD, SAME_PAD, Lite


def key_words(net):
    """DS-CNN of MLPerf Tiny's key-word spotting: 49 steps of 10 features."""
    x = net.conv(net.input(1, 49, 10, 1), 64, (10, 4), 2)
    for _ in range(4):
        x = net.conv(net.depthwise(x, (3, 3)), 64, (1, 1))
    x = net.pool(x, (25, 5), 1)
    x = net.op("RESHAPE", [x, net.sizes(1, 64)], (1, 64))
    return net.op("SOFTMAX", [net.dense(x, 12)], (1, 12))


def images(net):
    """ResNet-8 of MLPerf Tiny's image classification."""
    x = net.conv(net.input(1, 32, 32, 3), 16, (3, 3))
    for kernels, stride in ((16, 1), (32, 2), (64, 2)):
        y = net.conv(net.conv(x, kernels, (3, 3), stride), kernels, (3, 3))
        x = x if stride == 1 else net.conv(x, kernels, (1, 1), stride)
        x = net.op("ADD", [x, y], net.shape(y))
    x = net.op("MEAN", [x, net.sizes(1, 2)], (1, 64))
    return net.op("SOFTMAX", [net.dense(x, 10)], (1, 10))


def persons(net):
    """MobileNet 0.25 of MLPerf Tiny's visual wake words."""
    x = net.conv(net.input(1, 96, 96, 3), 8, (3, 3), 2)
    plan = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2)]
    for kernels, stride in (*plan, (256, 1)):
        x = net.conv(net.depthwise(x, (3, 3), stride), kernels, (1, 1))
    x = net.op("RESHAPE", [net.pool(x, (3, 3), 1), net.sizes(1, 256)], (1, 256))
    return net.dense(x, 2)


def sounds(net):
    """Return the autoencoder of MLPerf Tiny's anomaly detection."""
    x = net.input(1, 640)
    for width in (*[128] * 4, 8, *[128] * 4, 640):
        x = net.dense(x, width)
    return x


TINY = {key_words: 2_656_768, images: 12_501_632, persons: 7_489_664, sounds: 264_192}
"""MACs of the networks of MLPerf Tiny v1.0, by arithmetic of their tables of layers."""


@pytest.mark.parametrize("build", TINY, ids=lambda x: x.__name__)
def test_networks_of_mlperf_tiny(build, tmp_path):
    net = Lite()
    path = net.save(tmp_path, build(net))
    found = dse.load_workload(path, strict=True)
    assert found.macs == net.macs == TINY[build]
    assert found.weight_elements == net.parameters
    assert {x.weight_bits for x in found.layers if x.has_macs} == {8}
    assert {(x.input_bits, x.output_bits) for x in found.layers} == {(8, 8)}
    assert dse.load_workload(path, batch=4).macs == 4 * net.macs


def test_maps_are_read_and_written_at_their_bytes(tmp_path):
    net = Lite()
    path = net.save(tmp_path, images(net))
    found = dse.load_workload(path)
    sums = [x for x in found.layers if x.op == "add"]
    assert [x.input_elements for x in sums] == [2 * 32 * 32 * 16, 2 * 16 * 16 * 32, 2 * 8 * 8 * 64]
    first = found.layers[0]
    assert (first.iy, first.pad_y, first.oy, first.c, first.k) == (32, 1, 32, 3, 16)
    moved = sum(x.b * x.g * (x.c * x.iy * x.ix + x.k * x.oy * x.ox) + x.weight_elements
                for x in found.layers if x.has_macs)  # fmt: skip
    moved += sum(x.input_elements + x.output_elements for x in found.layers)
    coverage = network_values(path, {})["coverage"]
    assert coverage["bytes"] == moved
    assert coverage["macs_share"] == coverage["bytes_share"] == 1


def test_same_padding_with_a_stride_is_less_before(tmp_path):
    net = Lite()
    path = net.save(tmp_path, net.conv(net.input(1, 224, 224, 3), 32, (3, 3), 2))
    layer = dse.load_workload(path).layers[0]
    assert (layer.oy, layer.pad_y, layer.iy) == (112, 0, 224)


@pytest.mark.parametrize("padding", [SAME_PAD, NO_PAD])
def test_transposed_convolution(padding, tmp_path):
    net = Lite()
    data, out = net.input(1, 8, 8, 16), 16 if padding == SAME_PAD else 17
    weight, shape = net.learned(4, 3, 3, 16), net.sizes(1, out, out, 4)
    options = {"Padding": padding, "StrideH": 2, "StrideW": 2}
    made = net.op("TRANSPOSE_CONV", [shape, weight, data], (1, out, out, 4),
                  options=("TransposeConvOptions", options))  # fmt: skip
    found = dse.load_workload(net.save(tmp_path, made), strict=True)
    taps = sum((o - f) % 2 == 0 for o in range(out) for f in range(3))  # nothing is cut off before
    assert found.weight_elements == 4 * 3 * 3 * 16
    assert found.macs == 4 * 16 * taps**2
    assert sum(x.k * x.oy * x.ox for x in found.layers if x.has_macs) == 4 * out * out


def test_grouped_and_deep_filters(tmp_path):
    net = Lite()
    x = net.conv(net.input(1, 8, 8, 16), 32, (3, 3), groups=4)
    found = dse.load_workload(net.save(tmp_path, net.depthwise(x, (3, 3), multiplier=2)))
    assert [(x.g, x.c, x.k) for x in found.layers] == [(4, 4, 8), (32, 1, 2)]
    assert (found.macs, found.weight_elements) == (net.macs, net.parameters)


def test_weights_of_half_width_keep_it(tmp_path):
    net = Lite("FLOAT32", "FLOAT32")
    data, half = net.input(1, 16), net.learned(8, 16, kind="FLOAT16")
    whole = net.op("DEQUANTIZE", [half], (8, 16))
    made = net.op("FULLY_CONNECTED", [data, whole, -1], (1, 8))
    layer = dse.load_workload(net.save(tmp_path, made)).layers[0]
    assert (layer.input_bits, layer.weight_bits, layer.parameters) == (32, 16, 128)


def test_quantised_weights_beside_floats(tmp_path):
    net = Lite("FLOAT32", "FLOAT32")
    made = net.op("FULLY_CONNECTED", [net.input(1, 16), net.learned(8, 16, kind="INT4")], (1, 8))
    layer = dse.load_workload(net.save(tmp_path, made)).layers[0]
    assert (layer.input_bits, layer.weight_bits) == (32, 4)


def lstm_inputs(net, data, features, cells, *, gates=4, width=None):
    absent = [-1] * (4 - gates)
    first = [net.learned(cells, features) for _ in range(gates)]
    second = [net.learned(cells, width or cells) for _ in range(gates)]
    biases = [net.learned(cells, kind="INT32") for _ in range(gates)]
    projection = [net.learned(width, cells) if width else -1, -1]
    states = [net.tensor((1, width or cells), variable=True), net.tensor((1, cells), "INT16",
                                                                       variable=True)]  # fmt: skip
    return [data, *absent, *first, *absent, *second, -1, -1, -1, *absent, *biases,
            *projection, *states]  # fmt: skip


@pytest.mark.parametrize(("gates", "width"), [(4, None), (3, None), (4, 12)])
def test_lstm(gates, width, tmp_path):
    net = Lite()
    inputs = lstm_inputs(net, net.input(2, 7, 10), 10, 20, gates=gates, width=width)
    options = ("UnidirectionalSequenceLSTMOptions", {"TimeMajor": False})
    out = (2, 7, width or 20)
    made = net.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, out, options=options)
    found = dse.load_workload(net.save(tmp_path, made), strict=True)
    each = gates * 20 * (10 + (width or 20)) + (width or 0) * 20
    assert found.macs == 2 * 7 * each
    assert found.weight_elements == net.parameters


def test_svdf(tmp_path):
    net = Lite()
    learned = [net.learned(64, 40), net.learned(64, 9, kind="INT16"), net.learned(32, kind="INT32")]
    inputs = [net.input(1, 40), *learned, net.tensor((1, 576), "INT16", variable=True)]
    found = dse.load_workload(net.save(tmp_path, net.op("SVDF", inputs, (1, 32))), strict=True)
    assert found.macs == 64 * 40 + 64 * 9
    assert found.weight_elements == net.parameters


def test_views_are_free_and_copies_are_not(tmp_path):
    net = Lite()
    x = net.conv(net.input(1, 8, 8, 4), 8, (1, 1))
    x = net.op("PAD", [x, net.sizes(0, 0, 1, 1, 1, 1, 0, 0)], (1, 10, 10, 8))
    y = net.op("RESIZE_BILINEAR", [x, net.sizes(20, 20)], (1, 20, 20, 8))
    parts = net.op("SPLIT", [net.sizes(3), y], (1, 20, 20, 4), (1, 20, 20, 4))
    z = net.op("CONCATENATION", parts, (1, 20, 20, 8))
    z = net.op("LOGISTIC", [net.conv(z, 8, (1, 1))], (1, 20, 20, 8))
    z = net.op("STRIDED_SLICE", [z, net.sizes(0), net.sizes(9), net.sizes(1)], (1, 10, 10, 8))
    found = dse.load_workload(net.save(tmp_path, net.op("QUANTIZE", [z], (1, 10, 10, 8))))
    assert [x.op for x in found.layers] == ["mac", "copy", "copy", "mac"]
    assert found.weight_elements == net.parameters


def test_what_is_not_understood_is_said(tmp_path):
    net = Lite()
    x = net.op("Mine", [net.input(1, 8), net.learned(100, 100)], (1, 8), name="odd")
    path = net.save(tmp_path, net.dense(x, 4))
    with pytest.raises(DseError, match=r"Mine \(the operator is not known\).*accept"):
        dse.load_workload(path)
    assert "Not modelled" in dse.load_workload(path, accept=0).notes[0]
    with pytest.raises(DseError, match="strict=true and not understood: Mine"):
        dse.load_workload(path, strict=True)


def test_import_and_evaluate_on_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = Lite()
    net.save(tmp_path, sounds(net))
    assert main(["task=import", "workload.path=net.tflite", "hydra.run.dir=a"]) == 0
    written = tmp_path / "a" / "workload.yaml"
    assert dse.load_workload(written).macs == net.macs
    arguments = ["task=evaluate", "workload.path=net.tflite", "accelerator=systolic"]
    assert main([*arguments, "report=none", "hydra.run.dir=b"]) == 0
    assert "264,192 MACs" in capsys.readouterr().out


def message(path, **options):
    started = time.process_time()
    with pytest.raises(DseError) as caught:
        dse.load_workload(path, **options)
    assert "\n" not in str(caught.value)
    assert time.process_time() - started < 10
    return str(caught.value)


def test_wrong_files(tmp_path):
    net = Lite()
    data = net.save(tmp_path, key_words(net)).read_bytes()
    path = tmp_path / "wrong.tflite"
    assert "that exists" in message(path)
    for content in (b"", b"TFL3", b"\0\0\0\0TFL3", b"\xff" * 400, b"\x08\0\0\0TFL3" + b"\xff" * 99):
        path.write_bytes(content)
        assert "cannot be read as .tflite" in message(path)
    for size in range(1, len(data) - 60_000, len(data) // 40):
        path.write_bytes(data[:size])
        message(path)


def test_changed_bytes_never_end_in_a_traceback(tmp_path):
    net = Lite()
    x = net.pool(net.depthwise(net.conv(net.input(1, 8, 8, 2), 4, (3, 3)), (3, 3)), (2, 2), 2)
    good = np.frombuffer(net.save(tmp_path, net.dense(x, 3)).read_bytes(), np.uint8)
    random = np.random.default_rng(0)
    path = tmp_path / "changed.tflite"
    texts = []
    for _ in range(150):
        changed = good.copy()
        changed[random.integers(0, len(good), 3)] = random.integers(0, 256, 3)
        path.write_bytes(changed.tobytes())
        with suppress(DseError):
            dse.load_workload(path, accept=0)
            continue
        texts.append(message(path, accept=0))
    assert len(texts) > 10


def test_compiled_and_dynamic_files_are_refused(tmp_path):
    net = Lite()
    path = net.save(tmp_path, net.op("edgetpu-custom-op", [net.input(1, 8)], (1, 8)))
    assert "compiled for the Edge TPU" in message(path)
    net = Lite()
    path = net.save(tmp_path, net.dense(net.input(1, 8, signature=(1, -1)), 4))
    assert "known only as it runs, [1, -1]" in message(path)
    net = Lite()
    path = net.save(tmp_path, net.dense(net.input(1, 8, signature=(-1, 8)), 4))
    assert dse.load_workload(path).macs == 32
    with pytest.raises(DseError, match=r"has no key 'height': a \.tflite file's sizes are fixed"):
        dse.load_workload(path, height=3)


FORMATS = {
    "a.pb": "tf2onnx", "a.h5": "model.export", "a.keras": "model.export",
    "a.pth": "dse.load_module", "a.pt": "dse.load_module", "a.mlmodel": "ONNX",
    "a.ckpt": "tf2onnx", "a.caffemodel": "ONNX", "a.engine": "built for one device",
    "a.onnx.gz": "unpack", "a.mlir": "ONNX", "a.csv": "YAML", "a.ort": ".onnx", "a.xyz": "ONNX",
    "a": "ONNX",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_other_formats_are_told_what_to_do(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"\x89TFL3\n\t{[")
    for text in (message(path), message(str(path))):
        assert text.startswith("workload.path must be a file that ends in .yaml, .yml, .onnx,")
        assert FORMATS[name] in text


def test_the_command_line_tells_other_formats_what_to_do(tmp_path, capsys):
    path = tmp_path / "a.pb"
    path.write_bytes(b"\x89TFL3\n\t{[")
    assert main([f"workload.path={path}", f"hydra.run.dir={tmp_path / 'run'}"]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert FORMATS["a.pb"] in told[0]


def test_folders_are_told_what_to_do(tmp_path):
    assert "the file inside" in message(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert "config.json" in message(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    assert "tf2onnx" in message(tmp_path)


def test_a_folder_named_as_a_network_does_not_hide_it(tmp_path, monkeypatch):
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    assert dse.load_workload("tiny").layers


def test_the_schema_is_loaded_for_its_files_alone():
    code = "import dse.api, sys; assert 'tflite' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
