"""Knobs and search settings as YAML writes them."""

import numpy as np
import pytest

import dse
from dse.config.spaces import knob_values, search_from, space_from
from dse.errors import DseError
from tests.exploration.fake import ACCELERATOR, CATALOGUE


@pytest.mark.parametrize(
    ("name", "given", "values"),
    [
        ("array_rows", [8, 16], (8, 16)),
        ("array_rows", 8, (8,)),
        ("array_rows", {"low": 8, "high": 32, "step": 8}, (8, 16, 24, 32)),
        ("array_rows", {"low": 8, "high": 31, "step": 8}, (8, 16, 24)),
        ("array_rows", {"low": 1, "high": 64, "num": 4, "log": True}, (1, 4, 16, 64)),
        ("array_rows", {"low": 1, "high": 4, "num": 13}, (1, 2, 3, 4)),
        ("array_rows", [4, {"low": 8, "high": 16, "num": 2}, 64], (4, 8, 16, 64)),
        ("array_rows", {"low": 5, "high": 5, "num": 1}, (5,)),
        ("clock_hz", {"low": 1e9, "high": 2e9, "num": 3}, (1e9, 1.5e9, 2e9)),
        ("clock_hz", {"low": 0.1, "high": 0.3, "step": 0.1}, (0.1, 0.2, 0.30000000000000004)),
        ("clock_hz", {"low": 0.1, "high": 0.3, "num": 2}, (0.1, 0.3)),
        ("clock_hz", {"low": 0.1, "high": 1.7, "num": 2, "log": True}, (0.1, 1.7)),
        ("dram_part", "lpddr4_3200_x16", ("lpddr4_3200_x16",)),
    ],
)
def test_values(name, given, values):
    found = knob_values("x", name, given)
    assert found == values
    assert [type(x) for x in found] == [type(x) for x in values]


def test_thirteen_log_steps_in_whole_kib():
    given = {"low": 65536, "high": 4194304, "num": 13, "log": True, "multiple": 1024}
    kib = np.array(knob_values("x", "buffer_bytes", given)) / 1024
    np.testing.assert_array_equal(kib, np.round(64 * np.sqrt(2) ** np.arange(13)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"low": 8, "high": 4, "num": 2}, "at most"),
        ({"low": 8, "high": 16}, "either step or num"),
        ({"low": 8, "high": 16, "num": 2, "step": 2}, "either step or num"),
        ({"low": 0, "high": 16, "num": 2}, "above 0"),
        ({"high": 16, "num": 2}, "low"),
        ({"low": 8, "high": float("inf"), "num": 2}, "inf"),
        ({"low": 8, "high": 16, "num": 1}, "num must be from 2"),
        ({"low": 8, "high": 16, "num": 2.5}, "2.5"),
        ({"low": 1, "high": 1e9, "step": 1}, "at most 100000"),
        ({"low": 8, "high": 16, "step": 0}, "above 0"),
        ({"low": 8, "high": 16, "step": 2, "log": True}, "log needs num"),
        ({"low": 8, "high": 16, "num": 3, "log": "yes"}, "true or false"),
        ({"low": 8, "hihg": 16, "num": 2}, "did you mean 'high'"),
        (["eight"], "'eight'"),
        ([8.5], "8.5"),
    ],
)
def test_refused(given, message):
    with pytest.raises(DseError) as error:
        knob_values("space.knobs.array_rows", "array_rows", given)
    assert message in str(error.value)
    assert "space.knobs.array_rows" in str(error.value)


def test_null_leaves_a_knob_alone_and_unknown_names_are_refused():
    values = {"name": "mine", "knobs": {"array_rows": [8, 16], "batch": None}}
    assert dict(space_from(values, ACCELERATOR, CATALOGUE).knobs) == {"array_rows": (8, 16)}
    with pytest.raises(DseError, match="did you mean 'batch'"):
        space_from({"knobs": {"bacth": None}}, ACCELERATOR, CATALOGUE)
    with pytest.raises(DseError, match="did you mean 'knobs'"):
        space_from({"knob": {}}, ACCELERATOR, CATALOGUE)


def test_search_settings():
    given = {"sampler": "tpe", "trials": 5.0, "enumerate_limit": 0, "options": None}
    assert search_from(given) == {
        "sampler": "tpe",
        "trials": 5,
        "enumerate_limit": 0,
        "progress": True,
        "options": {},
    }
    for wrong in ({"trial": 5}, {"trials": "x"}, {"trials": 0}, {"progress": 1}, {"options": 3}):
        with pytest.raises(DseError, match=next(iter(wrong))):
            search_from({"sampler": "tpe", **wrong})


def test_a_mapping_of_knobs_is_all_of_them():
    space = dse.load_space("edge", knobs={"batch": [1, 2]})
    assert dict(space.knobs) == {"batch": (1, 2)}
