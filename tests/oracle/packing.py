"""Bits of elements in the DRAM, plain or compressed, as dse/docs/assumptions.md says."""

from fractions import Fraction
from math import ceil, prod

from dse.hardware import Accelerator
from dse.workload import Layer


def bits_of(layer: Layer, kind: str) -> int:
    """Bits of an element of a kind of traffic."""
    return int(getattr(layer, "psum_bits" if kind.startswith("psum") else f"{kind}_bits"))


def share(layer: Layer, chip: Accelerator, kind: str) -> Fraction:
    """Return the bits in the DRAM over the own bits of an operand; partial sums are plain."""
    left = Fraction(1)
    # windows are walked in tests/mapping/test_fused_pooling.py
    if kind == "output" and layer.pooled_elements:
        left = Fraction(layer.pooled_elements, layer.b * layer.g * layer.k * layer.oy * layer.ox)
    ratio = dict(chip.dram.compression).get(kind)
    if ratio is None:
        return left
    kept = 1 - Fraction(str(getattr(layer, f"{kind}_zeros")))
    return left * min(Fraction(1), kept * Fraction(str(ratio)))


def packed(layer: Layer, chip: Accelerator, kind: str, count: int) -> int:
    """Bits of elements in the DRAM: an input's whole depth at each position is rounded up."""
    if kind == "weight":
        own = {loop: getattr(layer, loop) for loop in ("g", "k", "c", "fy", "fx")}
        times, rest = divmod(count, prod(own.values()))
        assert rest == 0
        for granule in chip.weight_granules:
            bound = prod(own.pop(loop) for loop in granule.loops)
            size = chip.number(granule.size, "granule")
            own[str(granule.loops)] = next(n for n in range(bound, bound + size) if n % size == 0)
        return times * prod(own.values()) * layer.weight_bits
    at_once = layer.b * layer.g * layer.c if kind == "input" else max(count, 1)
    assert count % at_once == 0
    bits = at_once * bits_of(layer, kind) * share(layer, chip, kind)
    return count // at_once * ceil(bits)
