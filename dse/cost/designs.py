"""Many designs at once: tables once for each array, then look-ups."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.cost.energy import mac_scale
from dse.cost.lookup import Queries, add_layer
from dse.cost.machines import Machines
from dse.cost.time import latency_s
from dse.errors import DseError
from dse.hardware import TRANSFERS, Accelerator
from dse.mapping.packed import packed_bits
from dse.mapping.pooling import with_fused_pooling
from dse.mapping.table import OBJECTIVES, MappingTable, mapping_table
from dse.workload import Layer, Workload

NUM_RATIOS = 12
"""Ratios of clock to DRAM rate at which look-ups keep bounds."""

FEWEST_DESIGNS = 4096
"""Designs from which on a second thread pays."""


def num_workers() -> int:
    """Return the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def network_costs(
    network: Workload, chip: Accelerator, machines: Machines, designs: IntArray, objective: str
) -> tuple[FloatArray, FloatArray]:
    """Return latency and DRAM bits of a network on designs that share one array.

    Parameters
    ----------
    network
        The layers, at their batch.
    chip
        One of the machines: its array and rules count.
    machines
        All machines.
    designs : shape (designs,)
        Which of them share the array.
    objective
        What each layer's mapping minimises.

    Returns
    -------
    Two arrays of shape (designs,): seconds and bits; inf where a layer does not fit.
    """
    if objective not in OBJECTIVES:
        known = ", ".join(OBJECTIVES)
        raise DseError(f"mapper.objective must be one of {known}, got {objective!r}")
    layers = _with_tables(network, chip)
    rooms, owner = _distinct_rooms(machines.room_bits[designs])
    order = _ordered(owner, machines.clock_hz[designs] / machines.rate_bytes_per_s[designs])
    workers = num_workers() if len(designs) >= FEWEST_DESIGNS else 1
    parts = np.array_split(order, workers)
    with ThreadPoolExecutor(workers) as pool:
        queries = [_queries(machines, designs, part, rooms, owner) for part in parts]
        jobs = [pool.submit(_totals, layers, chip, part, objective) for part in queries]
        found = [job.result() for job in jobs]
    totals = np.empty((2, len(designs)))
    for part, columns in zip(parts, found, strict=True):
        totals[:, part] = columns
    return totals[0], totals[1]


def _ordered(owner: IntArray, ratio: FloatArray) -> IntArray:
    """Return the order by room, then roughly by ratio of clock to rate: look-ups are near then."""
    share = np.log2(ratio)
    share -= share.min()
    return np.argsort(owner + share / (share.max() + 1), kind="stable")


def _distinct_rooms(room_bits: IntArray) -> tuple[IntArray, IntArray]:
    """Return the different rooms, ascending with one buffer, and which of them each design has."""
    if room_bits.shape[1] == 1:
        rooms, owner = np.unique(room_bits[:, 0], return_inverse=True)
        return rooms[:, None], owner
    rooms, owner = np.unique(room_bits, axis=0, return_inverse=True)
    return rooms, owner.ravel()


def _queries(
    machines: Machines, designs: IntArray, part: IntArray, rooms: IntArray, owner: IntArray
) -> Queries:
    """Return some of the designs, which are in the order of their rooms, as queries."""
    place = designs[part]
    first, last = owner[part[0]], owner[part[-1]] + 1
    rate, clock = machines.rate_bytes_per_s[place], machines.clock_hz[place]
    ratio = clock / (8 * rate)
    ratios = np.geomspace(ratio.min(), ratio.max(), NUM_RATIOS)
    before = np.clip(np.searchsorted(ratios, ratio, side="right") - 1, 0, NUM_RATIOS - 2)
    width = ratios[before + 1] - ratios[before]
    share = np.divide(ratio - ratios[before], width, out=np.zeros_like(ratio), where=width > 0)
    return Queries(
        rooms=rooms[first:last],
        starts=np.searchsorted(owner[part], np.arange(first, last + 1)),
        rate_bytes_per_s=rate,
        clock_hz=clock,
        ratios=ratios,
        ratio_before=before,
        ratio_share=np.clip(share, 0, 1),
        mac_pj=machines.mac_pj[place],
        dram_pj_per_bit=machines.dram_pj_per_bit[place],
        leakage_w=machines.leakage_w[place],
    )


def _with_tables(
    network: Workload, chip: Accelerator
) -> list[tuple[Layer, int, MappingTable | None]]:
    """Return the distinct layers, how often each runs, and its mapping table if it has MACs.

    Tables that are not known yet are computed on all processors.
    """
    layers = distinct_layers(with_fused_pooling(network, chip), chip)
    with ThreadPoolExecutor(num_workers()) as pool:
        tables = pool.map(
            lambda one: mapping_table(one[0], chip) if one[0].has_macs else None, layers
        )
        return [(*one, table) for one, table in zip(layers, tables, strict=True)]


def _totals(
    layers: Sequence[tuple[Layer, int, MappingTable | None]],
    chip: Accelerator,
    queries: Queries,
    objective: str,
) -> FloatArray:
    """Return seconds and DRAM bits of all layers, shape (2, designs)."""
    totals = np.zeros((2, len(queries.clock_hz)))
    choice = TRANSFERS.index(chip.transfers), OBJECTIVES.index(objective)
    for layer, repeat, table in layers:
        totals[0] += repeat * launch_s(layer, chip)
        if table is None:
            moved = macless_bits(layer, chip)
            compute = pooling_cycles(layer, chip) / queries.clock_hz
            transfer = moved / 8 / queries.rate_bytes_per_s
            totals[0] += repeat * latency_s(compute, transfer, 0.0, transfers=chip.transfers)
            totals[1] += repeat * moved
            continue
        work = layer.macs * float(mac_scale(layer.input_bits, layer.weight_bits))
        add_layer(table.points.criteria, queries, (*choice, work), repeat, totals)
    return totals


def macless_bits(layer: Layer, chip: Accelerator) -> int:
    """Return the DRAM bits of a layer without MACs: its operands that the DRAM carries, once."""
    elements = {"input": layer.input_elements, "output": layer.output_elements}
    return sum(packed_bits(layer, chip, operand, n) for operand, n in elements.items())


def pooling_cycles(layer: Layer, chip: Accelerator) -> int:
    """Return the cycles that pooling takes, 0 for any other layer or where it is fused."""
    if layer.op != "pool" or layer.is_fused or chip.pooling_elements_per_cycle is None:
        return 0
    elements = layer.window_elements or layer.input_elements
    return ceil(elements / chip.pooling_elements_per_cycle)


def launch_s(layer: Layer, chip: Accelerator) -> float:
    """Return the time that a run of a layer takes to start; none where it is fused. [s]."""
    return 0.0 if layer.is_fused else chip.launch_s


def distinct_layers(network: Workload, chip: Accelerator) -> list[tuple[Layer, int]]:
    """Return each distinct shape and given mapping once, with how often it runs in all."""
    counts: dict[tuple[object, ...], int] = {}
    first: dict[tuple[object, ...], Layer] = {}
    for layer in network.layers:
        key = layer.key, chip.constraints.of(layer.name)
        first.setdefault(key, layer)
        counts[key] = counts.get(key, 0) + layer.repeat
    return [(first[key], count) for key, count in counts.items()]
