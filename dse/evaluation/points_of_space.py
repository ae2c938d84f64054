"""What a space asks of mappings: the buffers and the rates of all its designs."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from dse.evaluation.design_columns import Machines, machines_of
from dse.hardware import Accelerator
from dse.mapping.objective import Objective
from dse.mapping.operating_points import Asked, ask_for
from dse.technology import Catalogue

RATIO_KNOBS = ("dram_part", "dram_channels", "dram_bytes_per_s", "clock_hz")
"""What the ratio of clock to DRAM rate depends on."""

MOST_ASKED = 100_000
"""Sizes of the buffer, or rates, above which a space does not say what it asks of mappings."""


def can_ask(chip: Accelerator, objective: str) -> bool:
    """Whether mappings can be found for given machines: one buffer, and the least time is asked."""
    is_mapped = chip.schedule is None and len(chip.buffers) == 1
    return is_mapped and objective == Objective.LATENCY_S.key


def asked_of(
    accelerator: Accelerator,
    knobs: Mapping[str, Sequence[Any]],
    catalogue: Catalogue,
    objective: str,
    slack: float = 0.0,
) -> Asked | None:
    """Return what to ask of mappings for all designs of a space, None if they are not alike.

    Parameters
    ----------
    accelerator
        The machine that is varied.
    knobs
        Names of its parameters to the values that they take.
    catalogue
        What the names of DRAM parts mean.
    objective
        What each layer's mapping minimises.
    slack
        Share of the least latency that a mapping may lose to move fewer bits.
    """
    if not can_ask(accelerator, objective):
        return None
    rooms = _grid(accelerator, knobs, (str(accelerator.buffers[0].bytes),), catalogue)
    rates = _grid(accelerator, knobs, RATIO_KNOBS, catalogue)
    if rooms is None or rates is None:
        return None
    return ask_for(rooms.room_bits[0], rates.ratio, slack)


def _grid(
    accelerator: Accelerator,
    knobs: Mapping[str, Sequence[Any]],
    names: Sequence[str],
    catalogue: Catalogue,
) -> Machines | None:
    """Return the machines of all values of some knobs; None if they are too many."""
    varied = {name: list(knobs[name]) for name in names if name in knobs}
    varied = varied or {"clock_hz": [accelerator.clock_hz]}
    if prod(len(values) for values in varied.values()) > MOST_ASKED:
        return None
    rows = list(product(*varied.values()))
    columns = {
        name: np.array(column) for name, column in zip(varied, zip(*rows, strict=True), strict=True)
    }
    return machines_of(accelerator, columns, catalogue, mac_scale=1.0)
