"""Import, write YAML, run: identical results, from the command line and from Python."""

import json

import pandas as pd
import pytest
import yaml

import dse
from dse.cli import main
from tests.importers.graphs import Graph


def network(folder):
    """Return a small network with a layer of every kind that the YAML writes apart."""
    net = Graph()
    x = net.conv(net.input("x", ["batch", 3, 17, 13]), "conv", 8, 3, 3, stride=2, pad=1)
    x = net.node("ConvTranspose", [x, net.weight("up_w", [8, 4, 2, 2])], name="up", strides=[2, 2])
    x = net.node("Frobnicate", [x], name="odd", domain="example.org")
    info = net.input("y", ["batch", 5, 6])
    y = net.node("Transpose", [info], perm=[1, 0, 2])
    parts = [net.weight("w", [2, 16, 6]), net.weight("r", [2, 16, 4])]
    y = net.node("LSTM", [y, *parts], name="lstm", hidden_size=4, direction="bidirectional")
    y = net.node(
        "Softmax",
        [net.node("MatMul", [info, net.node("Transpose", [info], perm=[0, 2, 1])], name="scores")],
        name="shares",
    )
    return net.save(folder, x, y, name="mine.onnx")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dse.report.page.write_report", lambda folder: None)
    return tmp_path


def run(home, *arguments):
    """Run a command and return its folder."""
    before = set(home.glob("outputs/*/*"))
    assert main(list(arguments)) == 0
    (folder,) = set(home.glob("outputs/*/*")) - before
    return folder


def test_the_yaml_of_an_import_gives_identical_results(home):
    path = network(home)
    written = run(home, "task=import", f"workload.path={path}") / "workload.yaml"
    machine = ("task=evaluate", "accelerator=nvdla", "workload.batch=3", "import.accept=0")
    first = run(home, *machine, f"workload.path={path}")
    second = run(home, *machine, f"workload.path={written}")
    for name in ("layers.csv", "summary.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    ours, theirs = (dse.load_workload(x, accept=0) for x in (path, written))
    assert ours == theirs
    assert ours.edges == theirs.edges


def test_coverage_and_warnings_are_in_the_summary(home, capsys):
    path = network(home)
    arguments = ("task=evaluate", "accelerator=nvdla", "import.accept=0")
    folder = run(home, *arguments, f"workload.path={path}")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    (missed,) = summary["coverage"]["not_understood"]
    assert (missed["op"], missed["names"]) == ("Frobnicate", ["odd"])
    assert 0 < summary["coverage"]["bytes_share"] < 1
    assert any("Frobnicate" in text for text in summary["warnings"])
    assert "Frobnicate" in capsys.readouterr().out
    layers = pd.read_csv(folder / "layers.csv")
    assert set(layers["name"]) >= {"conv", "up.y0x0", "odd", "lstm.forward.input", "scores"}


def test_manifest_has_the_hash_of_the_file(home):
    path = network(home)
    folder = run(home, "task=import", f"workload.path={path}")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert "workload.path" in manifest["inputs_sha256"]


def test_the_yaml_is_one_layer_a_line_and_edits_are_kept(home):
    written = run(home, "task=import", f"workload.path={network(home)}") / "workload.yaml"
    text = written.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("  - {name: ")]
    assert len(lines) == len(yaml.safe_load(text)["layers"])
    written.write_text(text.replace("k: 8", "k: 16"), encoding="utf-8")
    assert dse.load_workload(written, accept=0).layers[0].k == 16


def test_bits_that_the_user_sets_replace_those_of_the_file(home):
    path = network(home)
    arguments = ["task=import", f"workload.path={path}", "workload.bits.weight=4"]
    values = yaml.safe_load((run(home, *arguments) / "workload.yaml").read_text(encoding="utf-8"))
    assert values["bits"] == {"input": 32, "weight": 4, "output": 32, "psum": 32}


def test_a_named_network_is_written_out_too(home):
    written = run(home, "task=import", "workload=gpt2", "workload.query_len=7") / "workload.yaml"
    assert dse.load_workload(written) == dse.load_workload("gpt2", query_len=7)
