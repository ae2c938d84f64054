"""Lower bounds on the DRAM traffic of a layer, whatever its mapping."""

import numpy as np

from dse.arrays import Numbers
from dse.hardware import Accelerator
from dse.mapping.nest.dram_bits import packed_share
from dse.mapping.nest.input_rows import SpatialAxis, real_pairs
from dse.mapping.nest.orders import compulsory_bits
from dse.workload import OPERANDS, Layer


def compulsory_bytes(layer: Layer, chip: Accelerator) -> float:
    """Return the DRAM bytes if every element that some MAC uses moved once. [bytes]."""
    return sum(compulsory_bits(layer, chip).values()) / 8


def lower_bound_bytes(layer: Layer, chip: Accelerator) -> float:
    """Return a lower bound on the DRAM bytes of any mapping. [bytes]."""
    return float(lower_bounds_bytes(layer, chip, sum(chip.buffer_sizes_bytes)))


def lower_bounds_bytes(layer: Layer, chip: Accelerator, buffer_bytes: Numbers) -> Numbers:
    """Return a lower bound on the DRAM bytes of any mapping for each size of buffer. [bytes].

    Parameters
    ----------
    layer, chip
        What is computed, on what; the buffers of the chip do not count.
    buffer_bytes
        Sizes of all buffers together. [bytes]

    Notes
    -----
    The larger of the compulsory bytes and, for a matrix product whose operands all use the DRAM,
    2MNK/sqrt(S) - 2S elements of the narrowest operand, S the buffer in such elements. Groups
    share the bound, as MNK counts the MACs of all. Source: Smith et al., arXiv 1702.02017.
    """
    least = compulsory_bytes(layer, chip)
    shares = [packed_share(layer, chip, x) for x in OPERANDS]
    if not _is_matrix_product(layer) or len(set(chip.dram.holds)) < 3 or not all(shares):
        return least
    own = min(layer.input_bits, layer.weight_bits, layer.output_bits, layer.psum_bits)
    bits = own * float(min(shares))
    on_chip = buffer_bytes * 8 / bits
    elements = 2 * layer.macs / np.sqrt(on_chip) - 2 * on_chip
    return np.asarray(np.maximum(least, elements * bits / 8))


def _is_matrix_product(layer: Layer) -> bool:
    if layer.fy != 1 or layer.fx != 1:
        return False
    axes = [SpatialAxis.of(layer, axis, whole_runs=False) for axis in "yx"]
    return all(real_pairs(axis) == axis.out for axis in axes)
