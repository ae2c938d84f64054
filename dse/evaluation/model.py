"""The cost model: one machine layer by layer, or many designs as arrays."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.arrays import FloatArray, parts_of
from dse.cost.area import extrapolation_warnings
from dse.cost.energy import energy_pj, mac_scale, power_w, scaled_macs
from dse.cost.time import DEFAULT_SLACK
from dse.errors import DseError
from dse.evaluation.counting_sort import alike
from dse.evaluation.design_columns import (
    Columns,
    Machines,
    machines_of,
    machines_of_one,
    plain,
    varied_chip,
)
from dse.evaluation.further_columns import with_further_columns
from dse.evaluation.held_rows import held_rows
from dse.evaluation.many_designs import ArrayGroup, find_mappings, write_costs
from dse.evaluation.one_layer import layer_row
from dse.evaluation.result import Evaluation
from dse.hardware import Accelerator
from dse.mapping.operating_points import OperatingPoints
from dse.network.as_run import LayerRun, distinct, layer_runs
from dse.network.resident import check_resident
from dse.network.schedule import NetworkSchedule
from dse.network.tensors import are_reads_known
from dse.technology import Catalogue
from dse.workload import Workload

RUN_COSTS = (
    "throughput_per_s",
    "dram_bytes",
    "dram_bytes_per_inference",
    "energy_pj",
    "energy_pj_per_inference",
    "power_w",
)
"""Costs of a design that follow from its latency and its DRAM bits."""


def evaluate(
    network: Workload,
    accelerator: Accelerator,
    *,
    objective: str = "latency_s",
    slack: float = DEFAULT_SLACK,
) -> Evaluation:
    """Cost one network on one machine, layer by layer.

    Parameters
    ----------
    network, accelerator
        What runs, on what.
    objective
        What each layer's mapping minimises: latency_s, dram_bytes, energy_pj or edp.
    slack
        Share of the least latency that a mapping may lose to move fewer bits, where latency is
        asked for.

    Raises
    ------
    DseError
        If no mapping of some layer fits, what the DRAM does not carry does not fit whole, or the
        objective is unknown.
    """
    scale = _widest_mac(network)
    runs = layer_runs(network, accelerator)
    check_resident(runs, accelerator)
    schedule = None
    if accelerator.between_layers == "none":
        rows = _layer_rows(runs, accelerator, objective, slack, scale)
    else:
        schedule, rows = held_rows(network, accelerator, objective, slack, scale)
    latency = math.fsum(row["latency_s"] for row in rows)
    moved = math.fsum(row["dram_bytes"] for row in rows)
    machines = machines_of_one(accelerator, scale)
    batch = np.array([network.batch])
    costs = _costs(network, machines, batch, np.array([latency]), np.array([moved * 8]))
    first = {name: float(column[0]) for name, column in costs.items()}
    return Evaluation(
        workload=network,
        accelerator=accelerator,
        objective=objective,
        slack=slack,
        num_macs=accelerator.num_macs,
        peak_macs_per_s=accelerator.num_macs * accelerator.clock_hz,
        warnings=network.notes
        + _schedule_warnings(network, schedule)
        + extrapolation_warnings(
            accelerator.num_macs,
            accelerator.on_chip_bytes,
            accelerator.technology,
            scale=scale,
        ),
        layer_rows=rows,
        schedule=schedule,
        **first,
    )


def _schedule_warnings(network: Workload, schedule: NetworkSchedule | None) -> tuple[str, ...]:
    """Return what of a schedule is not as it could be."""
    if schedule is None:
        return ()
    if not are_reads_known(network):
        return (
            f"between_layers holds nothing: the layers of {network.name} are no chain, and none "
            f"says with reads which layers write its input",
        )
    if schedule.is_exact:
        return ()
    return (
        f"The schedule between layers is not proven best: at most {schedule.gap:.1%} of what is "
        f"minimised could be saved by another",
    )


def _layer_rows(
    runs: tuple[LayerRun, ...], chip: Accelerator, objective: str, slack: float, scale: float
) -> tuple[dict[str, Any], ...]:
    """Return the rows of layers whose tensors all move through the DRAM."""
    find_mappings(distinct(runs, chip), chip, objective, slack=slack, area_scale=scale)
    rows = ((run, layer_row(run, chip, objective, slack=slack, area_scale=scale)) for run in runs)
    return tuple(with_further_columns(row, run.layer, chip, scale) for run, row in rows)


def design_costs(
    network: Workload,
    accelerator: Accelerator,
    columns: Columns,
    *,
    catalogue: Catalogue,
    objective: str = "latency_s",
    slack: float = DEFAULT_SLACK,
    points: OperatingPoints | None = None,
) -> dict[str, FloatArray]:
    """Cost many designs of one accelerator in one call.

    Parameters
    ----------
    network
        What runs; a column ``batch`` sets its batch.
    accelerator
        The machine that is varied.
    columns : name to array of shape (designs,)
        Values of the accelerator's parameters, ``batch`` and ``technology``; DRAM parts and
        technologies by name.
    catalogue
        What the names of DRAM parts and technologies mean.
    objective
        What each layer's mapping minimises.
    slack
        As for `evaluate`.
    points
        The operating points of the space that the designs are of, from
        `dse.evaluation.points_of_space.operating_points_of`: their mappings are then found faster.
        The costs are the same.

    Returns
    -------
    Name to array of shape (designs,): latency_s, throughput_per_s, dram_bytes and energy_pj of a
    batch and per inference, area_mm2, power_w, dram_bytes_per_s, cost_usd. Where some layer fits
    with no mapping, or what the DRAM does not carry does not fit whole, time, traffic, energy and
    power are inf and the throughput is 0.

    Raises
    ------
    DseError
        If a column is not a parameter, or a value is out of range.
    """
    if not columns or not len(next(iter(columns.values()))):
        raise DseError("designs must have at least one column and one row, got none")
    machines = machines_of(accelerator, columns, catalogue, mac_scale=_widest_mac(network))
    size = len(machines.clock_hz)
    batch = np.asarray(columns.get("batch", np.broadcast_to(network.batch, size)))
    groups = []
    for designs in alike([*machines.axis_sizes, batch]):
        first = designs[0]
        here = network.with_batch(int(batch[first])) if "batch" in columns else network
        values = {name: plain(column[first]) for name, column in columns.items() if name != "batch"}
        groups.append(ArrayGroup(here, varied_chip(accelerator, values, catalogue), designs))
    costs = np.empty(size), np.empty(size)
    write_costs(groups, machines, objective, costs, slack=slack, points=points)
    return _costs(network, machines, batch, *costs)


def chip_costs(
    network: Workload, accelerator: Accelerator, columns: Columns, *, catalogue: Catalogue
) -> dict[str, FloatArray]:
    """Return the costs of many designs that do not depend on what runs.

    Parameters are those of `design_costs`; of the network the widths of its operands count.

    Returns
    -------
    Name to array of shape (designs,): area_mm2, dram_bytes_per_s and cost_usd.
    """
    return _chip_columns(
        machines_of(accelerator, columns, catalogue, mac_scale=_widest_mac(network))
    )


def _chip_columns(machines: Machines) -> dict[str, FloatArray]:
    return {
        "area_mm2": machines.area_mm2,
        "dram_bytes_per_s": machines.peak_bytes_per_s,
        "cost_usd": machines.cost_usd,
    }


def _widest_mac(network: Workload) -> float:
    """Return the size of the MAC that the widest operands need, 1 for 8 by 8 bits."""
    layers = [layer for layer in network.layers if layer.has_macs]
    return max((float(mac_scale(x.input_bits, x.weight_bits)) for x in layers), default=1.0)


def _costs(
    network: Workload,
    machines: Machines,
    batch: NDArray[Any],
    latency: FloatArray,
    bits: FloatArray,
) -> dict[str, FloatArray]:
    """Return the columns of costs of designs, all arrays of shape (designs,)."""
    if not latency.all():
        raise DseError(
            f"workload {network.name!r} must take some time: none of its layers has MACs, no byte "
            f"of theirs is carried by the DRAM (dram.carries), and pooling has no rate "
            f"(pooling_elements_per_cycle)"
        )
    work = scaled_macs(network.layers)
    found = {name: np.empty(len(latency)) for name in RUN_COSTS}
    for part in parts_of(len(latency)):
        seconds, moved, count = latency[part], bits[part], batch[part]
        energy = energy_pj(
            work / network.batch * count,
            moved,
            seconds,
            mac_pj=machines.mac_pj[part],
            dram_pj_per_bit=machines.dram_pj_per_bit[part],
            leakage_w=machines.leakage_w[part],
        )
        found["throughput_per_s"][part] = count / seconds
        found["dram_bytes"][part] = moved / 8
        found["dram_bytes_per_inference"][part] = moved / 8 / count
        found["energy_pj"][part] = energy
        found["energy_pj_per_inference"][part] = energy / count
        found["power_w"][part] = power_w(energy, seconds)
    return {"latency_s": latency, **found, **_chip_columns(machines)}
