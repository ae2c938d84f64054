"""Time of a layer (DESIGN.md section 5): how computation and transfers overlap."""

import numpy as np

from dse.arrays import FloatArray, Numbers
from dse.hardware import TRANSFERS


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
    """
    if transfers not in TRANSFERS:
        raise ValueError(f"transfers must be one of {TRANSFERS}, got {transfers!r}")
    compute = np.asarray(compute_s, np.float64)
    if transfers == "serial":
        return compute + transfer_s
    if transfers == "double_buffered":
        compute = compute + np.minimum(first_last_s, transfer_s)
    return np.maximum(compute, transfer_s)
