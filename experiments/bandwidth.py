"""The DRAM rate at which a network stops waiting for its DRAM, found with the model."""

import numpy as np
import pandas as pd

import dse

UNLIMITED_BYTES_PER_S = 1e18
SLACK = 1e-6  # how much slower than with unlimited bandwidth still counts as compute bound


def needed_bytes_per_s(network: dse.Workload, chip: dse.Accelerator) -> float:
    """Return the least peak DRAM rate with which the latency is that of unlimited bandwidth.

    The mapper chooses anew for every rate.

    Returns
    -------
    float
        Right to 1e-6. [bytes/s]
    """

    def latency_s(rates: np.ndarray) -> np.ndarray:
        designs = pd.DataFrame({"dram_bytes_per_s": rates})
        return dse.evaluate_designs(network, chip, designs)["latency_s"].to_numpy()

    least = float(latency_s(np.array([UNLIMITED_BYTES_PER_S]))[0])
    low, high = 1.0, UNLIMITED_BYTES_PER_S
    while high / low > 1 + SLACK:
        rates = np.geomspace(low, high, 50)
        first = int(np.argmax(latency_s(rates) <= least * (1 + SLACK)))
        low, high = float(rates[max(first - 1, 0)]), float(rates[first])
    return high
