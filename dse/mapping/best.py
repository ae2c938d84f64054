"""The best mapping of a layer on one machine as it is."""

from typing import Any

from dse.cost.time import DEFAULT_SLACK, latency_s
from dse.hardware import Accelerator
from dse.mapping.layer_on_array import MOST
from dse.mapping.nest.mapping import Mapping
from dse.mapping.question import Question
from dse.mapping.table import MappingTable, mapping_table, table_of
from dse.workload import Layer

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

    With several buffers, whose whole tables are large, two searches are smaller: first for the
    mappings that fit, whatever room they take, then for all rows of the whole table that are as
    good as the best of them.

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
    rule: dict[str, Any] = {"slack": slack, "area_scale": area_scale}
    if len(chip.buffers) == 1 or chip.schedule is not None:
        return mapping_table(layer, chip).best(objective, chip, **rule)
    fitting = Question.fitting(chip.usable_buffer_bits)
    fits = table_of(layer, chip, fitting)
    if not len(fits.points):  # a whole table tells what would fit
        return mapping_table(layer, chip).best(objective, chip, **rule)
    row = fits.best_row(objective, chip, **rule)
    most = int(fits.dram_bits[row]), _most_cycles(fits, row, chip)
    ties = table_of(layer, chip, Question.ties(chip.usable_buffer_bits, *most))
    return ties.best(objective, chip, **rule)


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
