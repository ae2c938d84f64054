"""The mapping table of a layer: every mapping that can be best, for any buffer, rate and clock."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.arrays import FloatArray, IntArray
from dse.cost.area import area_mm2
from dse.cost.energy import dram_pj_per_bit, energy_pj, mac_scale
from dse.cost.time import DEFAULT_SLACK, latency_s, longest_share
from dse.errors import InfeasibleError
from dse.hardware import Accelerator
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.nest.mapping import Mapping, evaluate_mapping
from dse.mapping.nest.orders import variants
from dse.mapping.objective import MAPPER_OBJECTIVES, Objective
from dse.mapping.points import Points
from dse.mapping.question import Question
from dse.mapping.scheduled import scheduled_mapping
from dse.mapping.store import answer
from dse.shown import short_repr
from dse.workload import LOOPS, Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingTable:
    """Mappings of a layer, each a row: all that no other matches or beats, unless asked otherwise.

    Attributes
    ----------
    layer, chip
        What is computed, on what; the table does not depend on bytes, rates, clock, `transfers`.
    points
        The mappings and their criteria.
    """

    layer: Layer
    chip: Accelerator
    points: Points = field(repr=False)

    __repr__ = short_repr

    @property
    def footprint_bits(self) -> IntArray:
        """Bits taken in each buffer, shape (rows, buffers). [bits]."""
        return self.points.criteria.footprint_bits

    @property
    def dram_bits(self) -> IntArray:
        """DRAM traffic, shape (rows,). [bits]."""
        return self.points.criteria.dram_bits

    @property
    def first_last_bits(self) -> IntArray:
        """Nominal first fetch and last write, shape (rows,). [bits]."""
        return self.points.criteria.first_last_bits

    @property
    def compute_cycles(self) -> IntArray:
        """Cycles of the array, with fill, shape (rows,)."""
        return self.points.criteria.compute_cycles

    def mapping(self, row: int) -> Mapping:
        """Return the mapping of a row, with its costs by operand."""
        if self.points.chunks is not None:
            return scheduled_mapping(self.layer, self.chip, self.points, row)
        order = variants(self.layer, self.chip)[int(self.points.variant[row])].order
        tile = {loop: int(size[row]) for loop, size in self.points.tile.items()}
        counter = LayerOnArray(self.layer, self.chip).counter
        _, which = counter.best({loop: np.array([size]) for loop, size in tile.items()})
        axes = counter.assignments[int(which[0])].axes
        return evaluate_mapping(self.layer, self.chip, tile=tile, order=order, axes=axes)

    def best(
        self,
        objective: str,
        chip: Accelerator,
        *,
        slack: float = DEFAULT_SLACK,
        area_scale: float | None = None,
    ) -> Mapping:
        """Return the best mapping that fits a machine.

        Parameters
        ----------
        objective
            A key of `Objective`.
        chip
            The machine: its buffer bytes, DRAM rate, clock and `transfers` count.
        slack
            Share of the least latency that may be lost to move fewer bits, where latency is asked
            for: of the mappings within it the one of fewest bits, then of least latency.
        area_scale
            Area of its MACs relative to those of 8 by 8 bits, for the leakage; by default what
            the bits of this layer need.

        Raises
        ------
        InfeasibleError
            If nothing fits.
        DseError
            If the objective is unknown.
        """
        return self.mapping(self.best_row(objective, chip, slack=slack, area_scale=area_scale))

    def best_row(
        self,
        objective: str,
        chip: Accelerator,
        *,
        slack: float = DEFAULT_SLACK,
        area_scale: float | None = None,
    ) -> int:
        """Return the row of the best mapping that fits a machine; see `best`."""
        Objective.of(objective)
        room = np.array(chip.usable_buffer_bits)
        rows = np.flatnonzero((self.footprint_bits <= room).all(axis=1))
        if not len(rows):
            least = self.footprint_bits.min(axis=0)
            raise InfeasibleError(
                f"layer {self.layer.name!r} fits accelerator {chip.name!r} with no mapping: its "
                f"smallest tiles take {_listed(least)} bytes in the buffers "
                f"{', '.join(b.name for b in chip.buffers)}, tiles may take {_listed(room)} "
                f"({chip.transfers})"
            )
        criteria = self._objectives(rows, chip, area_scale)
        first = objective
        if objective == Objective.LATENCY_S.key and (longest := longest_share(slack)) > 1:
            within = (
                criteria[Objective.LATENCY_S.key]
                <= criteria[Objective.LATENCY_S.key].min() * longest
            )
            rows, first = rows[within], Objective.DRAM_BYTES.key
            criteria = {name: values[within] for name, values in criteria.items()}
        tile = self.points.tile
        keys: list[NDArray[Any]] = [self.points.variant]
        keys += [tile[loop] for loop in reversed(LOOPS)]
        keys.append(self.footprint_bits.sum(axis=1))
        others = [criteria[x] for x in reversed(MAPPER_OBJECTIVES) if x != first]
        order = np.lexsort([*(key[rows] for key in keys), *others, criteria[first]])
        return int(rows[order[0]])

    def _objectives(
        self, rows: IntArray, chip: Accelerator, area_scale: float | None
    ) -> dict[str, FloatArray]:
        rate = chip.dram_rate_bytes_per_s
        dram_bytes = self.dram_bits[rows] / 8
        latency = latency_s(
            self.compute_cycles[rows] / chip.clock_hz,
            dram_bytes / rate,
            self.first_last_bits[rows] / 8 / rate,
            transfers=chip.transfers,
        )
        scale = mac_scale(self.layer.input_bits, self.layer.weight_bits)
        area = area_mm2(
            chip.num_macs,
            chip.on_chip_bytes,
            chip.technology,
            scale=scale if area_scale is None else area_scale,
        )
        energy = energy_pj(
            self.layer.macs * float(scale),
            self.dram_bits[rows],
            latency,
            mac_pj=chip.technology.mac_pj.value,
            dram_pj_per_bit=dram_pj_per_bit(chip),
            leakage_w=chip.technology.leakage_w_per_mm2.value * area,
        )
        values = (latency, dram_bytes, energy, energy * latency)
        return dict(zip(MAPPER_OBJECTIVES, values, strict=True))

    def within(self, most_dram_bits: int, most_cycles: int) -> "MappingTable":
        """Return the rows that exceed neither bound."""
        is_within = (self.dram_bits <= most_dram_bits) & (self.compute_cycles <= most_cycles)
        return replace(self, points=self.points.rows(np.flatnonzero(is_within)))

    def least_traffic(self) -> tuple[FloatArray, FloatArray]:
        """Return the least DRAM bytes for every buffer size worth having.

        Returns
        -------
        Two arrays of shape (sizes,): bytes of all buffers together that tiles take, ascending,
        and DRAM bytes, falling. [bytes]
        """
        total = self.footprint_bits.sum(axis=1)
        order = np.lexsort((self.dram_bits, total))
        least = np.minimum.accumulate(self.dram_bits[order])
        falls = np.ones(len(order), dtype=bool)
        falls[1:] = least[1:] < least[:-1]
        return total[order][falls] / 8, least[falls] / 8


def _listed(bits: IntArray) -> str:
    return ", ".join(f"{-(-int(x) // 8):,}" for x in bits)


def table_of(layer: Layer, chip: Accelerator, question: Question) -> MappingTable:
    """Return the mappings of a layer on a machine that answer a question.

    Raises
    ------
    DseError
        If the layer has no MACs, or is too large to count in 64 bits.
    """
    one = LayerOnArray.of(layer, chip)
    return MappingTable(layer=layer, chip=one.chip, points=answer(one, question))


def mapping_table(layer: Layer, chip: Accelerator) -> MappingTable:
    """Return the exact mapping table of a layer on a machine, computed once and stored.

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
    return table_of(layer, chip, Question())
