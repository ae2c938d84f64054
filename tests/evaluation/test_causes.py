"""The sentence that says why a layer takes its time."""

import pytest

from dse.evaluation.causes import CAUSES, reason


def times(**seconds: float) -> dict[str, float]:
    return {f"time_{cause}_s": seconds.get(cause, 0.0) for cause in CAUSES}


def test_a_layer_that_computes_is_helped_by_more_macs() -> None:
    said = reason(times(mac=8.0, edge=2.0), 10.0, transfer_s=5.0)
    assert said.startswith("80 % of the time: the MACs are busy")
    assert "20 %: tiles do not fill the array" in said


@pytest.mark.parametrize("cause", ["mac", "edge", "fill"])
def test_what_goes_on_behind_a_long_transfer_is_not_blamed(cause: str) -> None:
    said = reason(times(**{cause: 6.0, "compulsory": 4.0}), 10.0, transfer_s=10.0)
    assert said.startswith("its DRAM transfer takes all of the time: bandwidth")
    assert "only more MACs" not in said
    if cause != "mac":
        assert said.endswith("which costs no time")


def test_an_idle_part_of_the_array_behind_a_transfer_is_no_second_cause() -> None:
    said = reason(times(mac=3.0, edge=2.0, compulsory=5.0), 10.0, transfer_s=10.0)
    assert "array" not in said


def test_a_layer_that_takes_no_time_says_so() -> None:
    assert reason(times(), 0.0).startswith("it takes no time")
