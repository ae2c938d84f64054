"""Modules of PyTorch; the tests that export need torch, which is an optional extra."""

import subprocess
import sys

import pytest

import dse
from dse import DseError


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
