"""Many designs at once: tables once for each array, then look-ups."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.cost.energy import mac_scale
from dse.cost.time import latency_s
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.front import undominated
from dse.mapping.table import OBJECTIVES, MappingTable, mapping_table
from dse.workload import Layer, Workload

LARGEST_MATRIX = 4_000_000
"""Designs times mappings that are compared together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What of each design its latency and energy depend on, arrays of shape (designs,).

    Attributes
    ----------
    room_bits : shape (designs, buffers)
        Bits that tiles may take.
    rate_bytes_per_s, clock_hz
        DRAM rate times efficiency; clock.
    mac_pj, dram_pj_per_bit, leakage_w
        Of an 8-bit MAC, of a transferred bit; power of the area.
    """

    room_bits: IntArray
    rate_bytes_per_s: FloatArray
    clock_hz: FloatArray
    mac_pj: FloatArray
    dram_pj_per_bit: FloatArray
    leakage_w: FloatArray

    def take(self, index: IntArray) -> "Machines":
        """Return the designs at `index`."""
        return Machines(**{name: getattr(self, name)[index] for name in self.__slots__})


def network_costs(
    network: Workload, chip: Accelerator, machines: Machines, objective: str
) -> tuple[FloatArray, FloatArray]:
    """Return latency and DRAM bits of a network on designs that share one array.

    Parameters
    ----------
    network
        The layers, at their batch.
    chip
        One of the machines: its array and rules count.
    machines
        The designs.
    objective
        What each layer's mapping minimises.

    Returns
    -------
    Two arrays of shape (designs,): seconds and bits; inf where a layer does not fit.
    """
    if objective not in OBJECTIVES:
        known = ", ".join(OBJECTIVES)
        raise DseError(f"mapper.objective must be one of {known}, got {objective!r}")
    latency = np.zeros(len(machines.clock_hz))
    bits = np.zeros(len(machines.clock_hz))
    for layer, repeat in distinct_layers(network):
        if not layer.has_macs:
            moved = macless_bits(layer, chip)
            latency += repeat * (moved / 8 / machines.rate_bytes_per_s)
            bits += repeat * moved
            continue
        table = mapping_table(layer, chip)
        for designs, rows in _by_room(table, machines.room_bits):
            seconds, moved_bits = _best(table, rows, machines.take(designs), chip, objective)
            latency[designs] += repeat * seconds
            bits[designs] += repeat * moved_bits
    return latency, bits


def macless_bits(layer: Layer, chip: Accelerator) -> int:
    """Return the DRAM bits of a layer without MACs: its operands that the DRAM carries, once."""
    moved = {
        "input": layer.input_elements * layer.input_bits,
        "output": layer.output_elements * layer.output_bits,
    }
    return sum(bits for operand, bits in moved.items() if operand in chip.dram.carries)


def distinct_layers(network: Workload) -> list[tuple[Layer, int]]:
    """Return each distinct shape once, with how often it runs in all."""
    counts: dict[tuple[object, ...], int] = {}
    first: dict[tuple[object, ...], Layer] = {}
    for layer in network.layers:
        first.setdefault(layer.key, layer)
        counts[layer.key] = counts.get(layer.key, 0) + layer.repeat
    return [(first[key], count) for key, count in counts.items()]


def _by_room(table: MappingTable, room: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield (designs, rows): the designs to which the same rows of the table fit."""
    steps = [np.unique(column) for column in table.footprint_bits.T]
    places = [
        np.searchsorted(step, column, side="right")
        for step, column in zip(steps, room.T, strict=True)
    ]
    kinds, owner = np.unique(np.stack(places, axis=1), axis=0, return_inverse=True)
    order = np.argsort(owner.ravel(), kind="stable")
    ends = np.searchsorted(owner.ravel()[order], np.arange(1, len(kinds) + 1))
    begin = 0
    for kind, end in zip(kinds, ends, strict=True):
        fits = np.ones(len(table.dram_bits), dtype=bool)
        for step, place, column in zip(steps, kind, table.footprint_bits.T, strict=True):
            fits &= column <= (step[place - 1] if place else -1)
        yield order[begin:end], np.flatnonzero(fits)
        begin = int(end)


def _best(
    table: MappingTable, rows: IntArray, machines: Machines, chip: Accelerator, objective: str
) -> tuple[FloatArray, FloatArray]:
    """Return latency and DRAM bits of the best of some rows, for each design."""
    count = len(machines.clock_hz)
    if not len(rows):
        return np.full(count, np.inf), np.full(count, np.inf)
    rows = rows[_can_be_best(table, rows, chip)]
    rows = rows[np.lexsort((table.compute_cycles[rows], table.dram_bits[rows]))]
    step = max(1, LARGEST_MATRIX // len(rows))
    parts = [
        _best_of(table, rows, machines.take(np.arange(i, min(i + step, count))), chip, objective)
        for i in range(0, count, step)
    ]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _can_be_best(table: MappingTable, rows: IntArray, chip: Accelerator) -> Any:
    columns = [table.dram_bits[rows], table.compute_cycles[rows]]
    if chip.transfers == "double_buffered":
        columns.append(table.first_last_bits[rows])
    return undominated(columns)


def _best_of(
    table: MappingTable, rows: IntArray, machines: Machines, chip: Accelerator, objective: str
) -> tuple[FloatArray, FloatArray]:
    rate = machines.rate_bytes_per_s[:, None]
    bits = table.dram_bits[rows]
    latency = latency_s(
        table.compute_cycles[rows] / machines.clock_hz[:, None],
        bits / 8 / rate,
        table.first_last_bits[rows] / 8 / rate,
        transfers=chip.transfers,
    )
    if objective == "latency_s":
        row = latency.argmin(axis=1)  # rows ascend in DRAM bits: ties go to the least traffic
    else:
        value = _values(table, bits, latency, machines, objective)
        tied = value == value.min(axis=1, keepdims=True)
        row = np.where(tied, latency, np.inf).argmin(axis=1)
    return latency[np.arange(len(row)), row], bits[row].astype(np.float64)


def _values(
    table: MappingTable, bits: IntArray, latency: FloatArray, machines: Machines, objective: str
) -> FloatArray:
    """Return what a mapper minimises, of shape (designs, rows)."""
    if objective == "dram_bytes":
        return np.broadcast_to(bits / 8, latency.shape)
    layer = table.layer
    mac_pj = machines.mac_pj * mac_scale(layer.input_bits, layer.weight_bits)
    energy = layer.macs * mac_pj[:, None] + bits * machines.dram_pj_per_bit[:, None]
    energy = energy + machines.leakage_w[:, None] * latency * 1e12
    return energy if objective == "energy_pj" else energy * latency
