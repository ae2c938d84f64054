"""Time of a layer (dse/docs/model.md#time): how computation and transfers overlap.

One rule, max(compute + exposed, transfer), in whatever unit its parts have. In cycles these are
c, e r and d r, with r the ratio of the clock to the DRAM bits a second.
"""

import numpy as np

from dse.arrays import FloatArray, Numbers, flat_floats
from dse.checks import check_between
from dse.compiling import compiled, inlined
from dse.hardware import Transfers

DEFAULT_SLACK = 0.01
"""Share of the least latency that a mapping may lose to move fewer bits, unless it is said."""

MOST_SLACK = 10.0
"""A mapping that takes more than eleven times the least latency is nobody's choice."""

ROUNDING = 1e-12
"""Share by which a latency may exceed the slack: two ways to round one number differ by less."""


@inlined
def exposed_transfer(first_last: float, transfer: float, transfers: int) -> float:
    """Return what no computation hides of a transfer, in the unit of both arguments.

    Parameters
    ----------
    first_last
        The first fetch and the last write; cut to the transfer.
    transfer
        The whole transfer.
    transfers
        A value of `Transfers`.
    """
    if transfers == Transfers.DOUBLE_BUFFERED:
        return min(first_last, transfer)
    return transfer if transfers == Transfers.SERIAL else 0


@inlined
def latency(compute: float, exposed: float, transfer: float) -> float:
    """Return the time of a layer: the larger of computation with what is exposed, and transfer."""
    return max(compute + exposed, transfer)


@inlined
def compute_cycles_at(ratio: float, cycles: float, exposed_bits: float) -> float:
    """Return the first argument of the maximum in `latency_cycles`."""
    return cycles + exposed_bits * ratio


@inlined
def latency_cycles(ratio: float, cycles: float, exposed_bits: float, dram_bits: float) -> float:
    """Return the time of a layer at a ratio of clock to DRAM rate. [cycles].

    Parameters
    ----------
    ratio
        Clock over DRAM bits a second. [cycles/bit]
    cycles, exposed_bits, dram_bits
        Compute cycles; what `exposed_transfer` returns of the bits; DRAM bits.
    """
    return latency(cycles, exposed_bits * ratio, dram_bits * ratio)


@inlined
def transfer_s(bits: float, rate_bytes_per_s: float) -> float:
    """Return the time of a transfer. [s]."""
    return bits / 8 / rate_bytes_per_s


@compiled
def _set_latencies(
    compute: FloatArray,
    transfer: FloatArray,
    first_last: FloatArray,
    transfers: int,
    latencies: FloatArray,
) -> None:
    for index in range(len(latencies)):
        exposed = exposed_transfer(first_last[index], transfer[index], transfers)
        latencies[index] = latency(compute[index], exposed, transfer[index])


def latency_s(
    compute_s: Numbers, transfer_s: Numbers, first_last_s: Numbers, *, transfers: str
) -> FloatArray:
    """Return the latency of layers with MACs.

    Parameters
    ----------
    compute_s, transfer_s : shape (...), broadcast together
        Time of the compute cycles, and of the DRAM bytes at rate times efficiency. [s]
    first_last_s : shape (...)
        Time to fetch the first tiles and to write the last one; cut to the transfer. [s]
    transfers
        ``overlapped``: the larger of both; ``serial``: their sum; ``double_buffered``: the larger
        of computation with first and last, and the transfer.

    Returns
    -------
    shape (...)
        Latency. [s]

    Raises
    ------
    ValueError
        If `transfers` is no key of `Transfers`.
    """
    kind = Transfers.of(transfers)
    shape, (compute, transfer, first_last) = flat_floats(compute_s, transfer_s, first_last_s)
    latencies = np.empty(compute.shape)
    _set_latencies(compute, transfer, first_last, int(kind), latencies)
    return latencies.reshape(shape)[()]


def longest_share(slack: float) -> float:
    """Return the longest latency that a mapping may have, over the least latency of its layer.

    Parameters
    ----------
    slack
        Share of the least latency that may be lost to move fewer bits; 0 for none.

    Raises
    ------
    DseError
        If the slack is not from 0 to `MOST_SLACK`.
    """
    check_between("mapper.slack", slack, 0, MOST_SLACK)
    return (1 + slack) * (1 + ROUNDING) if slack else 1.0
