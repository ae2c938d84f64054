"""The cost model: one machine layer by layer, or many designs as arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.arrays import FloatArray
from dse.cost.area import area_mm2, extrapolation_warnings
from dse.cost.designs import Machines, network_costs
from dse.cost.energy import dram_pj_per_bit, energy_pj, mac_scale, power_w
from dse.cost.layers import layer_row
from dse.cost.price import die_usd, dram_usd
from dse.cost.result import Evaluation
from dse.errors import DseError, nearest
from dse.hardware import PARAMETERS, Accelerator
from dse.technology import Catalogue
from dse.workload import Workload

Columns = Mapping[str, NDArray[Any]]


def evaluate(
    network: Workload, accelerator: Accelerator, *, objective: str = "latency_s"
) -> Evaluation:
    """Cost one network on one machine, layer by layer.

    Parameters
    ----------
    network, accelerator
        What runs, on what.
    objective
        What each layer's mapping minimises: latency_s, dram_bytes, energy_pj or edp.

    Raises
    ------
    DseError
        If no mapping of some layer fits, or the objective is unknown.
    """
    rows = tuple(layer_row(layer, accelerator, objective) for layer in network.layers)
    latency = sum(row["latency_s"] for row in rows)
    moved = sum(row["dram_bytes"] for row in rows)
    machines = _machines([accelerator], network)
    costs = _costs(network, [accelerator], machines, np.array([latency]), np.array([moved * 8]))
    first = {name: float(column[0]) for name, column in costs.items()}
    return Evaluation(
        workload=network,
        accelerator=accelerator,
        objective=objective,
        num_macs=accelerator.num_macs,
        peak_macs_per_s=accelerator.num_macs * accelerator.clock_hz,
        warnings=network.notes
        + extrapolation_warnings(
            accelerator.num_macs,
            sum(accelerator.buffer_sizes_bytes),
            accelerator.technology,
            scale=_widest_mac(network),
        ),
        layer_rows=rows,
        **first,
    )


def design_costs(
    network: Workload,
    accelerator: Accelerator,
    columns: Columns,
    *,
    catalogue: Catalogue,
    objective: str = "latency_s",
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

    Returns
    -------
    Name to array of shape (designs,): latency_s, throughput_per_s, dram_bytes and energy_pj of a
    batch and per inference, area_mm2, power_w, dram_bytes_per_s, cost_usd. Where some layer fits
    with no mapping, time, traffic, energy and power are inf and the throughput is 0.

    Raises
    ------
    DseError
        If a column is not a parameter, or a value is out of range.
    """
    if not columns:
        raise DseError("designs must have at least one column, got none")
    _check_columns(accelerator, columns)
    size = len(next(iter(columns.values())))
    chips, which = _distinct_chips(accelerator, columns, catalogue)
    machines = _machines(chips, network)
    batches = np.asarray(columns["batch"], np.int64) if "batch" in columns else None
    arrays = np.array([_array_number(chips, chip) for chip in chips], dtype=np.int64)
    groups = np.stack([arrays[which], np.full(size, network.batch) if batches is None else batches])
    found: dict[str, FloatArray] = {}
    kinds, owner = np.unique(groups, axis=1, return_inverse=True)
    for kind, (array, batch) in enumerate(kinds.T):
        place = np.flatnonzero(owner.ravel() == kind)
        unique, back = np.unique(which[place], return_inverse=True)
        here = network if batch == network.batch else network.with_batch(int(batch))
        part = machines.take(unique)
        latency, bits = network_costs(here, chips[int(array)], part, objective)
        costs = _costs(here, [chips[i] for i in unique], part, latency, bits)
        for name, column in costs.items():
            found.setdefault(name, np.empty(size))[place] = column[back]
    return found


def _check_columns(accelerator: Accelerator, columns: Columns) -> None:
    known = (*PARAMETERS, *accelerator.parameters, "batch", "technology")
    for name in columns:
        if name not in known:
            raise DseError(f"designs have no column {name!r}{nearest(str(name), known)}")


def _distinct_chips(
    accelerator: Accelerator, columns: Columns, catalogue: Catalogue
) -> tuple[list[Accelerator], NDArray[np.int64]]:
    """Return the different machines, and which of them each design is."""
    names = [name for name in columns if name != "batch"]
    size = len(next(iter(columns.values())))
    code = np.zeros(size, dtype=np.int64)
    values: list[list[Any]] = []
    for name in names:
        distinct, place = np.unique(columns[name], return_inverse=True)
        values.append(distinct.tolist())
        code = np.unique(code * len(distinct) + place.ravel(), return_inverse=True)[1].ravel()
    _, first, which = np.unique(code, return_index=True, return_inverse=True)
    chips = [
        _chip(accelerator, {name: _plain(columns[name][i]) for name in names}, catalogue)
        for i in first
    ]
    return chips, which.ravel()


def _plain(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    is_whole = isinstance(plain, float) and plain.is_integer() and abs(plain) < 2**53
    return int(plain) if is_whole else plain


def _chip(accelerator: Accelerator, values: dict[str, Any], catalogue: Catalogue) -> Accelerator:
    from dataclasses import replace

    changed = dict(values)
    if "dram_part" in changed:
        name = changed["dram_part"]
        if name not in catalogue.dram_parts:
            raise DseError(f"dram_part {name!r} is unknown{nearest(name, catalogue.dram_parts)}")
        changed["dram_part"] = catalogue.dram_parts[name]
        accelerator = replace(accelerator, dram=replace(accelerator.dram, pj_per_bit=None))
    if "technology" in changed:
        name = changed.pop("technology")
        if name not in catalogue.technologies:
            raise DseError(f"technology {name!r} is unknown{nearest(name, catalogue.technologies)}")
        accelerator = replace(accelerator, technology=catalogue.technologies[name])
    return accelerator.with_parameters(**changed)


def _array_number(chips: list[Accelerator], chip: Accelerator) -> int:
    """Return the index of the first chip with the same array and fill."""
    key = (chip.axis_sizes, chip.fill_cycles_per_pass)
    return next(
        i for i, one in enumerate(chips) if (one.axis_sizes, one.fill_cycles_per_pass) == key
    )


def _widest_mac(network: Workload) -> float:
    """Return the size of the MAC that the widest operands need, 1 for 8 by 8 bits."""
    layers = [layer for layer in network.layers if layer.has_macs]
    return max((float(mac_scale(x.input_bits, x.weight_bits)) for x in layers), default=1.0)


def _area_mm2(chips: list[Accelerator], network: Workload) -> FloatArray:
    scale = _widest_mac(network)
    return np.array(
        [
            float(area_mm2(x.num_macs, sum(x.buffer_sizes_bytes), x.technology, scale=scale))
            for x in chips
        ]
    )


def _machines(chips: list[Accelerator], network: Workload) -> Machines:
    area = _area_mm2(chips, network)
    leakage = np.array([x.technology.leakage_w_per_mm2.value for x in chips])
    return Machines(
        room_bits=np.array([x.usable_buffer_bits for x in chips], dtype=np.int64),
        rate_bytes_per_s=np.array([x.peak_dram_bytes_per_s * x.dram.efficiency for x in chips]),
        clock_hz=np.array([float(x.clock_hz) for x in chips]),
        mac_pj=np.array([x.technology.mac_pj.value for x in chips]),
        dram_pj_per_bit=np.array([dram_pj_per_bit(x) for x in chips]),
        leakage_w=leakage * area,
    )


def _costs(
    network: Workload,
    chips: list[Accelerator],
    machines: Machines,
    latency: FloatArray,
    bits: FloatArray,
) -> dict[str, FloatArray]:
    """Return the columns of costs of designs, all arrays of shape (designs,)."""
    area = _area_mm2(chips, network)
    work = sum(
        x.macs * x.repeat * float(mac_scale(x.input_bits, x.weight_bits)) for x in network.layers
    )
    energy = energy_pj(
        work,
        bits,
        latency,
        mac_pj=machines.mac_pj,
        dram_pj_per_bit=machines.dram_pj_per_bit,
        leakage_w=machines.leakage_w,
    )
    die = np.array([float(die_usd(a, x.technology)) for a, x in zip(area, chips, strict=True)])
    return {
        "latency_s": latency,
        "throughput_per_s": network.batch / latency,
        "dram_bytes": bits / 8,
        "dram_bytes_per_inference": bits / 8 / network.batch,
        "energy_pj": energy,
        "energy_pj_per_inference": energy / network.batch,
        "area_mm2": area,
        "power_w": power_w(energy, latency),
        "dram_bytes_per_s": np.array([x.peak_dram_bytes_per_s for x in chips]),
        "cost_usd": die + np.array([dram_usd(x) for x in chips]),
    }
