"""Bits that elements take in the DRAM: pooled and compressed where the machine does that."""

from dataclasses import replace
from fractions import Fraction
from math import ceil, prod

from dse.hardware import Accelerator
from dse.workload import Layer, bits_of, exact_bits

WHOLE = Fraction(1)


def packed_share(layer: Layer, chip: Accelerator, operand: str) -> Fraction:
    """Return the bits that an operand takes in the DRAM over its own, at most 1.

    Notes
    -----
    (1 - zeros) * compression, by run lengths: Chen et al., IEEE JSSC 52(1) 2017 (64/48 there).
    Whatever would grow is not compressed [assume]. Of an output that is pooled before it is
    written the elements that pooling leaves move, and none if it stays on the chip. Of an input
    those move that are neither on the chip nor in a tensor that is fetched once and stays.
    """
    left = WHOLE
    if operand == "output" and layer.output_is_held:
        return Fraction(0)
    if operand == "output" and layer.pooled_elements:
        left = Fraction(layer.pooled_elements, layer.map_elements)
    if operand == "input" and (stays := layer.held_elements + layer.fetched_elements):
        left = 1 - Fraction(stays, layer.read_elements)
    zeros = {"input": layer.input_zeros, "output": layer.output_zeros}.get(operand, 0.0)
    return left * _compressed(chip, operand, zeros)


def _compressed(chip: Accelerator, operand: str, zeros: float) -> Fraction:
    """Return the bits of an operand with such a share of zeros over its own."""
    ratio = dict(chip.dram.compression).get(operand)
    if ratio is None:
        return WHOLE
    return min(WHOLE, (1 - Fraction(str(zeros))) * Fraction(str(ratio)))


def weights_fetched(layer: Layer, chip: Accelerator) -> int:
    """Return the elements that move when all weights do once, filled up to whole granules."""
    bounds = {loop: layer.bounds[loop] for loop in ("g", "k", "c", "fy", "fx")}
    total = 1
    for loops, size in chip.granules:
        total *= -(-prod(bounds.pop(loop) for loop in loops) // size) * size
    return total * prod(bounds.values())


def packed_bits(layer: Layer, chip: Accelerator, operand: str, elements: int) -> int:
    """Return the bits that elements of an operand take in the DRAM, rounded up. [bits].

    An operand that the DRAM does not carry takes none.
    """
    if operand not in chip.dram.holds:
        return 0
    bits = {"input": layer.input_bits, "weight": layer.weight_bits, "output": layer.output_bits}
    share = packed_share(layer, chip, operand)
    if share == WHOLE:
        return bits_of(elements, bits[operand])
    return ceil(elements * exact_bits(bits[operand]) * share)


def added_bits(layer: Layer, chip: Accelerator) -> int:
    """Return the DRAM bits of inputs that cross once whatever the mapping. [bits].

    Further inputs that are added as outputs leave, and tensors that are fetched and then stay.
    """
    if "input" not in chip.dram.holds:
        return 0
    whole = (layer.added_elements - layer.held_added_elements) * exact_bits(layer.output_bits)
    added = ceil(whole * _compressed(chip, "input", layer.added_zeros))
    return added + ceil(layer.fetched_bits * _compressed(chip, "input", layer.input_zeros))


def end_bits(layer: Layer, chip: Accelerator, operand: str) -> int:
    """Return the DRAM bits of an element of an operand's first or last tile, rounded up. [bits].

    Of a tensor that is fetched once the tile that is needed first crosses first.
    """
    if operand == "input" and layer.fetched_elements:
        layer = replace(layer, fetched_elements=0)
    return packed_bits(layer, chip, operand, 1)
