"""Mapping tables, and what look-ups need of them, computed once and kept."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.cost.time import latency_s
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.nest.dram_bits import weights_fetched
from dse.mapping.nest.mapping import Mapping
from dse.mapping.operating_points import Asked
from dse.mapping.scheduled import scheduled_points
from dse.mapping.search.build import fastest_criteria, fitting, least_traffic_bits, worth_having
from dse.mapping.store_keys import CRITERIA, FITTING, TABLES, keep, recall, shared, table_key
from dse.mapping.table import MappingTable, table_of
from dse.workload import Layer

ROUNDING = 1e-9
"""Share by which rounding may move a time, and more."""


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
        found = shared(
            TABLES,
            key,
            (layer, chip),
            (),
            lambda counter: table_of(layer, chip, worth_having(layer, chip, counter)),
        )
        return replace(found, layer=layer, chip=chip)
    known = recall(TABLES, key)
    if known is None:
        known = table_of(layer, chip, *scheduled_points(layer, chip))
        keep(TABLES, key, known)
    return replace(known, layer=layer, chip=chip)


def best_mapping(
    layer: Layer,
    chip: Accelerator,
    objective: str,
    *,
    slack: float = 0.0,
    area_scale: float | None = None,
) -> Mapping:
    """Return the best mapping on a machine as it is, as `mapping_table` would give it.

    With several buffers, whose whole tables are large, only mappings that fit are sought, their
    room not told apart, and then, of the whole table, the rows as good as the best of them.

    Parameters
    ----------
    layer, chip
        As for `mapping_table`, but that the bytes of the buffers, the rate and the clock count.
    objective, slack, area_scale
        As for `MappingTable.best`.

    Raises
    ------
    DseError
        As `mapping_table` and `MappingTable.best`.
    """
    _check(layer, chip)
    own = chip.for_layer(layer.name)
    if len(own.buffers) == 1 or own.schedule is not None or _is_known(layer, own):
        return mapping_table(layer, own).best(objective, chip, slack=slack, area_scale=area_scale)
    fits = _fitting(layer, own)
    if not len(fits.dram_bits):  # a whole table tells what would fit
        return mapping_table(layer, own).best(objective, chip, slack=slack, area_scale=area_scale)
    row = fits.best_row(objective, chip, slack=slack, area_scale=area_scale)
    ties = _fitting(layer, own, (int(fits.dram_bits[row]), _most_cycles(fits, row, chip)))
    return ties.best(objective, chip, slack=slack, area_scale=area_scale)


def _is_known(layer: Layer, chip: Accelerator) -> bool:
    return recall(TABLES, table_key(layer, chip)) is not None


def _most_cycles(table: MappingTable, row: int, chip: Accelerator) -> int:
    """Return the most cycles of a mapping that takes no longer than the one of a row."""
    rate = 8 * chip.dram_rate_bytes_per_s
    seconds = latency_s(
        table.compute_cycles[row] / chip.clock_hz,
        table.dram_bits[row] / rate,
        table.first_last_bits[row] / rate,
        transfers=chip.transfers,
    )
    return min(int(float(seconds) * chip.clock_hz * (1 + ROUNDING)) + 1, MOST)


def _fitting(layer: Layer, chip: Accelerator, most: tuple[int, int] | None = None) -> MappingTable:
    """Return the table of what `dse.mapping.search.build.fitting` finds."""
    rooms = chip.usable_buffer_bits
    found = shared(
        FITTING,
        table_key(layer, chip),
        (layer, chip),
        (rooms, most),
        lambda counter: table_of(layer, chip, fitting(layer, chip, counter, rooms, most)),
    )
    return replace(found, layer=layer, chip=chip)


def least_traffic(layer: Layer, chip: Accelerator) -> tuple[FloatArray, FloatArray]:
    """Return `MappingTable.least_traffic` without a table.

    Parameters
    ----------
    layer, chip
        As for `mapping_table`.
    """
    _check(layer, chip)
    chip = chip.for_layer(layer.name)
    if chip.schedule is not None or _is_known(layer, chip):
        return mapping_table(layer, chip).least_traffic()
    bits = shared(
        CRITERIA,
        table_key(layer, chip),
        (layer, chip),
        ("least traffic",),
        lambda counter: least_traffic_bits(layer, chip, counter),
    )
    return bits[:, 0] / 8, bits[:, 1] / 8


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
    whole = recall(TABLES, key)
    if whole is not None:
        return whole.points.criteria
    return shared(
        CRITERIA,
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
    whole = recall(TABLES, key)
    if whole is not None:
        return whole.points.criteria
    floor = tuple(max(x for x in FLOORS if x <= max(room, 0)) for room in least_room_bits)
    lower = [tuple(min(bits, most) for bits in floor) for most in reversed(FLOORS)]
    known = (recall(CRITERIA, (*key, each)) for each in dict.fromkeys(lower))
    found = next((criteria for criteria in known if criteria is not None), None)
    if found is not None:
        return found
    return shared(
        CRITERIA,
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
