"""Bytes that lie on the chip whole as the DRAM does not carry them, counted element by element."""

from math import ceil

from dse.hardware import Accelerator
from dse.workload import Layer


def missing_bytes(layer: Layer, chip: Accelerator) -> float:
    """Return how many bytes of room a machine lacks for one layer alone; 0 or less if none."""
    batch, carried = layer.b * layer.g, chip.dram.holds
    elements = {
        "input": (batch * layer.c * layer.iy * layer.ix, layer.input_bits),
        "output": (batch * layer.k * layer.oy * layer.ox, layer.output_bits),
        "weight": (layer.g * layer.k * layer.c * layer.fy * layer.fx, layer.weight_bits),
    }
    kept = {x for x in elements if x not in carried}
    if kept == {"output"} or kept == {"output", "weight"}:
        kept.remove("output")
    need = sum(count * ceil(bits) for count, bits in (elements[x] for x in kept)) / 8
    buffers = zip(chip.buffers, chip.buffer_sizes_bytes, strict=True)
    room = sum(size for buffer, size in buffers if kept & set(buffer.holds))
    return need - room if kept else 0
