"""YAML to accelerators, DRAM parts and nodes: every file of conf, and every kind of mistake."""

import copy
import math

import pytest
from omegaconf import OmegaConf

from dse.config.accelerators import (
    accelerator_from,
    catalogue,
    dram_part_from,
    technology_from,
)
from dse.config.files import group_names, load_group, plain, user_directories
from dse.cost.energy import dram_pj_per_bit
from dse.errors import DseError
from dse.hardware.dram_rate import given_one

MINIMAL = {
    "name": "mine",
    "clock_hz": 1.0e9,
    "array_rows": 16,
    "buffer_bytes": 65536,
    "dram_part": "lpddr4_3200_x32",
    "array": [{"size": "array_rows", "dims": ["c", ["c", "fy", "fx"]]}, {"size": 8, "dims": ["k"]}],
    "buffers": [
        {"name": "global", "bytes": "buffer_bytes", "holds": ["input", "weight", "output"]}
    ],
    "technology": "node28",
}

MACHINES = {  # MACs, bytes of all buffers, peak bytes/s, as published or as the file says
    "flexible": (256, 262144, 12.8e9),
    "systolic": (1024, 524288, 12.8e9),
    "snowflake": (256, 768 * 1024, 4.2e9),
    "eyeriss": (168, 181.5 * 1024, 0.48e9),
    "tpu_v1": (65536, (24 + 4) * 2**20 + 4 * 65536, 34e9),
    "nvdla": (2048, 512 * 1024, 20e9),
}


def changed(path, value):
    """Return MINIMAL with the value at a path, such as ("array", 0, "size"), replaced."""
    values = copy.deepcopy(MINIMAL)
    node = values
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return values


@pytest.mark.parametrize("name", group_names("accelerator"))
def test_every_accelerator_loads_and_names_its_source(name):
    chip = accelerator_from(load_group("accelerator", name))
    assert chip.name == name
    assert chip.source


@pytest.mark.parametrize("name", MACHINES)
def test_machines_have_their_published_sizes(name):
    chip = accelerator_from(load_group("accelerator", name))
    assert (chip.num_macs, sum(chip.buffer_sizes_bytes)) == MACHINES[name][:2]
    assert chip.peak_dram_bytes_per_s == MACHINES[name][2]


def test_peak_rates_are_those_in_print():
    snowflake = accelerator_from(load_group("accelerator", "snowflake"))
    assert 2 * snowflake.num_macs * snowflake.clock_hz == 128e9
    tpu = accelerator_from(load_group("accelerator", "tpu_v1"))
    assert 2 * tpu.num_macs * tpu.clock_hz == pytest.approx(92e12, rel=0.003)
    assert tpu.num_macs * tpu.clock_hz / tpu.peak_dram_bytes_per_s == pytest.approx(1350, rel=0.001)
    eyeriss = accelerator_from(load_group("accelerator", "eyeriss"))
    assert eyeriss.num_macs * eyeriss.clock_hz == 33.6e9


@pytest.mark.parametrize("name", group_names("dram"))
def test_every_dram_part_is_width_times_rate(name):
    part = catalogue().dram_parts[name]
    words = name.split("_")
    if len(words) == 3:
        megatransfers = int(words[1]) * (1000 if int(words[1]) < 100 else 1)
        assert part.bytes_per_s == pytest.approx(megatransfers * 1e6 * int(words[2][1:]) / 8)
    assert part.name == name
    assert part.usd.date
    assert part.pj_per_bit.low < part.pj_per_bit.high


def test_stacks_have_the_rates_of_their_standard():
    rates = {name: catalogue().dram_parts[name].bytes_per_s for name in ("hbm2", "hbm2e", "hbm3")}
    assert rates == {"hbm2": 256e9, "hbm2e": 460.8e9, "hbm3": 819.2e9}


@pytest.mark.parametrize("name", group_names("technology"))
def test_every_node_is_named_for_its_size(name):
    node = catalogue().technologies[name]
    assert node.name == name == f"node{node.node_nm:g}"


def test_the_catalogue_is_read_once_and_knows_the_users_own_parts(tmp_path):
    assert catalogue() is catalogue()
    (tmp_path / "dram").mkdir()
    own = {**load_group("dram", "hbm2"), "name": "mine"}
    OmegaConf.save(OmegaConf.create(own), tmp_path / "dram" / "mine.yaml")
    with user_directories([tmp_path]):
        assert "mine" in catalogue().dram_parts
    assert "mine" not in catalogue().dram_parts


def test_a_machine_may_bring_its_own_part_and_node():
    part = {**load_group("dram", "hbm2"), "name": "mine"}
    chip = accelerator_from(changed(("dram_part",), part))
    assert chip.dram_part.name == "mine"
    node = {**load_group("technology", "node16"), "name": "node12"}
    assert accelerator_from(changed(("technology",), node)).technology.name == "node12"


@pytest.mark.parametrize(
    "size", ["array_rows", "${..array_rows}", "${...array_rows}", "${accelerator.array_rows}"]
)
def test_a_size_refers_to_a_parameter_in_any_way(size):
    chip = accelerator_from(changed(("array", 0, "size"), size))
    assert chip.with_parameters(array_rows=5).axis_sizes == (5, 8)


def test_references_survive_a_configuration_node():
    node = OmegaConf.create({"accelerator": changed(("array", 0, "size"), "${...array_rows}")})
    chip = accelerator_from(plain(node.accelerator, "accelerator"))
    assert chip.array[0].size == "array_rows"


def test_an_own_parameter_can_size_a_buffer():
    values = changed(("buffers", 0, "bytes"), "scratch_bytes")
    del values["buffer_bytes"]
    chip = accelerator_from({**values, "scratch_bytes": 4096.0})
    assert chip.buffer_sizes_bytes == (4096,)
    assert chip.with_parameters(scratch_bytes=8).buffer_sizes_bytes == (8,)


def test_whole_numbers_may_be_written_as_floats():
    chip = accelerator_from({**MINIMAL, "array_rows": 16.0, "buffer_bytes": 1.0e6})
    assert (chip.array_rows, chip.buffer_bytes) == (16, 1000000)
    assert isinstance(chip.buffer_bytes, int)


def test_null_means_not_given():
    chip = accelerator_from({**MINIMAL, "dram_bytes_per_s": None, "macs": None})
    assert chip.peak_dram_bytes_per_s == 12.8e9


def test_a_rate_wins_over_the_part_and_keeps_its_energy():
    chip = accelerator_from(load_group("accelerator", "flexible", dram_bytes_per_s=2e10))
    assert chip.peak_dram_bytes_per_s == 2e10
    assert chip.dram_part is None
    assert chip.dram.pj_per_bit == catalogue().dram_parts["lpddr4_3200_x32"].pj_per_bit.value


def test_a_part_takes_the_place_of_a_rate_once_the_rate_is_null():
    values = load_group("accelerator", "nvdla", dram_part="lpddr5_6400_x32", dram_bytes_per_s=None)
    assert accelerator_from(values).peak_dram_bytes_per_s == 25.6e9


def test_a_given_part_brings_its_rate_and_its_energy():
    values = load_group("accelerator", "nvdla", dram_part="hbm3")
    chip = accelerator_from(given_one(values, ("dram_part",)))
    assert chip.peak_dram_bytes_per_s == 819.2e9
    assert dram_pj_per_bit(chip) == catalogue().dram_parts["hbm3"].pj_per_bit.value
    chip = accelerator_from(given_one(values, ("dram_part", "dram")))
    assert dram_pj_per_bit(chip) == 8


def test_overrides_of_the_interface_page_work():
    values = load_group(
        "accelerator", "nvdla", macs=512, buffer_bytes=262144, dram_bytes_per_s=10e9
    )
    chip = accelerator_from(values)
    assert (chip.num_macs, chip.buffer_sizes_bytes) == (512, (262144,))
    assert chip.peak_dram_bytes_per_s == 10e9


def test_constraints_bound_tiles():
    chip = accelerator_from({**MINIMAL, "constraints": {"max_tile": {"k": 64, "oy": 5.0}}})
    assert chip.constraints.max_tile == (("k", 64), ("oy", 5))


WRONG = [
    (("array_row",), 16, "no key 'array_row'; did you mean 'array_rows'"),
    (("lanes",), 4, "has no key 'lanes'"),
    (("macs",), 256, "macs = 256 would change nothing"),
    (("clock_hz",), 0, "clock_hz must be a finite number above 0, got 0"),
    (("clock_hz",), -1e9, "clock_hz must be a finite number above 0"),
    (("clock_hz",), math.nan, "clock_hz must be a finite number above 0, got nan"),
    (("clock_hz",), math.inf, "clock_hz must be a finite number above 0, got inf"),
    (("clock_hz",), "1 GHz", "clock_hz must be a finite number above 0, got '1 GHz'"),
    (("clock_hz",), None, "needs a value for 'clock_hz'"),
    (("array_rows",), 0, "array_rows must be a whole number, 1 or more, got 0"),
    (("array_rows",), 2.5, "array_rows must be a whole number, 1 or more, got 2.5"),
    (("array_rows",), math.inf, "array_rows must be a whole number"),
    (("array_rows",), True, "array_rows must be a whole number"),
    (("array_rows",), [8, 16], "array_rows must be a whole number"),
    (("array_rows",), None, "number or name a parameter, got 'array_rows'"),
    (("buffer_bytes",), "128k", "buffer_bytes must be a whole number, 1 or more, got '128k'"),
    (("array",), None, "needs a value for 'array'"),
    (("array",), [], "array_rows = 16 would change nothing: no size in array"),
    (("array",), {"size": 4}, "array must be a list"),
    (("array", 0), 16, r"array\[0\] must be a mapping of size, dims, whole_sets, got 16"),
    (("array", 0, "sise"), 4, r"array\[0\] has no key 'sise'; did you mean 'size'"),
    (("array", 0, "size"), 0, r"array\[0\].size must be a whole number, 1 or more, got 0"),
    (("array", 0, "size"), "array_row", "got 'array_row'; did you mean 'array_rows'"),
    (("array", 0, "size"), "clock_hz", "must be a number or name a parameter, got 'clock_hz'"),
    (("array", 0, "dims"), ["z"], "loops of b g k c oy ox fy fx, got 'z'"),
    (("array", 0, "dims"), "k", r"dims must be a list, got 'k'"),
    (("array", 0, "dims"), [], "dims must name at least one loop"),
    (("array", 0, "dims"), [4], "dims must be a list of names, got 4"),
    (("buffers", 0, "bytes"), -4, r"buffers\[0\].bytes must be a whole number"),
    (("buffers", 0, "holds"), [], "'global'.holds must name at least one operand"),
    (("buffers", 0, "holds"), ["input", "weight"], "output is held by none"),
    (("buffers", 0, "holds"), ["inputs"], "got 'inputs'"),
    (("dram_part",), "lpddr4_3200_x23", "not in conf/dram; did you mean 'lpddr4_3200_x32'"),
    (("dram_part",), ["hbm2"], "not in conf/dram"),
    (("dram_part",), None, "either dram_part or dram_bytes_per_s, got neither"),
    (("dram_bytes_per_s",), "12.8 GB/s", "dram_bytes_per_s must be a finite number above 0"),
    (("dram_channels",), 0, "dram_channels must be a whole number, 1 or more, got 0"),
    (("dram",), {"efficiency": 1.2}, "efficiency must be a number above 0 and at most 1, got 1.2"),
    (("dram",), {"efficiency": -0.5}, "dram.efficiency must be a finite number above 0"),
    (("dram",), {"efficency": 1}, "no key 'efficency'; did you mean 'efficiency'"),
    (("dram",), {"carries": ["bias"]}, "dram.carries must name operands"),
    (("dram",), 0.75, "dram must be a mapping"),
    (("technology",), "node82", "not in conf/technology; did you mean 'node28'"),
    (("technology",), 28, "technology 28 is not in conf/technology"),
    (("transfers",), "overlap", "transfers must be one of overlapped"),
    (("stationarity",), "weight", "stationarity must be a list of names"),
    (("stationarity",), ["filter"], "stationarity must name operands"),
    (("held_in_array",), "sums", "held_in_array must be one of input"),
    (("fill_cycles",), "rows", "fill_cycles must be a number or name a parameter, got 'rows'"),
    (("fill_cycles",), -1, "fill_cycles must be a whole number, 0 or more, got -1"),
    (("padding_is_computed",), "maybe", "padding_is_computed must be true or false"),
    (("constraints",), {"min_tiles": {}}, "no key 'min_tiles'; did you mean 'min_tile'"),
    (("constraints",), {"min_tile": {"q": 1}}, "constraints.min_tile has no key 'q'"),
    (("constraints",), {"max_tile": {"k": 0}}, "constraints.max_tile.k must be a whole number"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG)
def test_wrong_accelerators_give_one_clear_line(path, value, message):
    with pytest.raises(DseError, match=message) as caught:
        accelerator_from(changed(path, value))
    assert "\n" not in str(caught.value)


def test_an_operand_held_twice_is_refused():
    values = copy.deepcopy(MINIMAL)
    values["buffers"].append({"name": "more", "bytes": 8, "holds": ["weight"]})
    with pytest.raises(DseError, match=r"weight is held by \['global', 'more'\]"):
        accelerator_from(values)


def test_a_part_that_would_change_nothing_is_refused():
    values = load_group("accelerator", "nvdla", dram_part="hbm2")
    with pytest.raises(DseError, match="dram_part = 'hbm2' would change nothing"):
        accelerator_from(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pj_per_bits": 8}, "no key 'pj_per_bits'; did you mean 'pj_per_bit'"),
        ({"bytes_per_s": 0}, "bytes_per_s must be a finite number above 0, got 0"),
        ({"burst_bytes": 0.5}, "burst_bytes must be a whole number"),
        ({"usd": 5}, "usd must be a mapping of value, low, high, source, date, got 5"),
        ({"usd": {"value": 5, "low": 6, "high": 7, "source": "x"}}, "usd: constant must have"),
        ({"usd": {"value": 5, "low": 4, "high": 7}}, "usd needs a value for 'source'"),
        ({"usd": {"value": "5", "low": 4, "high": 7, "source": "x"}}, "usd.value must be a finite"),
        ({"source": None}, "needs a value for 'source'"),
    ],
)
def test_wrong_dram_parts_give_one_clear_line(change, message):
    with pytest.raises(DseError, match=message):
        dram_part_from({**load_group("dram", "hbm2"), **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"node": 28}, "no key 'node'"),
        ({"node_nm": "28"}, "node_nm must be a finite number above 0, got '28'"),
        ({"area_fit_macs": 2048}, "area_fit_macs must be a list"),
        ({"area_fit_kib": [512, 128]}, r"area_fit_kib must be \[least, most\]"),
        ({"mac_pj": None}, "needs a value for 'mac_pj'"),
    ],
)
def test_wrong_nodes_give_one_clear_line(change, message):
    with pytest.raises(DseError, match=message):
        technology_from({**load_group("technology", "node28"), **change})
