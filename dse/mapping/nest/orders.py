"""Orders of the tile loops, and the DRAM traffic of tiles under each.

It is enough to choose the operand that is stationary: the loops that it does not depend on run
innermost. With halos kept, also which of oy and ox is innermost of the input's own loops.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, prod

import numpy as np

from dse.arrays import IntArray
from dse.hardware import Accelerator
from dse.mapping.nest.dram_bits import added_bits, end_bits, packed_bits, weights_fetched
from dse.mapping.nest.input_rows import SpatialAxis, needed_rows
from dse.workload import LOOPS, OPERAND_LOOPS, OPERANDS, Layer

IRRELEVANT = {x: frozenset(LOOPS) - OPERAND_LOOPS[x] for x in OPERANDS}
"""The loops that each operand does not depend on: k; b oy ox; c fy fx."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A loop order that can be best.

    Attributes
    ----------
    stationary
        The operand whose irrelevant loops run innermost.
    halo_axis
        The axis, "y" or "x", along which an input tile keeps its halo; "" for none.
    uncut
        Loops that must have one tile for the machine to allow the order.
    given
        The tile loops, outermost first, where they are given; no operand need be stationary then.
    """

    stationary: str
    halo_axis: str
    uncut: frozenset[str]
    given: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """The tile loops, outermost first."""
        if self.given:
            return self.given
        spatial = ("ox", "oy") if self.halo_axis == "y" else ("oy", "ox")
        parts = {
            "input": ("b", "c", "fy", "fx", *spatial, "k"),
            "weight": ("k", "c", "fy", "fx", "b", *spatial),
            "output": ("b", *spatial, "k", "c", "fy", "fx"),
        }
        return ("g", *parts[self.stationary])


def variants(layer: Layer, chip: Accelerator) -> tuple[Variant, ...]:
    """Return the orders that can be best for a layer on a machine, in tie order."""
    if chip.constraints.order:
        return (Variant("", "", frozenset(), chip.constraints.order),)
    most = dict(chip.constraints.max_tile)
    halos = tuple(axis for axis in "yx" if chip.halo_is_kept and layer.bounds[f"f{axis}"] > 1)
    found = []
    for stationary in OPERANDS:
        for halo_axis in halos if halos and stationary != "output" else ("",):
            if stationary in chip.stationarity:
                found.append(Variant(stationary, halo_axis, frozenset()))
                continue
            found += [Variant(stationary, halo_axis, IRRELEVANT[x]) for x in _ordered(chip)]
    whole = {loop for loop, bound in layer.bounds.items() if most.get(loop, bound) >= bound}
    return tuple(one for one in found if one.uncut <= whole)


def _ordered(chip: Accelerator) -> list[str]:
    return [operand for operand in OPERANDS if operand in chip.stationarity]


class TrafficModel:
    """Footprints and DRAM traffic of one layer, for arrays of tile sizes.

    Parameters
    ----------
    layer, chip
        What is computed, on what; of the chip only its buffers, rules and what the DRAM carries.
    """

    def __init__(self, layer: Layer, chip: Accelerator) -> None:
        bounds = layer.bounds
        self.layer, self.chip = layer, chip
        self.bits = {
            "input": layer.input_bits,
            "weight": layer.weight_bits,
            "output": layer.output_bits,
        }
        self.psum_bits = layer.psum_bits
        self.holds = tuple(buffer.holds for buffer in chip.buffers)
        self.planes = prod(bounds[loop] for loop in ("b", "g", "c"))
        self.weights = weights_fetched(layer, chip)
        self.outputs = prod(bounds[loop] for loop in OPERAND_LOOPS["output"])

    def traffic(self) -> IntArray:
        """Return what the DRAM traffic adds up, shape (4,).

        DRAM bits of inputs for each row that is fetched (rounded up to whole bits where they are
        compressed), of weights, of outputs with what is added to them, and those of partial sums,
        written and read once.
        """
        layer, chip = self.layer, self.chip
        sums = int("output" in chip.dram.holds) * self.outputs * 2 * self.psum_bits
        packed = (
            packed_bits(layer, chip, "input", self.planes),
            packed_bits(layer, chip, "weight", self.weights),
            packed_bits(layer, chip, "output", self.outputs) + added_bits(layer, chip),
        )
        return np.array([*packed, sums])

    def ends(self) -> IntArray:
        """Return the DRAM bits of an element of each operand, rounded up, shape (3,)."""
        return np.array([end_bits(self.layer, self.chip, x) for x in OPERANDS])

    def on_chip(self) -> IntArray:
        """Return the bits of an element of each operand in each buffer, shape (buffers, 3).

        Tiles of an input that is on the chip as a whole take no room of their own.
        """
        bits = {**{x: ceil(each) for x, each in self.bits.items()}, "output": self.psum_bits}
        layer = self.layer
        if 0 < layer.read_elements == layer.held_elements + layer.fetched_elements:
            bits["input"] = 0
        return np.array([[int(x in held) * bits[x] for x in OPERANDS] for held in self.holds])

    def tile_elements(self, size: Mapping[str, IntArray]) -> dict[str, IntArray]:
        """Return the elements of the nominal tile of each operand, by operand."""
        return {
            "input": size["t_b"]
            * size["t_g"]
            * size["t_c"]
            * (size["distinct_y"] * size["distinct_x"]),
            "weight": size["t_g"] * size["t_k"] * size["t_c"] * (size["t_fy"] * size["t_fx"]),
            "output": size["t_b"] * size["t_g"] * size["t_k"] * (size["t_oy"] * size["t_ox"]),
        }

    def footprint_bits(self, elements: Mapping[str, IntArray]) -> list[IntArray]:
        """Return the bits that tiles take in each buffer; on chip an output takes psum_bits."""
        return [_weighted(elements, each) for each in self.on_chip()]

    def first_last_bits(self, elements: Mapping[str, IntArray]) -> IntArray:
        """Return the bits of the nominal input and weight tiles and of the output tile."""
        return _weighted(elements, self.ends())


def _weighted(elements: Mapping[str, IntArray], bits: IntArray) -> IntArray:
    """Return the bits of elements of all operands, `bits` of shape (3,) to each."""
    each = zip(OPERANDS, bits, strict=True)
    return sum((elements[x] * count for x, count in each), start=elements["input"] * 0)


def compulsory_bits(layer: Layer, chip: Accelerator) -> dict[str, int]:
    """Return the DRAM bits of each operand if each element moved once, by operand."""
    rows = [needed_rows(SpatialAxis.of(layer, axis, whole_runs=False)) for axis in "yx"]
    outputs = layer.b * layer.g * layer.k * layer.oy * layer.ox
    planes = packed_bits(layer, chip, "input", layer.b * layer.g * layer.c)
    return {
        "input": rows[0] * rows[1] * planes + added_bits(layer, chip),
        "weight": packed_bits(layer, chip, "weight", layer.weight_elements),
        "output": packed_bits(layer, chip, "output", outputs),
    }
