"""The operating points of a space: the buffers and the rates of all its designs."""

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np

from dse.cost.time import DEFAULT_SLACK
from dse.evaluation.design_columns import Machines, machines_of
from dse.hardware import Accelerator
from dse.mapping.objective import Objective
from dse.mapping.operating_points import OperatingPoints
from dse.space import Space

RATIO_KNOBS = ("dram_part", "dram_channels", "dram_bytes_per_s", "clock_hz")
"""What the ratio of clock to DRAM rate depends on."""

MOST_POINTS = 100_000
"""Sizes of the buffer, or rates, above which a space is costed from full tables."""


def can_ask(chip: Accelerator, objective: str) -> bool:
    """Whether mappings can be found for given machines: one buffer, and the least time is asked."""
    is_mapped = chip.schedule is None and len(chip.buffers) == 1
    return is_mapped and objective == Objective.LATENCY_S.key


def operating_points_of(
    space: Space, objective: str, slack: float = DEFAULT_SLACK
) -> OperatingPoints | None:
    """Return the operating points of all designs of a space, None if they are not alike.

    Parameters
    ----------
    objective
        What each layer's mapping minimises.
    slack
        Share of the least latency that a mapping may lose to move fewer bits.
    """
    accelerator = space.accelerator
    if not can_ask(accelerator, objective):
        return None
    rooms = _grid(space, (str(accelerator.buffers[0].bytes),))
    rates = _grid(space, RATIO_KNOBS)
    if rooms is None or rates is None:
        return None
    return OperatingPoints.of(rooms.room_bits[0], rates.ratio, slack)


def _grid(space: Space, names: Sequence[str]) -> Machines | None:
    """Return the machines of all values of some knobs; None if they are too many."""
    accelerator = space.accelerator
    varied = {name: list(space.knobs[name]) for name in names if name in space.knobs}
    varied = varied or {"clock_hz": [accelerator.clock_hz]}
    if prod(len(values) for values in varied.values()) > MOST_POINTS:
        return None
    rows = list(product(*varied.values()))
    columns = {
        name: np.array(column) for name, column in zip(varied, zip(*rows, strict=True), strict=True)
    }
    return machines_of(accelerator, columns, space.catalogue, mac_scale=1.0)
