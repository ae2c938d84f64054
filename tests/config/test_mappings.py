"""A given mapping from YAML, from Python and from the command line."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import dse
from dse.cli import main
from dse.config.mappings import mapping_from
from dse.hardware.constraints import Constraints

BITS = dict.fromkeys(("input", "weight", "output", "psum"), 16)


@pytest.fixture(scope="module")
def machine():
    return dse.load_accelerator("snowflake")


@pytest.fixture(scope="module")
def network():
    alexnet = dse.load_workload("alexnet_one_tower", bits=BITS)
    layers = tuple(x for x in alexnet.layers if x.name in ("conv3", "conv4", "pool5"))
    twin = replace(layers[0], name="twin")
    return replace(alexnet, layers=(*layers, twin))


def test_what_is_given_is_what_is_fixed():
    found = mapping_from(
        {
            "tile": {"oy": 7, "k": None},
            "stationary": "weight",
            "order": "g k c fy fx b oy ox",
            "unrolled": ["k", ["c", "fx"], [], None],
            "layers": {"conv1": {"tile": {"ox": 3}}},
        }
    )
    assert found == Constraints(
        min_tile=(("oy", 7),),
        max_tile=(("oy", 7),),
        stationarity=("weight",),
        order=("g", "k", "c", "fy", "fx", "b", "oy", "ox"),
        unrolled=(("k",), ("c", "fx"), (), None),
        layers=(("conv1", Constraints(min_tile=(("ox", 3),), max_tile=(("ox", 3),))),),
    )
    assert mapping_from(None) == mapping_from({"tile": {}, "layers": {}}) == Constraints()


def test_a_layer_of_its_own_mapping_is_costed_apart(network, machine):
    free = dse.evaluate(network, machine)
    given = {"layers": {"twin": {"tile": {"oy": 1, "ox": 1}}}}
    bound = dse.evaluate(network, machine, mapping=given)
    alike = ["conv3", "conv4", "pool5"]
    ours, theirs = (x.layers.set_index("name") for x in (bound, free))
    pd.testing.assert_frame_equal(ours.loc[alike], theirs.loc[alike])
    assert ours.loc["twin", "tile_oy"] == 1
    assert ours.loc["twin", "latency_s"] > theirs.loc["twin", "latency_s"]
    designs = pd.DataFrame({"clock_hz": [machine.clock_hz]})
    costs = dse.evaluate_designs(network, dse.with_mapping(machine, network, given), designs)
    assert costs["latency_s"][0] == pytest.approx(bound.latency_s, rel=1e-12)
    assert costs["dram_bytes"][0] == bound.dram_bytes


def test_the_best_mapping_given_back_costs_the_same(network, machine):
    layer = network.layers[0]
    best = dse.mapping_table(layer, machine).best("latency_s", machine)
    rows = dse.evaluate(network, machine).layers
    again = dse.evaluate(network, machine, mapping={"layers": {layer.name: best}}).layers
    pd.testing.assert_frame_equal(again, rows)
    names = {"tile": best.tile, "order": " ".join(best.order), "unrolled": list(best.axes)}
    by_name = dse.evaluate(network, machine, mapping={"layers": {layer.name: names}}).layers
    pd.testing.assert_frame_equal(by_name, rows)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"tile": {"oy": 14}}, r"mapping\.tile\.oy = 14 must be at most 13"),
        ({"tile": {"oi": 1}}, "mapping.tile has no key 'oi'"),
        ({"tile": {"oy": 0}}, "mapping.tile.oy must be a whole number"),
        ({"layers": {"conv3": {"tile": {"k": 385}}}}, "must be at most 384, the bound of k"),
        ({"layers": {"conv5": {}}}, "no layer with MACs 'conv5'"),
        ({"layers": {"pool5": {}}}, "no layer with MACs 'pool5'"),
        ({"stationary": "weight"}, "mapping.stationary = weight must be one of input"),
        ({"stationary": "all"}, "mapping.stationary must be one of"),
        ({"order": ["b", "k"]}, "mapping.order must name each of"),
        ({"tile": {"oy": 5, "k": 16}, "order": "g b k c fy fx oy ox"}, "does not allow the order"),
        ({"unrolled": [["k"], ["k"]]}, "mapping.unrolled must be of the choices of each axis"),
        ({"unrolled": ["c"]}, "must have one item for each of the 2 axes"),
        ({"unrolled": 3}, "mapping.unrolled must be a list"),
        ({"pooling_is_fused": "no"}, "mapping.pooling_is_fused must be true or false"),
        ({"dataflow": "weight"}, "mapping has no key 'dataflow'"),
    ],
)
def test_a_mistake_is_told(network, machine, given, told):
    with pytest.raises(dse.DseError, match=told):
        dse.evaluate(network, machine, mapping=given)


def test_what_a_machine_never_cuts_cannot_be_cut(network):
    machine = dse.load_accelerator("snowflake", constraints={"min_tile": {"c": 10**6}})
    with pytest.raises(dse.DseError, match=r"mapping\.tile\.c = 3 must be from 192 to 192"):
        dse.evaluate(network, machine, mapping={"tile": {"c": 3}})


def test_the_command_line_fixes_tiles(tmp_path, capsys):
    common = ["task=evaluate", "workload=tiny", "accelerator=snowflake"]
    folder = tmp_path / "run"
    assert main([*common, "mapping.tile.oy=2", f"hydra.run.dir={folder}"]) == 0
    rows = pd.read_csv(folder / "layers.csv")
    assert set(rows.loc[rows["macs"] > 0, "tile_oy"]) <= {1, 2}
    capsys.readouterr()
    missing = tmp_path / "none"
    assert main([*common, "mapping.tile.oy=5000", f"hydra.run.dir={missing}"]) == 2
    assert "mapping.tile.oy = 5000 must be at most" in capsys.readouterr().err
    assert not missing.exists()


def test_names_with_dots_may_be_nested(network):
    chip = dse.load_accelerator("flexible")
    layer = replace(network.layers[0], name="block.1")
    dotted = replace(network, layers=(layer,))
    rows = [
        dse.evaluate(dotted, chip, mapping={"layers": own}).layers
        for own in ({"block.1": {"tile": {"oy": 2}}}, {"block": {1: {"tile": {"oy": 2}}}})
    ]
    assert list(rows[0]["tile_oy"]) == [2]
    pd.testing.assert_frame_equal(*rows)


def test_what_an_axis_of_the_machine_unrolls_stays(network):
    chip = dse.load_accelerator("flexible", constraints={"unrolled": ["c", None]})
    rows = dse.evaluate(network, chip, mapping={"unrolled": [None, "k"]}).layers
    assert set(rows.loc[rows["macs"] > 0, "unrolled"]) == {"c:16 k:16"}
    bound = dse.with_mapping(chip, network, {"layers": {"conv3": {"stationary": "input"}}})
    with pytest.raises(dse.DseError, match=r"mapping\.stationary = weight must be one of input"):
        dse.with_mapping(bound, network, {"layers": {"conv3": {"stationary": "weight"}}})


def test_the_order_of_a_layer_that_a_machine_fixes_stays(network):
    chip = dse.load_accelerator("flexible")
    first, other = "g k c fy fx b oy ox", "g c k fy fx b oy ox"
    bound = dse.with_mapping(chip, network, {"layers": {"conv3": {"order": first}}})
    for given in ({"order": other}, {"layers": {"conv3": {"order": other}}}):
        with pytest.raises(dse.DseError, match=r"mapping\.order must be that of .* 'conv3', g k"):
            dse.with_mapping(bound, network, given)
    dse.with_mapping(bound, network, {"order": first})


def test_numbers_of_a_table_are_numbers(network):
    chip = dse.load_accelerator("flexible")
    oy = dse.evaluate(network, chip).layers["tile_oy"][0]
    own = {"layers": {"conv3": {"tile": {"oy": oy}}}}
    rows = dse.evaluate(network, chip, mapping=own).layers
    assert rows["tile_oy"][0] == oy


def test_tiles_of_the_batch_are_those_of_the_largest_batch(tmp_path):
    folder = tmp_path / "run"
    space = ["workload=tiny", "space=edge", "search=exact", "budget=none"]
    space += ["space.knobs={array_rows:[8],array_columns:[8],buffer_bytes:[65536]}"]
    batch = ["space.knobs.batch=[1,4]", "mapping.tile.b=4"]
    assert main([*space, *batch, f"hydra.run.dir={folder}"]) == 0
    assert pd.read_csv(folder / "front.csv")["batch"].isin([1, 4]).all()
    assert main([*space, "space.knobs.batch=[1,2]", "mapping.tile.b=4"]) == 2


def test_the_published_schedule_never_beats_the_mapper():
    alexnet = dse.load_workload("alexnet_one_tower", bits=BITS)
    machine = dse.load_accelerator("snowflake")
    given = dse.evaluate(alexnet, machine, objective="dram_bytes", mapping="snowflake_alexnet")
    free = dse.evaluate(alexnet, machine, objective="dram_bytes").layers
    assert (free["dram_bytes"] <= given.layers["dram_bytes"]).all()
    assert (free["dram_bytes"] >= free["compulsory_bytes"]).all()
    assert np.isfinite(given.latency_s)
