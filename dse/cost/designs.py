"""Many designs at once: tables once for each array, then look-ups."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import product
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.cost.energy import mac_scale
from dse.cost.lookup import LATENCY, Queries, add_layer, desk_for
from dse.cost.machines import Machines, machines_of
from dse.cost.time import latency_s
from dse.errors import DseError
from dse.hardware import TRANSFERS, Accelerator
from dse.mapping.asked import Asked, ask_for
from dse.mapping.fusion import with_fused_layers
from dse.mapping.kept import criteria_above, criteria_for, mapping_table
from dse.mapping.packed import packed_bits
from dse.mapping.ratios import buckets
from dse.mapping.table import OBJECTIVES, MappingTable
from dse.processors import num_workers
from dse.technology import Catalogue
from dse.workload import Layer, Workload

Mappings = IntArray | MappingTable | None
"""What is looked up of a layer: criteria of its mappings, its chunks under a machine's own
schedule, or nothing where it has no MACs."""

RATIO_KNOBS = ("dram_part", "dram_channels", "dram_bytes_per_s", "clock_hz")
"""What the ratio of clock to DRAM rate depends on."""

MOST_ASKED = 100_000
"""Sizes of the buffer, or rates, above which a space does not say what it asks of mappings."""

FEWEST_DESIGNS = 4096
"""Designs from which on a second thread pays."""


class Group(NamedTuple):
    """Designs that share an array.

    Attributes
    ----------
    network
        The layers, at their batch.
    chip
        One of the machines: its array and rules count.
    designs : shape (designs,)
        Which of all machines they are.
    """

    network: Workload
    chip: Accelerator
    designs: IntArray


GROUPS_AT_ONCE = 16
"""Groups whose mappings are sought together: a processor that is done with one goes on."""


def costs_of_groups(
    groups: Sequence[Group], machines: Machines, objective: str, *, asked: Asked | None = None
) -> Iterator[FloatArray]:
    """Yield latency and DRAM bits of the designs of each group.

    Parameters
    ----------
    groups
        Groups of designs.
    machines
        All machines.
    objective
        What each layer's mapping minimises.
    asked
        Machines of which mappings are found together; others are found one array at a time.

    Yields
    ------
    shape (2, designs)
        Seconds and bits; inf where a layer does not fit.
    """
    if objective not in OBJECTIVES:
        known = ", ".join(OBJECTIVES)
        raise DseError(f"mapper.objective must be one of {known}, got {objective!r}")
    workers = num_workers()
    pool = ThreadPoolExecutor(workers)
    try:
        for first in range(0, len(groups), GROUPS_AT_ONCE):
            some = groups[first : first + GROUPS_AT_ONCE]
            sought = [_sought(pool, group, machines, objective, asked) for group in some]
            for group, layers in zip(some, sought, strict=True):
                mapped = [(layer, repeat, found.result()) for layer, repeat, found in layers]
                costs_of = partial(_part_costs, mapped, group.chip, machines, objective=objective)
                if len(group.designs) < FEWEST_DESIGNS:
                    yield costs_of(group.designs)
                else:
                    parts = np.array_split(group.designs, workers)
                    yield np.concatenate(list(pool.map(costs_of, parts)), axis=1)
    finally:
        pool.shutdown(cancel_futures=True)


def _sought(
    pool: ThreadPoolExecutor,
    group: Group,
    machines: Machines,
    objective: str,
    asked: Asked | None,
) -> list[tuple[Layer, int, Future[Mappings]]]:
    """Return the distinct layers of a group, how often they run, and what will be looked up."""
    network, chip, designs = group
    rooms = machines.room_bits[designs]
    wanted: Asked | Sequence[int] = rooms.min(axis=0).tolist()
    if asked and _can_ask(chip, objective) and asked.covers(rooms, machines.ratio[designs]):
        wanted = asked
    layers = distinct_layers(with_fused_layers(network, chip), chip)
    return [(layer, count, pool.submit(_mappings, layer, chip, wanted)) for layer, count in layers]


def compute_tables(network: Workload, chip: Accelerator) -> None:
    """Compute the mapping tables of a network on a machine with all processors; they are kept."""
    layers = distinct_layers(with_fused_layers(network, chip), chip)
    mapped = [layer for layer, _ in layers if layer.has_macs]
    with ThreadPoolExecutor(num_workers()) as pool:
        for _ in pool.map(lambda layer: mapping_table(layer, chip), mapped):
            pass


def _part_costs(
    layers: Sequence[tuple[Layer, int, Mappings]],
    chip: Accelerator,
    machines: Machines,
    designs: IntArray,
    objective: str,
) -> FloatArray:
    """Return seconds and DRAM bits of designs, shape (2, designs)."""
    room_bits = machines.room_bits[designs]
    keys = [room_bits[:, buffer] for buffer in range(room_bits.shape[1])]
    order = np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys[::-1])
    sorted_rooms = room_bits[order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (sorted_rooms[1:] != sorted_rooms[:-1]).any(axis=1)
    starts = np.append(np.flatnonzero(is_first), len(order))
    queries = _queries(machines, designs[order], sorted_rooms[starts[:-1]], starts, objective)
    costs = np.empty((2, len(designs)))
    costs[:, order] = _totals(layers, chip, queries, objective)
    return costs


def _queries(
    machines: Machines, designs: IntArray, rooms: IntArray, starts: IntArray, objective: str
) -> Queries:
    """Return designs, which are in the order of their rooms, as queries."""
    rate, clock = machines.rate_bytes_per_s[designs], machines.clock_hz[designs]
    bucket, ratios = buckets(rate, clock)
    is_fastest = OBJECTIVES[LATENCY] == objective
    asked = designs[:0] if is_fastest else designs
    return Queries(
        rooms=rooms,
        starts=starts,
        rate_bytes_per_s=rate,
        clock_hz=clock,
        bucket=bucket,
        ratios=ratios,
        mac_pj=machines.mac_pj[asked],
        dram_pj_per_bit=machines.dram_pj_per_bit[asked],
        leakage_w=machines.leakage_w[asked],
    )


def _can_ask(chip: Accelerator, objective: str) -> bool:
    """Whether mappings can be found for given machines: one buffer, and the least time is asked."""
    is_mapped = chip.schedule is None and len(chip.buffers) == 1
    return is_mapped and objective == OBJECTIVES[LATENCY]


def asked_of(
    accelerator: Accelerator,
    knobs: Mapping[str, Sequence[Any]],
    catalogue: Catalogue,
    objective: str,
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
    """
    if not _can_ask(accelerator, objective):
        return None
    rooms = _grid(accelerator, knobs, (str(accelerator.buffers[0].bytes),), catalogue)
    rates = _grid(accelerator, knobs, RATIO_KNOBS, catalogue)
    if rooms is None or rates is None:
        return None
    return ask_for(rooms.room_bits[:, 0], rates.ratio)


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


def _mappings(layer: Layer, chip: Accelerator, wanted: Asked | Sequence[int]) -> Mappings:
    """Return what is looked up of a layer on the machines asked for, or with at least that room."""
    if not layer.has_macs:
        return None
    if chip.schedule is not None:
        return mapping_table(layer, chip)
    if isinstance(wanted, Asked):
        return criteria_for(layer, chip, wanted)
    return criteria_above(layer, chip, wanted)


def _totals(
    layers: Sequence[tuple[Layer, int, Mappings]],
    chip: Accelerator,
    queries: Queries,
    objective: str,
) -> FloatArray:
    """Return seconds and DRAM bits of all layers, shape (2, designs)."""
    totals = np.zeros((2, len(queries.clock_hz)))
    choice = TRANSFERS.index(chip.transfers), OBJECTIVES.index(objective)
    for layer, repeat, mappings in layers:
        totals[0] += repeat * launch_s(layer, chip)
        if isinstance(mappings, MappingTable):
            totals += repeat * _scheduled(mappings, chip, queries)
            continue
        if mappings is None:
            moved = macless_bits(layer, chip)
            compute = pooling_cycles(layer, chip) / queries.clock_hz
            transfer = moved / 8 / queries.rate_bytes_per_s
            totals[0] += repeat * latency_s(compute, transfer, 0.0, transfers=chip.transfers)
            totals[1] += repeat * moved
            continue
        work = layer.macs * float(mac_scale(layer.input_bits, layer.weight_bits))
        desk = desk_for(mappings, queries)
        add_layer(mappings, queries, (*choice, work), repeat, totals, desk)
    return totals


def _scheduled(table: MappingTable, chip: Accelerator, queries: Queries) -> FloatArray:
    """Return seconds and DRAM bits of a layer under a machine's own schedule, (2, designs)."""
    shared = next(n for n, x in enumerate(chip.buffers) if {"input", "weight"} <= set(x.holds))
    rooms = queries.rooms[:, shared]
    row = np.searchsorted(table.footprint_bits[:, shared], rooms, side="right") - 1
    bits = np.where(row < 0, np.inf, table.dram_bits[row])
    each = np.repeat(bits, np.diff(queries.starts))
    compute = table.compute_cycles[0] / queries.clock_hz
    transfer = each / 8 / queries.rate_bytes_per_s
    return np.stack((latency_s(compute, transfer, 0.0, transfers=chip.transfers), each))


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
