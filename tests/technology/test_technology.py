"""Constants, nodes and DRAM parts refuse what cannot be."""

from dataclasses import replace

import pytest

from dse.config.accelerators import catalogue
from dse.errors import DseError
from dse.technology import Catalogue, Constant

GOOD = {"value": 2.0, "low": 1.0, "high": 3.0, "source": "a table"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": 4.0}, "low <= value <= high"),
        ({"value": 0.5}, "low <= value <= high"),
        ({"low": -1.0}, "0 <= low"),
        ({"high": float("inf")}, "finite"),
        ({"value": float("nan")}, "finite"),
        ({"source": ""}, "source"),
    ],
)
def test_wrong_constants_are_refused(change, message):
    with pytest.raises(DseError, match=message):
        Constant(**{**GOOD, **change})


def test_a_constant_may_have_a_date():
    assert Constant(**GOOD).date == ""
    assert Constant(**GOOD, date="2023-10").date == "2023-10"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"node_nm": 0}, "node_nm must be positive"),
        ({"node_nm": float("nan")}, "node_nm must be positive"),
        ({"area_fit_macs": (2048, 32)}, r"area_fit_macs must be \[least, most\]"),
        ({"area_fit_kib": (128,)}, r"area_fit_kib must be \[least, most\]"),
    ],
)
def test_wrong_nodes_are_refused(change, message):
    with pytest.raises(DseError, match=message):
        replace(catalogue().technologies["node28"], **change)


@pytest.mark.parametrize("change", [{"bytes_per_s": 0.0}, {"burst_bytes": -1}])
def test_wrong_dram_parts_are_refused(change):
    with pytest.raises(DseError, match=f"{next(iter(change))} must be positive"):
        replace(catalogue().dram_parts["hbm2"], **change)


def test_a_catalogue_cannot_be_changed():
    parts = dict(catalogue().dram_parts)
    copy = Catalogue(dram_parts=parts, technologies={})
    parts.clear()
    assert "hbm2" in copy.dram_parts
    with pytest.raises(TypeError):
        copy.dram_parts["hbm2"] = None
