"""Mapping tables, and what look-ups need of them, computed once and kept."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from dse.arrays import IntArray
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.asked import Asked
from dse.mapping.assignments import effects
from dse.mapping.build import fastest_criteria, worth_having, worth_having_together
from dse.mapping.cycles import CycleCounter
from dse.mapping.packed import weights_fetched
from dse.mapping.scheduled import scheduled_points
from dse.mapping.table import MappingTable, table_of
from dse.mapping.trees import tree_of
from dse.workload import Layer

Key = tuple[object, ...]
Known = TypeVar("Known")

_TABLES: OrderedDict[Any, MappingTable] = OrderedDict()
_TOGETHER: OrderedDict[Any, MappingTable] = OrderedDict()
_CRITERIA: OrderedDict[Any, IntArray] = OrderedDict()
_LOCK = Lock()
LARGEST_CACHE = 20_000
"""Tables kept in memory, by shape and array; the oldest goes first."""


def forget() -> None:
    """Forget what is kept, so that it is computed again."""
    with _LOCK:
        for tables in (_TABLES, _TOGETHER, _CRITERIA):
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


def mapping_table(layer: Layer, chip: Accelerator) -> MappingTable:
    """Return the exact mapping table of a layer on a machine, computed once and kept.

    Parameters
    ----------
    layer
        A layer with MACs.
    chip
        The machine; its bytes, rates and clock do not count.

    Raises
    ------
    DseError
        If the layer has no MACs, or is too large to count in 64 bits.
    """
    _check(layer, chip)
    chip = chip.for_layer(layer.name)
    key = table_key(layer, chip)
    if chip.schedule is None:
        found = _shared(
            _TABLES,
            key,
            (layer, chip),
            (),
            lambda counter: table_of(layer, chip, worth_having(layer, chip, counter)),
        )
        return replace(found, layer=layer, chip=chip)
    known = _known(_TABLES, key)
    if known is None:
        known = table_of(layer, chip, *scheduled_points(layer, chip))
        _keep(_TABLES, key, known)
    return replace(known, layer=layer, chip=chip)


NO_LIMIT = 2**60
"""More bits than tiles take."""


def fitting_table(layer: Layer, chip: Accelerator) -> MappingTable:
    """Return a table with the best mapping on the machine as it is, whatever it minimises.

    With several buffers it is that of the mappings that fit them, which takes a fraction of the
    time of `mapping_table`.

    Parameters
    ----------
    layer, chip
        As for `mapping_table`, but for the bytes of the buffers, which count.
    """
    found = table_together(layer, chip, chip.usable_buffer_bits)
    return found if len(found.dram_bits) else mapping_table(layer, chip)


def table_together(
    layer: Layer, chip: Accelerator, room_bits: Sequence[int] | None = None
) -> MappingTable:
    """Return the mappings that no other beats in the bits of all buffers together.

    Parameters
    ----------
    layer, chip
        As for `mapping_table`, which is returned for one buffer, or if it is known.
    room_bits : shape (buffers,)
        Bits that tiles may take in each buffer; any number by default.
    """
    _check(layer, chip)
    chip = chip.for_layer(layer.name)
    key = table_key(layer, chip)
    if len(chip.buffers) == 1 or chip.schedule is not None or _known(_TABLES, key) is not None:
        return mapping_table(layer, chip)
    rooms = tuple(room_bits or [NO_LIMIT] * len(chip.buffers))
    found = _shared(
        _TOGETHER,
        key,
        (layer, chip),
        (rooms,),
        lambda counter: table_of(layer, chip, worth_having_together(layer, chip, counter, rooms)),
    )
    return replace(found, layer=layer, chip=chip)


def _shared(
    tables: OrderedDict[Any, Known],
    key: Key,
    wanted: tuple[Layer, Accelerator],
    more: Key,
    compute: Callable[[CycleCounter], Known],
) -> Known:
    """Return what is known, or what an array like the wanted one has, or compute and keep it.

    `more` is what it depends on beside the layer and the machine, whose key is given.
    """
    found = _known(tables, (*key, *more))
    if found is not None:
        return found
    alike = (*_key_of_alike(*wanted), *more)
    found = _known(tables, alike)
    if found is None:
        found = compute(CycleCounter(*wanted))
        _keep(tables, alike, found)
    _keep(tables, (*key, *more), found)
    return found


def criteria_for(layer: Layer, chip: Accelerator, asked: Asked) -> IntArray:
    """Return the criteria of the mappings that can be fastest on the machines asked for.

    The fastest of them, and of these the one with the least traffic, have the time and the traffic
    of those of `mapping_table`; to find them takes a fraction of its time.

    Parameters
    ----------
    layer, chip
        As for `mapping_table`; the chip has one buffer.
    asked
        The machines, beside the array.

    Returns
    -------
    shape (mappings, 4), sorted
        Bits in the buffer, first and last bits, DRAM bits, cycles.
    """
    _check(layer, chip)
    chip = chip.for_layer(layer.name)
    if chip.constraints.order:
        return criteria_above(layer, chip, asked.rooms[:1])
    key = table_key(layer, chip)
    whole = _known(_TABLES, key)
    if whole is not None:
        return whole.points.criteria
    return _shared(
        _CRITERIA,
        key,
        (layer, chip),
        (asked, chip.transfers),
        lambda counter: fastest_criteria(layer, chip, counter, asked),
    )


FLOORS = (0, 8 * 8192, 8 * 32768)
"""Bits of a buffer below which a table for look-ups may see no difference: few, to be shared."""


def criteria_above(layer: Layer, chip: Accelerator, least_room_bits: Sequence[int]) -> IntArray:
    """Return the criteria of the mappings that can be best where tiles may take so much.

    The best of them have the time and the traffic of the best of `mapping_table`, for every machine
    with that room or more. Footprints below the highest of `FLOORS` that the room allows are not
    told apart, which takes half of the time or less.

    Parameters
    ----------
    layer, chip
        As for `mapping_table`.
    least_room_bits : shape (buffers,)
        Bits that tiles may take at least in each buffer. [bits]

    Returns
    -------
    shape (mappings, buffers + 3), sorted
        Bits in each buffer, first and last bits, DRAM bits, cycles.
    """
    _check(layer, chip)
    chip = chip.for_layer(layer.name)
    key = table_key(layer, chip)
    whole = _known(_TABLES, key)
    if whole is not None:
        return whole.points.criteria
    floor = tuple(max(x for x in FLOORS if x <= max(room, 0)) for room in least_room_bits)
    lower = [tuple(min(bits, most) for bits in floor) for most in reversed(FLOORS)]
    known = (_known(_CRITERIA, (*key, each)) for each in dict.fromkeys(lower))
    found = next((criteria for criteria in known if criteria is not None), None)
    if found is not None:
        return found
    return _shared(
        _CRITERIA,
        key,
        (layer, chip),
        (floor,),
        lambda counter: worth_having(layer, chip, counter, floor).criteria,
    )


MOST = int(np.iinfo(np.int64).max) // 4
"""The largest number of bits or cycles of a layer."""


def _check(layer: Layer, chip: Accelerator) -> None:
    """Check that a layer has mappings, and none with more bits or cycles than are counted."""
    if not layer.has_macs:
        raise DseError(f"layer {layer.name!r} has no MACs ({layer.op}), and no mapping")
    if layer.macs * 4 * 1024 > MOST:
        raise DseError(f"layer {layer.name!r} has {layer.macs:.2e} MACs, too many to count exactly")
    fill = chip.fill_cycles_per_pass
    if layer.macs * (1 + fill) > MOST:
        raise DseError(
            f"accelerator {chip.name!r}.fill_cycles = {fill} must be less: after each of up to "
            f"{layer.macs:.2e} passes of layer {layer.name!r} they are too many to count exactly"
        )
    weights = weights_fetched(layer, chip) * layer.weight_bits
    if weights * layer.b * layer.oy * layer.ox > MOST:
        raise DseError(
            f"accelerator {chip.name!r}.weight_granules must be smaller: the weights of layer "
            f"{layer.name!r}, filled up to them, are too many bits to count exactly"
        )


def _known(tables: Mapping[Any, Known], key: object) -> Known | None:
    with _LOCK:
        return tables.get(key)


def _keep(tables: OrderedDict[Any, Known], key: object, table: Known) -> None:
    with _LOCK:
        tables[key] = table
        if len(tables) > LARGEST_CACHE:
            tables.popitem(last=False)
