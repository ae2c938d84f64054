"""The mapping table of a layer: every mapping that can be best, for any buffer, rate and clock."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.cost.area import area_mm2
from dse.cost.energy import dram_pj_per_bit, energy_pj, mac_scale
from dse.cost.time import latency_s, longest_share
from dse.errors import InfeasibleError
from dse.hardware import Accelerator
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.mapping import Mapping, evaluate_mapping
from dse.mapping.nest.orders import Variant, variants
from dse.mapping.objective import MAPPER_OBJECTIVES, Objective
from dse.mapping.scheduled import scheduled_mapping
from dse.mapping.search.build import Points
from dse.workload import LOOPS, Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingTable:
    """All mappings of a layer that no other matches or beats, as arrays.

    Attributes
    ----------
    layer, chip
        What is computed, on what; the table does not depend on bytes, rates, clock, `transfers`.
    footprint_bits : shape (rows, buffers)
        Bits taken in each buffer. [bits]
    dram_bits, first_last_bits : shape (rows,)
        DRAM traffic; nominal first fetch and last write. [bits]
    compute_cycles : shape (rows,)
        Cycles of the array, with fill.
    chunks : shape (rows,)
        Chunks of the operand that a machine's own schedule keeps; None where the mapper chooses.
    """

    layer: Layer
    chip: Accelerator
    footprint_bits: IntArray
    dram_bits: IntArray
    first_last_bits: IntArray
    compute_cycles: IntArray
    points: Points = field(repr=False)
    variants: tuple[Variant, ...] = field(repr=False)
    chunks: IntArray | None = field(default=None, repr=False)

    def mapping(self, row: int) -> Mapping:
        """Return the mapping of a row, with its costs by operand."""
        if self.chunks is not None:
            count = int(self.chunks[row])
            return scheduled_mapping(self.layer, self.chip, self.points, row, count)
        variant = self.variants[int(self.points.variant[row])]
        tile = {loop: int(self.points.tile[loop][row]) for loop in LOOPS}
        counter = CycleCounter(self.layer, self.chip)
        _, which = counter.best({loop: np.array([size]) for loop, size in tile.items()})
        axes = counter.assignments[int(which[0])].axes
        return evaluate_mapping(self.layer, self.chip, tile=tile, order=variant.order, axes=axes)

    def best(
        self,
        objective: str,
        chip: Accelerator,
        *,
        slack: float = 0.0,
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
        slack: float = 0.0,
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
        if objective == "latency_s" and (longest := longest_share(slack)) > 1:
            within = criteria["latency_s"] <= criteria["latency_s"].min() * longest
            rows, first = rows[within], "dram_bytes"
            criteria = {name: values[within] for name, values in criteria.items()}
        keys = [self.points.variant]
        keys += [self.points.tile[loop] for loop in reversed(LOOPS)]
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
            sum(chip.buffer_sizes_bytes),
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

    def curve(self) -> Any:
        """Return `least_traffic` as a DataFrame with columns buffer_bytes and dram_bytes."""
        from importlib import import_module  # pandas is not part of the model

        sizes, traffic = self.least_traffic()
        frame = import_module("pandas").DataFrame
        return frame({"buffer_bytes": sizes, "dram_bytes": traffic})


def _listed(bits: IntArray) -> str:
    return ", ".join(f"{-(-int(x) // 8):,}" for x in bits)


def table_of(
    layer: Layer, chip: Accelerator, points: Points, chunks: IntArray | None = None
) -> MappingTable:
    """Return the table of mappings that were found; chunks are those of a machine's schedule."""
    return MappingTable(
        layer=layer,
        chip=chip,
        footprint_bits=points.criteria[:, :-3],
        first_last_bits=np.ascontiguousarray(points.criteria[:, -3]),
        dram_bits=np.ascontiguousarray(points.criteria[:, -2]),
        compute_cycles=np.ascontiguousarray(points.criteria[:, -1]),
        points=points,
        variants=() if chunks is not None else variants(layer, chip),
        chunks=chunks,
    )
