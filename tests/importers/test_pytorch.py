"""Modules of PyTorch; the tests that export need torch, which is an optional extra."""

import subprocess
import sys
from types import SimpleNamespace
from zipfile import ZipFile

import pytest

import dse
from dse import DseError
from tests.importers import graphs


def test_without_torch_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DseError, match=r"install chipfront\[torch\]"):
        dse.load_module(object(), [])


def test_neither_torch_nor_onnx_is_imported_before_it_is_needed():
    code = "import dse, sys; dse.load_workload('tiny'); print({'torch', 'onnx'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.slow
def test_module_is_counted_layer_by_layer():
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    nn = torch.nn
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 16 * 16, 10),
    )
    module.train()
    made = dse.load_module(module, [torch.zeros(1, 3, 32, 32)], name="small", batch=4, strict=True)
    assert module.training
    assert (made.name, made.batch) == ("small", 4)
    assert [layer.b for layer in made.layers] == [4, 4]
    assert made.macs == 4 * (8 * 16 * 16 * 27 + 8 * 16 * 16 * 10)
    assert made.weight_elements == sum(x.numel() for x in module.parameters())


@pytest.mark.slow
def test_what_cannot_be_exported_is_one_line():
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")

    class Branching(torch.nn.Module):
        def forward(self, x):
            return x + 1 if x.sum() > 0 else x

    with pytest.raises(DseError) as caught:
        dse.load_module(Branching(), [torch.zeros(1, 3)])
    assert "\n" not in str(caught.value)
    with pytest.raises(DseError, match=r"must be a torch\.nn\.Module"):
        dse.load_module("no module", [])


def test_programs_need_torch_and_a_whole_file(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    path = tmp_path / "net.pt2"
    with pytest.raises(DseError, match=r"a \.pt2 file that exists"):
        dse.load_workload(path)
    path.write_bytes(b"PK not whole")
    with pytest.raises(DseError, match=r"cannot be read as \.pt2"):
        dse.load_workload(path)
    with ZipFile(path, "w") as file:
        file.writestr("version", "0")
    with pytest.raises(DseError, match=r"a \.pt2 file needs torch: install chipfront\[torch\]"):
        dse.load_workload(path)


def test_a_program_goes_through_onnx(tmp_path, monkeypatch):
    net, output = graphs.alexnet()
    graph = net.model(output)
    program = SimpleNamespace(
        save=lambda path, external_data: path.write_bytes(graph.SerializeToString())
    )
    path = tmp_path / "net.pt2"
    with ZipFile(path, "w") as file:
        file.writestr("version", "0")
    torch = SimpleNamespace(
        export=SimpleNamespace(load=lambda _: object()),
        onnx=SimpleNamespace(export=lambda *_, **__: program),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert dse.load_workload(path).macs == dse.load_workload(net.save(tmp_path, output)).macs
    monkeypatch.setattr(torch.export, "load", lambda _: {}["nothing"])
    with pytest.raises(DseError, match="torch cannot read it: 'nothing'"):
        dse.load_workload(path)


@pytest.mark.slow
def test_a_program_of_torch_is_counted(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU())
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(module.eval(), (torch.zeros(1, 3, 10, 10),)), path)
    found = dse.load_workload(path, strict=True)
    assert (found.name, found.macs) == ("net", 8 * 8 * 8 * 27)
    assert found.weight_elements == sum(x.numel() for x in module.parameters())
