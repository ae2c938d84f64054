"""What was computed of layers on machines, kept by all that it depends on."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any, TypeVar

from dse.arrays import IntArray
from dse.hardware import Accelerator
from dse.mapping.nest.assignments import effects
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.search.layer_trees import tree_of
from dse.mapping.table import MappingTable
from dse.workload import Layer

Key = tuple[object, ...]
Known = TypeVar("Known")

TABLES: OrderedDict[Any, MappingTable] = OrderedDict()
FITTING: OrderedDict[Any, MappingTable] = OrderedDict()
CRITERIA: OrderedDict[Any, IntArray] = OrderedDict()
_LOCK = Lock()

LARGEST_CACHE = 20_000
"""Tables kept in memory, by shape and array; the oldest goes first."""


def forget() -> None:
    """Forget what is kept, so that it is computed again."""
    with _LOCK:
        for tables in (TABLES, FITTING, CRITERIA):
            tables.clear()
    tree_of.cache_clear()


def _rules(chip: Accelerator) -> Key:
    """Return all of a machine that its tables depend on, but for the array."""
    return (
        tuple(buffer.holds for buffer in chip.buffers),
        chip.dram.carries,
        chip.dram.compression,
        chip.granules,
        chip.stationarity,
        chip.held_in_array,
        chip.fill_cycles_per_pass,
        chip.array_bits_per_cycle,
        chip.padding_is_computed,
        chip.halo_is_kept,
        chip.partial_rows_are_fetched,
    )


def table_key(layer: Layer, chip: Accelerator) -> Key:
    """Return all that a table depends on."""
    axes = tuple((axis.dims, axis.whole_sets) for axis in chip.array)
    return (layer.key, axes, chip.axis_sizes, chip.constraints, chip.schedule, *_rules(chip))


def _key_of_alike(layer: Layer, chip: Accelerator) -> Key:
    """Return the same key for arrays that give a layer the same choice, as 8 x 16 and 16 x 8 do."""
    constraints = chip.constraints
    if constraints.unrolled:
        constraints = replace(constraints, unrolled=())
    return (layer.key, effects(layer, chip), constraints, *_rules(chip))


def shared(
    tables: OrderedDict[Any, Known],
    key: Key,
    wanted: tuple[Layer, Accelerator],
    more: Key,
    compute: Callable[[CycleCounter], Known],
) -> Known:
    """Return what is known, or what an array like the wanted one has, or compute and keep it.

    `more` is what it depends on beside the layer and the machine, whose key is given.
    """
    found = recall(tables, (*key, *more))
    if found is not None:
        return found
    alike = (*_key_of_alike(*wanted), *more)
    found = recall(tables, alike)
    if found is None:
        found = compute(CycleCounter(*wanted))
        keep(tables, alike, found)
    keep(tables, (*key, *more), found)
    return found


def recall(tables: OrderedDict[Any, Known], key: object) -> Known | None:
    """Return what is kept under a key; None if nothing is."""
    with _LOCK:
        return tables.get(key)


def keep(tables: OrderedDict[Any, Known], key: object, table: Known) -> None:
    """Keep something under a key."""
    with _LOCK:
        tables[key] = table
        if len(tables) > LARGEST_CACHE:
            tables.popitem(last=False)
