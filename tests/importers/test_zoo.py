"""The ONNX of a network of the zoo, described again by hand, is the zoo's network."""

from collections import Counter
from dataclasses import replace

import pytest

import dse
from tests.importers import graphs

BITS = {"input": 8, "weight": 8, "output": 8, "psum": 32}
CONVOLUTIONAL = ("resnet18", "alexnet", "mobilenet_v1")


@pytest.mark.parametrize("name", CONVOLUTIONAL)
@pytest.mark.parametrize("batch", [1, 4])
def test_every_layer_equals_that_of_the_zoo(tmp_path, name, batch):
    net, output = getattr(graphs, name)()
    path = net.save(tmp_path, output, name=f"{name}.onnx")
    made = dse.load_workload(path, bits=BITS, batch=batch)
    zoo = dse.load_workload(name, batch=batch)
    assert made.layers == zoo.layers
    assert (made.macs, made.weight_elements) == (zoo.macs, zoo.weight_elements)


@pytest.mark.parametrize("seq_len", [128, 384])
def test_bert_equals_the_zoo_at_every_length(tmp_path, seq_len):
    """The three embedded maps of the zoo are written joined by both."""
    net, output = graphs.bert_base()
    made = dse.load_workload(net.save(tmp_path, output), bits=BITS, seq_len=seq_len)
    zoo = dse.load_workload("bert_base", seq_len=seq_len)
    assert _shapes(made) == _shapes(zoo)
    pooler = 768 * 768 + 768
    assert made.weight_elements == zoo.weight_elements - pooler


def _shapes(network):
    """Count layers by shape, a repeated one as often as it runs."""
    counts = Counter()
    for layer in network.layers:
        counts[replace(layer, name="any", repeat=1)] += layer.repeat
    return counts


def test_edges_lead_from_each_writer_to_its_readers(tmp_path):
    net, output = graphs.resnet18()
    made = dse.load_workload(net.save(tmp_path, output))
    assert {("layer1.0.add", "layer1.0.conv2"), ("layer1.0.add", "pool1")} <= set(made.edges)
    assert ("layer1.0.conv1", "pool1") in made.edges
    assert [reader for reader, writer in made.edges if writer == "layer2.0.conv1"] == [
        "layer2.0.conv2"
    ]
    assert "conv1" not in {reader for reader, _ in made.edges}
