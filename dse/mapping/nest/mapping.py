"""One mapping of one layer, with its costs: what a stranger needs to replay it."""

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from dse.errors import DseError
from dse.hardware import Accelerator, Unrolling
from dse.mapping.nest.assignments import assignment, bounds_of_sets
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.dram_bits import added_bits
from dse.mapping.nest.input_rows import SpatialAxis
from dse.mapping.nest.orders import IRRELEVANT, TrafficModel
from dse.mapping.nest.pair_rows import pair_size
from dse.workload import LOOPS, OPERAND_LOOPS, OPERANDS, Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A tiling, an order of the tile loops and an assignment of axes, with their costs.

    Attributes
    ----------
    tile
        Tile size by loop. [elements]
    order
        The tile loops, outermost first; a loop with one tile does not count.
    axes
        The loops that each axis of the array unrolls; () for an unused axis.
    axis_sizes
        MACs along each axis.
    stationary
        The operand that stays in place while the innermost loops run.
    dram_bits_by_operand
        ``input``, ``weight`` and ``output`` moved once or more, ``psum_write`` and ``psum_read``
        partial sums; of operands that the DRAM carries. [bits]
    footprint_bits
        Bits taken in each buffer. [bits]
    compute_cycles, ideal_cycles, array_steps
        Cycles with fill; MACs over the array's size; cycles without fill.
    first_last_bits
        Bits of the nominal input and weight tiles and of the nominal output tile. [bits]
    """

    tile: Dictionary[str, int]
    order: tuple[str, ...]
    axes: tuple[Unrolling, ...]
    axis_sizes: tuple[int, ...]
    stationary: str
    dram_bits_by_operand: Dictionary[str, int]
    footprint_bits: tuple[int, ...]
    compute_cycles: int
    ideal_cycles: float
    array_steps: int
    first_last_bits: int

    @property
    def unrolled(self) -> dict[str | Unrolling, int]:
        """MACs by what they unroll: a loop, or the loops of a flattened axis."""
        found: dict[str | Unrolling, int] = {}
        for loops, size in zip(self.axes, self.axis_sizes, strict=True):
            if loops:
                key = loops[0] if len(loops) == 1 else loops
                found[key] = found.get(key, 1) * size
        return found

    @property
    def dram_bits(self) -> int:
        """DRAM bits read and written. [bits]."""
        return sum(self.dram_bits_by_operand.values())

    @property
    def dram_bytes(self) -> dict[str, float]:
        """DRAM bytes by operand; partial sums apart. [bytes]."""
        return {operand: bits / 8 for operand, bits in self.dram_bits_by_operand.items()}

    @property
    def footprint_bytes(self) -> float:
        """Bytes taken in all buffers together. [bytes]."""
        return sum(self.footprint_bits) / 8


def evaluate_mapping(
    layer: Layer,
    chip: Accelerator,
    *,
    tile: Dictionary[str, int],
    order: Sequence[str],
    axes: Sequence[Unrolling],
) -> Mapping:
    """Cost a given mapping in closed form, whatever the order of its loops.

    Parameters
    ----------
    layer, chip
        What is computed, on what.
    tile
        Size of every loop, 1 to its bound. [elements]
    order
        The eight loops, outermost first.
    axes
        The loops that each axis unrolls; () for an unused axis.

    Raises
    ------
    DseError
        If a size, the order or the axes are not possible.
    """
    counter, model = CycleCounter(layer, chip), TrafficModel(layer, chip)
    _check(layer, tile, order)
    one = assignment([tuple(loops) for loops in axes], chip.axis_sizes, bounds_of_sets(layer, chip))
    if one is None:
        raise DseError(
            f"layer {layer.name!r}: a loop of a flattened axis must be on no other, got {axes}"
        )
    size = {f"t_{loop}": np.array([tile[loop]]) for loop in LOOPS}
    count = {loop: -(-layer.bounds[loop] // tile[loop]) for loop in LOOPS}
    rows = _rows(layer, chip, tile, order, count)
    elements = model.tile_elements(size | {f"distinct_{a}": np.array([rows[a][0]]) for a in "yx"})
    passes = {operand: _passes(operand, order, count) for operand in OPERANDS}
    sizes = {loop: np.array([tile[loop]]) for loop in LOOPS}
    return Mapping(
        tile=dict(tile),
        order=tuple(order),
        axes=one.axes,
        axis_sizes=chip.axis_sizes,
        stationary=_stationary(chip, order, count),
        dram_bits_by_operand=_bits(model, rows["y"][1] * rows["x"][1], passes),
        footprint_bits=tuple(int(bits[0]) for bits in model.footprint_bits(elements)),
        compute_cycles=int(counter.cycles(one, sizes)[0]),
        ideal_cycles=counter.ideal_cycles(one),
        array_steps=int(counter.steps(one, sizes)[0]),
        first_last_bits=int(model.first_last_bits(elements)[0]),
    )


def _check(layer: Layer, tile: Dictionary[str, int], order: Sequence[str]) -> None:
    if sorted(order) != sorted(LOOPS) or set(tile) != set(LOOPS):
        raise DseError(
            f"layer {layer.name!r}: order and tile must name each of {' '.join(LOOPS)} once, "
            f"got {list(order)} and {sorted(tile)}"
        )
    for loop, bound in layer.bounds.items():
        if not 1 <= tile[loop] <= bound:
            raise DseError(
                f"layer {layer.name!r}: tile.{loop} must be from 1 to {bound}, got {tile[loop]}"
            )


def _rows(
    layer: Layer,
    chip: Accelerator,
    tile: Dictionary[str, int],
    order: Sequence[str],
    count: Dictionary[str, int],
) -> dict[str, tuple[int, int]]:
    """Return the rows of the nominal tile and those of all tiles, for each spatial axis."""
    own = [x for x in order if x in OPERAND_LOOPS["input"] and count[x] > 1]
    innermost = own[-1] if own and chip.halo_is_kept else ""
    rows = {}
    for axis in "yx":
        spatial = SpatialAxis.of(layer, axis, whole_runs=chip.partial_rows_are_fetched)
        out, taps = tile[f"o{axis}"], tile[f"f{axis}"]
        pair = pair_size(spatial, out, taps)
        fetched = pair.kept if innermost == f"o{axis}" else pair.fetched
        rows[axis] = int(pair.distinct[0]), int(fetched[0])
    return rows


def _passes(operand: str, order: Sequence[str], count: Dictionary[str, int]) -> int:
    """Count how often an operand moves: once for each tile of foreign loops outside its own."""
    own = [place for place, x in enumerate(order) if x not in IRRELEVANT[operand] and count[x] > 1]
    outside = order[: own[-1]] if own else ()
    return prod(count[x] for x in outside if x in IRRELEVANT[operand])


def _stationary(chip: Accelerator, order: Sequence[str], count: Dictionary[str, int]) -> str:
    """Return the first operand, of those that the chip allows first, that stays in place."""
    for operand in (*(x for x in OPERANDS if x in chip.stationarity), *OPERANDS):
        cut = [x in IRRELEVANT[operand] for x in order if count[x] > 1]
        if cut == sorted(cut):
            return operand
    return "none"


def _bits(model: TrafficModel, rows: int, passes: Dictionary[str, int]) -> dict[str, int]:
    inputs, weights, outputs, sums = (int(bits) for bits in model.traffic())
    spills = sums * (passes["output"] - 1) // 2
    added = added_bits(model.layer, model.chip)
    return {
        "input": inputs * rows * passes["input"] + added,
        "weight": weights * passes["weight"],
        "output": outputs - added,
        "psum_write": spills,
        "psum_read": spills,
    }
