"""Broken and malicious files: one line within seconds, and nothing outside the folder is read."""

import os
import time

import numpy as np
import pytest
from onnx import TensorProto, helper

import dse
from dse import DseError
from dse.cli import main
from tests.importers import graphs
from tests.importers.graphs import Graph

LONGEST_S = 10.0


def message(path, **sizes):
    started = time.process_time()
    with pytest.raises(DseError) as caught:
        dse.load_workload(path, **sizes)
    assert time.process_time() - started < LONGEST_S
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.fixture
def good(tmp_path):
    net, output = graphs.alexnet()
    return net.save(tmp_path, output)


def test_no_file_and_no_onnx(tmp_path):
    assert "must be an ONNX file that exists" in message(tmp_path / "none.onnx")
    (tmp_path / "folder.onnx").mkdir()
    assert "must be an ONNX file that exists" in message(tmp_path / "folder.onnx")
    for number, data in enumerate((b"", b"not onnx at all", os.urandom(10_000), b"\0" * 100)):
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(data)
        assert "cannot be read as ONNX" in message(path)


def test_truncated_files(good, tmp_path):
    data = good.read_bytes()
    for size in range(1, len(data), len(data) // 40):
        path = tmp_path / "cut.onnx"
        path.write_bytes(data[:size])
        message(path)


def test_flipped_bytes_never_end_in_a_traceback(good, tmp_path):
    data = np.frombuffer(good.read_bytes(), np.uint8)
    random = np.random.default_rng(0)
    told = []
    for _ in range(150):
        changed = data.copy()
        places = random.integers(0, len(data), 3)
        changed[places] = random.integers(0, 256, 3)
        path = tmp_path / "flipped.onnx"
        path.write_bytes(changed.tobytes())
        try:
            dse.load_workload(path)
        except DseError as error:
            told.append(str(error))
    assert not [text for text in told if "\n" in text]


def test_cycle(tmp_path):
    net = Graph()
    net.input("x", [1, 8])
    net.node("Add", ["x", "b"], outputs=["a"], name="first")
    net.node("Relu", ["a"], outputs=["b"], name="second")
    assert "must have no cycle" in message(net.save(tmp_path, "b"))


def test_nodes_out_of_order_are_sorted(tmp_path):
    net, output = graphs.alexnet()
    ordered = dse.load_workload(net.save(tmp_path, output))
    net.nodes.reverse()
    assert dse.load_workload(net.save(tmp_path, output)).layers == ordered.layers


def test_tensor_that_nothing_writes_or_two_nodes_write(tmp_path):
    net = Graph()
    net.input("x", [1, 8])
    path = net.save(tmp_path, net.node("Add", ["x", "ghost"]))
    assert "'ghost', which nothing writes" in message(path)
    net = Graph()
    net.input("x", [1, 8])
    net.node("Relu", ["x"], outputs=["y"])
    net.node("Relu", ["x"], outputs=["y"])
    assert "written twice" in message(net.save(tmp_path, "y"))


@pytest.mark.parametrize("size", [-2, -(2**62), 2**31, 2**62])
def test_negative_and_huge_dimensions(tmp_path, size):
    net = Graph()
    x = net.input("x", [1, 3, size, 8])
    assert "dimensions must be from 0" in message(net.save(tmp_path, net.conv(x, "c", 4, 3, 1)))
    net = Graph()
    x, w = net.input("x", [1, 8]), net.weight("w", [8, size])
    assert "dimensions must be from 0" in message(net.save(tmp_path, net.node("MatMul", [x, w])))


@pytest.mark.parametrize("op", ["ConstantOfShape", "Expand", "Tile", "Range"])
def test_constants_that_would_fill_the_memory_are_not_made(tmp_path, op):
    net = Graph()
    many = net.number("many", [2**20, 2**20])
    one = net.number("one", [[1.0]], np.float32)
    ends = [net.number(x, y) for x, y in (("low", 0), ("high", 2**30), ("step", 1))]
    inputs = {"ConstantOfShape": [many], "Range": ends}.get(op, [one, many])
    made = net.node(op, inputs)
    x = net.dense(net.input("x", [1, 8]), "fc", 8, 8)
    net.node("Identity", [made])
    started = time.process_time()
    assert dse.load_workload(net.save(tmp_path, x)).macs == 64
    assert time.process_time() - started < LONGEST_S


@pytest.mark.parametrize("place", ["/etc/passwd", "../secret.bin", "link.bin", ""])
def test_external_data_outside_the_folder(tmp_path, place):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(64))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    net = Graph()
    tensor = TensorProto(name="shape", data_type=7, dims=[2], data_location=1)
    tensor.external_data.add(key="location", value=place)
    net.weights.append(tensor)
    out = net.node("Reshape", [net.input("x", [4, 2]), "shape"])
    assert "must lie in the model's folder" in message(net.save(folder, out))


def test_small_external_constants_are_read(tmp_path):
    data = np.array([99, 1, -1], np.int64)
    (tmp_path / "numbers.bin").write_bytes(data.tobytes())
    net = Graph()
    tensor = TensorProto(name="shape", data_type=7, dims=[2], data_location=1)
    for key, value in (("location", "numbers.bin"), ("offset", "8"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    net.weights.append(tensor)
    x = net.node("Reshape", [net.input("x", [1, 4, 2]), "shape"])
    assert dse.load_workload(net.save(tmp_path, net.dense(x, "fc", 3, 8))).macs == 24


def test_too_many_nodes(tmp_path):
    net = Graph()
    x = net.input("x", [1, 8])
    for _ in range(100_000):
        x = net.node("Relu", [x])
    assert "at most 50000 nodes" in message(net.save(tmp_path, x))


def test_functions_that_multiply_or_call_themselves(tmp_path):
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    for op, calls in (("F0", "F0"), *((f"F{i}", f"F{i - 1}") for i in range(1, 40))):
        inner = [helper.make_node(calls, ["a"], [f"t{i}"], domain="own") for i in range(2)]
        inner.append(helper.make_node("Add", ["t0", "t1"], ["y"]))
        if op == "F0":
            net = Graph()
            net.functions.append(helper.make_function("own", op, ["a"], ["y"], inner, opset))
            path = net.save(tmp_path, net.node(op, [net.input("x", [1, 8])], domain="own"))
            assert "must not call itself" in message(path)
            inner = [helper.make_node("Relu", ["a"], ["y"])]
            net = Graph()
        net.functions.append(helper.make_function("own", op, ["a"], ["y"], inner, opset))
    path = net.save(tmp_path, net.node("F39", [net.input("x", [1, 8])], domain="own"))
    assert "at most 50000 nodes" in message(path)


def test_shapes_that_contradict_the_operator(tmp_path):
    net = Graph()
    x, w = net.input("x", [1, 8]), net.weight("w", [9, 3])
    text = message(net.save(tmp_path, net.node("MatMul", [x, w], name="product")))
    assert "'product' (MatMul)" in text


def test_dynamic_dimension_without_size_and_with_a_wrong_name(tmp_path):
    net = Graph()
    x = net.node("MatMul", [net.input("x", ["batch", "len", 16]), net.weight("w", [16, 8])])
    path = net.save(tmp_path, x)
    assert "workload.len=..." in message(path)
    assert "did you mean 'len'?" in message(path, len=3, lem=3)
    assert "workload.len must be a whole number" in message(path, len=0)


def test_old_opset(tmp_path):
    net = Graph(opset=6)
    assert "opset must be 7 or later" in message(
        net.save(tmp_path, net.node("Relu", [net.input("x", [1, 8])]))
    )


def test_names_are_no_interpolation_and_no_control_characters(tmp_path):
    net = Graph()
    x = net.dense(net.input("x", [1, 8]), "fc${oc.env:HOME}\n\x1b[31m", 8, 8)
    (layer,) = dse.load_workload(net.save(tmp_path, x)).layers
    assert "$" not in layer.name
    assert layer.name.isprintable()


def test_strict_fails_on_the_command_line_with_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    net = Graph()
    x = net.node("Frobnicate", [net.input("x", [1, 8])], domain="example.org")
    path = net.save(tmp_path, x)
    assert main([f"workload.path={path}", "task=import", "import.strict=true"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "Frobnicate" in lines[0]
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("equation", ["4>", ".N.ii ->...i"])
def test_an_equation_on_which_onnx_never_ends(tmp_path, equation):
    net = Graph()
    x = net.node("Einsum", [net.input("x", [1, 8])], equation=equation)
    assert "equation" in dse.load_workload(net.save(tmp_path, x), accept=0).notes[0]
