"""Networks exported from torch against what its own hooks counted.

torch_models.json: ``macs`` as counted by forward hooks on every convolution, linear, recurrent
and attention module of torchvision 0.29 (recurrent, decoder and encoder are small networks of
torch.nn), ``parameters`` the sum of `numel`. The graphs are exports by torch 2.15 at opset 17 and
later, without folding, whose weights keep their shape and point to a file that is not there.
"""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import dse

HERE = Path(__file__).parent
MODELS = json.loads((HERE / "torch_models.json").read_text(encoding="utf-8"))
FOLDED_BUFFERS = ("swin_t",)  # its export holds masks and gathered tables as constants
BITS = {"input": 8, "weight": 8, "output": 8, "psum": 32}


def load(name, **parameters):
    return dse.load_workload(HERE / "torch_models" / f"{name}.onnx", strict=True, **parameters)


@pytest.mark.parametrize("name", MODELS)
def test_macs_equal_those_of_the_hooks(name):
    assert load(name).macs == MODELS[name]["macs"]


@pytest.mark.parametrize("name", [x for x in MODELS if x not in FOLDED_BUFFERS])
def test_parameters_equal_those_of_the_modules(name):
    assert load(name).weight_elements == MODELS[name]["parameters"]


@pytest.mark.parametrize(
    ("name", "zoo"),
    [("resnet18", "resnet18"), ("mobilenet_v2", "mobilenet_v2"), ("vit_b_16", "vit_b16")],
)
def test_exports_of_networks_of_the_zoo_are_the_zoo(name, zoo):
    assert _shapes(load(name, bits=BITS)) == _shapes(dse.load_workload(zoo))


def _shapes(network):
    """Count layers by shape; where a parameter is counted is the exporter's choice."""
    counts = Counter()
    for layer in network.layers:
        counts[replace(layer, name="any", repeat=1, extra_parameters=0)] += layer.repeat
    return counts
