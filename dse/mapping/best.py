"""The best mapping of a layer on one machine as it is."""

import numpy as np

from dse.cost.time import DEFAULT_SLACK, latency_s
from dse.hardware import Accelerator
from dse.mapping.layer_on_array import MOST
from dse.mapping.nest.mapping import Mapping
from dse.mapping.objective import Objective
from dse.mapping.operating_points import OperatingPoints
from dse.mapping.question import Question
from dse.mapping.table import MappingTable, mapping_table, table_of
from dse.workload import LOOPS, Layer

ROUNDING = 1e-9
"""Share by which rounding may move a time, and more."""


def best_mapping(
    layer: Layer,
    chip: Accelerator,
    objective: str,
    *,
    slack: float = DEFAULT_SLACK,
    area_scale: float | None = None,
) -> Mapping:
    """Return the best mapping on a machine as it is, as `mapping_table` would give it.

    Whole tables are large, and two searches are smaller: first for mappings among which are the
    best, whatever room they take, then for all rows of the whole table that are as good as these.

    Parameters
    ----------
    layer, chip
        As for `mapping_table`, but that the bytes of the buffers, the rate and the clock count.
    objective, slack, area_scale
        As for `MappingTable.best`.

    Raises
    ------
    InfeasibleError
        If nothing fits.
    DseError
        As `mapping_table` and `MappingTable.best`.
    """
    question = _question(chip, objective, slack)
    if question == Question():
        table = mapping_table(layer, chip)
        return table.best(objective, chip, slack=slack, area_scale=area_scale)
    first = table_of(layer, chip, question)
    if not len(first.points):  # a whole table tells what would fit
        return mapping_table(layer, chip).best(objective, chip, slack=slack, area_scale=area_scale)
    row = first.best_row(objective, chip, slack=slack, area_scale=area_scale)
    most = int(first.dram_bits[row]), _most_cycles(first, row, chip)
    ties = table_of(layer, chip, Question.ties(chip.usable_buffer_bits, *most)).within(*most)
    # the row is the best: none moves fewer bits as fast, so the fastest of these are its equals
    return ties.best(objective, chip, slack=0, area_scale=area_scale)


def _question(chip: Accelerator, objective: str, slack: float) -> Question:
    """Return the first question about a machine: for the whole table where that is quick."""
    rooms = chip.usable_buffer_bits
    if chip.schedule is not None:
        return Question()
    if len(rooms) > 1:
        return Question.fitting(rooms)
    if objective != Objective.LATENCY_S.key:
        return Question()
    ratio = chip.clock_hz / (8 * chip.dram_rate_bytes_per_s)
    points = OperatingPoints.of(np.array(rooms), np.array([ratio]), slack)
    return Question() if points is None else Question.fastest(points, chip)


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


def weighted_mapping(
    layer: Layer, chip: Accelerator, room_bits: tuple[int, ...], weights: tuple[float, float]
) -> Mapping:
    """Return the mapping of the least weighted sum of time and DRAM bits in some room.

    Parameters
    ----------
    layer, chip
        As for `best_mapping`, but that the bytes of the buffers do not count.
    room_bits
        Bits that tiles may take in each buffer.
    weights
        Of a second, in units of 1e-12, and of a bit. Ties go to the least time, then as in tables.
    """
    first = table_of(layer, chip, Question.above(room_bits))
    row = _weighted_row(first, chip, room_bits, weights)
    most = int(first.dram_bits[row]), _most_cycles(first, row, chip)
    ties = table_of(layer, chip, Question.ties(room_bits, *most)).within(*most)
    return ties.mapping(_weighted_row(ties, chip, room_bits, weights))


def _weighted_row(
    table: MappingTable, chip: Accelerator, room_bits: tuple[int, ...], weights: tuple[float, float]
) -> int:
    rows = np.flatnonzero((table.footprint_bits <= np.array(room_bits)).all(axis=1))
    rate, bits = 8 * chip.dram_rate_bytes_per_s, table.dram_bits[rows]
    seconds = latency_s(
        table.compute_cycles[rows] / chip.clock_hz,
        bits / rate,
        table.first_last_bits[rows] / rate,
        transfers=chip.transfers,
    )
    value = bits * weights[1] + weights[0] * seconds * 1e12
    tiles = [table.points.tile[loop][rows] for loop in reversed(LOOPS)]
    room = table.footprint_bits[rows].sum(axis=1)
    order = np.lexsort([table.points.variant[rows], *tiles, room, bits, seconds, value])
    return int(rows[order[0]])
