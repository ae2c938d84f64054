"""The time of a layer: one rule for cycles, for seconds and for all kinds of transfers."""

import numpy as np
import pytest

from dse.cost.time import exposed_transfer, latency_cycles, latency_s, transfer_s
from dse.hardware import TRANSFERS, Transfers

EXPECTED = {
    "overlapped": lambda compute, transfer, ends: np.maximum(compute, transfer),
    "serial": lambda compute, transfer, ends: compute + transfer,
    "double_buffered": lambda compute, transfer, ends: np.maximum(
        compute + np.minimum(ends, transfer), transfer
    ),
}


@pytest.mark.parametrize("transfers", TRANSFERS)
def test_latency_is_that_of_its_definition(transfers: str) -> None:
    rng = np.random.default_rng(7)
    compute, transfer, ends = rng.random((3, 500))
    expected = EXPECTED[transfers](compute, transfer, ends)
    assert (latency_s(compute, transfer, ends, transfers=transfers) == expected).all()
    one = latency_s(compute[0], transfer[0], ends[0], transfers=transfers)
    assert one == expected[0]
    assert np.shape(one) == ()
    column = latency_s(compute[:, None], transfer[None, :3], 0.5, transfers=transfers)
    assert (column == EXPECTED[transfers](compute[:, None], transfer[None, :3], 0.5)).all()


@pytest.mark.parametrize("transfers", Transfers)
def test_cycles_and_seconds_agree(transfers: Transfers) -> None:
    rng = np.random.default_rng(8)
    for cycles, bits, ends in rng.integers(1, 10**6, (200, 3)):
        rate, clock = rng.uniform(1e8, 1e10), rng.uniform(1e8, 1e9)
        exposed = exposed_transfer(ends, bits, int(transfers))
        times = latency_cycles(clock / (8 * rate), cycles, exposed, bits)
        seconds = latency_s(
            cycles / clock, transfer_s(bits, rate), transfer_s(ends, rate), transfers=transfers.key
        )
        assert times / clock == pytest.approx(float(seconds), rel=1e-14)


def test_unknown_kinds_of_transfers_are_named() -> None:
    with pytest.raises(ValueError, match=r"transfers must be one of .*, got 'magic'"):
        latency_s(1.0, 1.0, 0.0, transfers="magic")
