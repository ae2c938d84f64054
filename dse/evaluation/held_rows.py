"""One network on one machine whose tensors may stay on the chip: its schedule, and its layers."""

from functools import partial
from math import fsum
from typing import Any

import numpy as np

from dse.cost.time import longest_share
from dse.evaluation.design_columns import machines_of_one
from dse.evaluation.further_columns import with_further_columns
from dse.evaluation.held_designs import HeldDesigns
from dse.evaluation.held_tensors import room_with
from dse.evaluation.one_layer import layer_row
from dse.hardware import Accelerator
from dse.mapping import Mapping
from dse.mapping.best import best_mapping, weighted_mapping
from dse.mapping.objective import Objective
from dse.network.places import LayerStep
from dse.network.schedule import NetworkSchedule
from dse.stopping import workers
from dse.workload import Workload


def held_rows(
    network: Workload, chip: Accelerator, objective: str, slack: float, area_scale: float
) -> tuple[NetworkSchedule, tuple[dict[str, Any], ...]]:
    """Return the schedule of a network on a machine, and the rows of its layers.

    Parameters
    ----------
    network, chip
        What runs, on what.
    objective, slack
        What is minimised over the whole network.
    area_scale
        Area of a MAC relative to one of 8 by 8 bits, for the leakage.

    Raises
    ------
    InfeasibleError
        If a layer fits with no mapping, whatever is held.
    """
    machines = machines_of_one(chip, area_scale)
    designs = HeldDesigns(network, chip, machines, np.arange(1))
    steps, weights, gap = designs.schedule(Objective.of(objective), longest_share(slack))
    if not steps:
        _raise_misfit(designs, chip)
    mapped = partial(_mapping, chip=chip, weights=weights)
    with workers() as pool:
        mappings = list(pool.map(mapped, steps))
    rows = tuple(
        _row(step, mapping, chip, objective, area_scale)
        for step, mapping in zip(steps, mappings, strict=True)
    )
    moved = fsum(row["dram_bytes"] for row in rows)
    schedule = NetworkSchedule(steps=steps, tensors=designs.held.tensors, gap=gap, dram_bytes=moved)
    return schedule, tuple(
        _with_places(row, step, schedule) for row, step in zip(rows, steps, strict=True)
    )


def _raise_misfit(designs: HeldDesigns, chip: Accelerator) -> None:
    """Raise what the first layer raises that does not fit even with nothing held."""
    for run in designs.held.runs:
        if run.layer.has_macs:
            best_mapping(run.layer, chip, Objective.DRAM_BYTES.key)


def _mapping(step: LayerStep, *, chip: Accelerator, weights: tuple[float, float]) -> Mapping | None:
    layer = step.run.layer
    if not layer.has_macs:
        return None
    return weighted_mapping(layer, chip, room_with(chip, step.held_bits), weights)


def _row(
    step: LayerStep, mapping: Mapping | None, chip: Accelerator, objective: str, area_scale: float
) -> dict[str, Any]:
    row = layer_row(step.run, chip, objective, mapping=mapping)
    return with_further_columns(row, step.run.layer, chip, area_scale)


def _with_places(row: dict[str, Any], step: LayerStep, schedule: NetworkSchedule) -> dict[str, Any]:
    """Return a row with what is held of the layer's operands, and all that is meanwhile."""
    layer, place = step.run.layer, schedule.places.get(step.run.layer.name, "")
    read = layer.read_elements + layer.added_elements
    held = layer.held_elements + layer.held_added_elements
    added = {
        "held_input_share": held / read if read else 0.0,
        "output_place": place,
        "held_bytes": step.held_bits / 8,
    }
    said = [row["why"]]
    if held:
        said.append(f"{100 * held / read:.0f} % of its input is on the chip already")
    if step.run.layer.output_is_held:
        said.append("its output stays there")
    return {**{key: x for key, x in row.items() if key != "why"}, **added, "why": "; ".join(said)}
