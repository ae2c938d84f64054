"""What the data or the user decide: branches, trips, sizes, and which dimension is the batch."""

import pytest
from onnx import helper

import dse
from dse.cli import main
from dse.errors import DseError
from tests.importers.graphs import Graph
from tests.importers.test_operators import _loop, imported


def _branch(name, weight, *, columns=256):
    node = helper.make_node("MatMul", ["x", weight], [name], name=name)
    out = helper.make_tensor_value_info(name, 1, [1, columns])
    return helper.make_graph([node], name, [], [out])


def _choice(*, then=256, otherwise=256):
    """Return a graph whose branch an input ``sr`` decides, as voice detectors have it."""
    net = Graph()
    net.input("x", [1, 256])
    equal = net.node("Equal", [net.input("sr", [], "int64"), net.number("k", 16000)])
    net.weight("w1", [256, then])
    net.weight("w2", [256, otherwise])
    branches = {"then_branch": _branch("a", "w1", columns=then)}
    branches["else_branch"] = _branch("b", "w2", columns=otherwise)
    return net, net.node("If", [equal], **branches)


@pytest.mark.parametrize(("then", "otherwise"), [(256, 256), (64, 256), (256, 64)])
def test_a_branch_that_an_input_decides_is_bounded_by_the_larger(tmp_path, then, otherwise):
    net, out = _choice(then=then, otherwise=otherwise)
    found = imported(tmp_path, net, out)
    assert (found.coverage["macs"], found.coverage["macs_share"]) == (65_536, 1)
    notes = " ".join(found.values["notes"])
    assert "Branch decided by the data" in notes
    assert "workload.sr=..." in notes


@pytest.mark.parametrize(("rate", "macs"), [(16000, 256 * 64), (8000, 256 * 256), (0, 256 * 256)])
def test_the_user_may_give_the_value_of_an_input(tmp_path, rate, macs):
    net, out = _choice(then=64)
    found = imported(tmp_path, net, out, sizes={"sr": rate})
    assert found.coverage["macs"] == macs
    assert "notes" not in found.values


def test_a_branch_that_contradicts_the_shapes_is_not_the_one(tmp_path):
    net, _ = _choice()
    net.nodes[-1].attribute[0].g.node[0].input[1] = "k2"
    net.weight("k2", [3, 3])
    assert imported(tmp_path, net, net.nodes[-1].output[0]).coverage["macs"] == 65_536


def test_trips_that_the_data_decide_are_counted_once_or_as_given(tmp_path):
    net = Graph()
    net.input("x", [1, 8])
    weight = net.weight("w", [8, 8])
    nodes = [helper.make_node("MatMul", ["h", weight], ["h2"], name="step")]
    trips = net.node("ReduceMax", [net.input("lengths", [3], "int64")], keepdims=0)
    out, _ = _loop(net, trips, nodes, weight)
    once = imported(tmp_path, net, out)
    assert (once.coverage["macs"], once.coverage["macs_share"]) == (64, 0)
    assert "Trips decided by the data" in " ".join(once.values["notes"])
    name = next(x.name for x in net.nodes if x.op_type == "Loop")
    given = imported(tmp_path, net, out, sizes={f"{name}_trips": 5})
    assert (given.coverage["macs"], given.coverage["macs_share"]) == (320, 1)


def test_a_recurrent_layer_in_a_loop_has_macs_that_are_known(tmp_path):
    net = Graph()
    net.input("x", [5, 1, 8])
    net.weight("w", [1, 32, 8])
    net.weight("r", [1, 32, 8])
    nodes = [
        helper.make_node("LSTM", ["h", "w", "r"], ["y"], name="cell", hidden_size=8),
        helper.make_node("Squeeze", ["y", "axis"], ["h2"]),
    ]
    net.number("axis", [1])
    out, _ = _loop(net, net.number("trips", 3), nodes, "w")
    coverage = imported(tmp_path, net, out).coverage
    assert (coverage["macs"], coverage["macs_share"]) == (3 * 5 * 32 * 16, 0)


def test_trips_that_are_an_input_are_given_by_its_name(tmp_path):
    net = Graph()
    net.input("x", [1, 8])
    weight = net.weight("w", [8, 8])
    nodes = [helper.make_node("MatMul", ["h", weight], ["h2"], name="step")]
    out, _ = _loop(net, net.input("trips", [], "int64"), nodes, weight)
    assert imported(tmp_path, net, out, sizes={"trips": 7}).coverage["macs"] == 7 * 64


def _framed(*shapes):
    net = Graph()
    net.input("x", shapes[0])
    u = net.node("Unsqueeze", ["x", net.number("axes", [0, 1])])
    return net, net.conv(u, "conv", 16, 1, 3, bias=False)


def test_a_dimension_whose_size_is_given_is_not_the_batch(tmp_path):
    for name in ("frames", "whatever"):
        net, out = _framed([name, 81])
        found = imported(tmp_path, net, out, sizes={name: 100})
        assert found.coverage["macs"] == 98 * 79 * 16 * 9 == 1_114_848


def test_a_dimension_named_for_something_else_is_not_the_batch(tmp_path):
    net, out = _framed(["frames", 81])
    with pytest.raises(DseError, match=r"need a size: frames \(of x\); give workload\.frames="):
        imported(tmp_path, net, out)


def test_a_dimension_written_as_minus_one_is_dynamic(tmp_path):
    net, out = _framed([-1, 81])
    assert imported(tmp_path, net, out, sizes={"x_0": 100}).coverage["macs"] == 1_114_848


def test_the_batch_may_be_named(tmp_path):
    net = Graph()
    net.input("x", ["tracks", "frames", 8])
    out = net.node("MatMul", ["x", net.weight("w", [8, 8])])
    found = imported(tmp_path, net, out, sizes={"tracks": 3}, batch="frames")
    assert found.coverage["macs"] == 3 * 64
    for batch, sizes in (("none", {"tracks": 2, "frames": 5}), ("tracks", {"frames": 10})):
        assert imported(tmp_path, net, out, sizes=sizes, batch=batch).coverage["macs"] == 640
    with pytest.raises(DseError, match=r"no dynamic dimension 'track' \(import\.batch\)"):
        imported(tmp_path, net, out, batch="track")


@pytest.mark.parametrize("names", [("unk__1", "unk__2"), (None, None), ("batch", "unk__7")])
def test_the_first_dimensions_that_an_exporter_named_are_one_batch(tmp_path, names):
    net = Graph()
    inputs = [net.input("a", [names[0], 21]), net.input("b", [names[1], 21])]
    total = net.node("Add", inputs)
    out = net.node("MatMul", [total, net.weight("w", [21, 64])])
    assert imported(tmp_path, net, out).coverage["macs"] == 1_344


def test_shared_weights_are_counted_once(tmp_path):
    net = Graph()
    x, weight = net.input("x", [1, 256]), net.weight("w", [256, 256])
    for _ in range(4):
        x = net.node("MatMul", [x, weight])
    network = dse.load_workload(net.save(tmp_path, x))
    assert (network.macs, network.weight_elements) == (262_144, 65_536)


def test_slices_of_one_weight_are_its_parts(tmp_path):
    """Three products of a third each share nothing; a fourth of the first third does."""
    net = Graph()
    x, weight = net.input("x", [1, 64]), net.weight("w", [64, 96])
    outputs = [f"w{i}" for i in range(3)]
    net.node("Split", [weight, net.number("n", [32] * 3)], axis=1, outputs=outputs)
    results = [net.node("MatMul", [x, part]) for part in (*outputs, "w0")]
    network = dse.load_workload(net.save(tmp_path, *results))
    assert network.weight_elements == 64 * 96
    assert [layer.weight_is_shared for layer in network.layers] == [False] * 3 + [True]


def _odd(tmp_path):
    """Return a file whose one operator with weights is not known."""
    net = Graph()
    inputs = [net.input("x", [1, 64, 28, 28]), net.weight("w", [64, 64, 3, 3])]
    return net.save(tmp_path, net.node("Frobnicate", inputs, domain="example.org"))


def test_no_share_of_macs_is_whole_where_some_are_not_known(tmp_path):
    net = Graph()
    y = net.node("Frobnicate", [net.input("x", [1, 8]), net.weight("w", [8, 8])], domain="odd")
    coverage = imported(tmp_path, net, net.dense(y, "fc", 24, 8)).coverage
    assert coverage["macs"] == 64 + 8 * 24  # at least one for each weight
    assert coverage["macs_share"] == 0  # what follows takes a shape that is a guess


def test_a_network_that_is_half_understood_gives_no_result_unless_that_is_accepted(
    tmp_path, monkeypatch, capsys
):
    path = _odd(tmp_path)
    monkeypatch.chdir(tmp_path)
    for task in ("evaluate", "search"):
        assert main([f"task={task}", f"workload.path={path}"]) == 2
        text = capsys.readouterr().err
        assert "needs 95 % of its MACs and bytes modelled, got 0 % of MACs and 0 % of bytes" in text
        assert "Frobnicate (the operator of example.org is not known)" in text
        assert text.count("\n") == 1
    main(["task=evaluate", f"workload.path={path}", "import.accept=0", "report=none"])
    assert "inferences/s" in capsys.readouterr().out
    with pytest.raises(DseError, match="accept=0 accepts it"):
        dse.load_workload(path)
    assert dse.load_workload(path, accept=0).notes


def test_import_tells_that_no_macs_are_known(tmp_path, monkeypatch, capsys):
    net = Graph()
    path = net.save(tmp_path, net.node("Frobnicate", [net.input("x", [8])], domain="odd"))
    monkeypatch.chdir(tmp_path)
    main(["task=import", f"workload.path={path}"])
    assert "Modelled     no MACs are known, 0.0 % of bytes" in capsys.readouterr().out


def test_a_share_to_accept_is_a_share(tmp_path):
    with pytest.raises(DseError, match=r"import\.accept must be a share from 0 to 1, got 2"):
        dse.load_workload(_odd(tmp_path), accept=2)


def test_given_values_are_whole_numbers_of_one_element(tmp_path):
    net = Graph()
    net.input("x", [1, 8])
    net.input("wide", [4], "int64")
    y = net.node("MatMul", ["x", net.weight("w", [8, 8])])
    with pytest.raises(DseError, match="no dynamic dimension 'wide'"):
        imported(tmp_path, net, y, sizes={"wide": 3})
