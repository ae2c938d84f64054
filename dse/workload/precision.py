"""Bits of an element: whole numbers, fractions where a block shares a scale, formats by name."""

from fractions import Fraction
from math import ceil

LARGEST_BITS = 1024

FORMAT_BITS: dict[str, float] = {
    **dict.fromkeys(("fp64", "float64", "int64"), 64),
    **dict.fromkeys(("fp32", "float32", "tf32", "int32"), 32),
    **dict.fromkeys(("fp16", "float16", "bf16", "bfloat16", "int16"), 16),
    **dict.fromkeys(("fp8", "fp8_e4m3", "fp8_e5m2", "e4m3", "e5m2", "int8", "uint8"), 8),
    **dict.fromkeys(("float8_e4m3fn", "float8_e5m2"), 8),
    **dict.fromkeys(("fp6", "fp6_e2m3", "fp6_e3m2"), 6),
    **dict.fromkeys(("fp4", "fp4_e2m1", "nf4", "int4", "uint4"), 4),
    "mxfp8": 8.25,
    "mxint8": 8.25,
    "mxfp6": 6.25,
    "mxfp4": 4.25,
    "nvfp4": 4.5,
    "q8_0": 8.5,
    "q4_0": 4.5,
}
"""Bits of an element of each format, shared scales included.

mx: a scale of 8 bits for 32 elements (OCP Microscaling Formats v1.0, section 5); nvfp4: one of
8 bits for 16; q4_0 and q8_0: one of 16 bits for 32 (ggml-common.h). tf32 lies in memory as 32.
"""


def exact_bits(bits: float) -> Fraction:
    """Return bits of an element as the decimal number that they are written as."""
    return Fraction(bits) if isinstance(bits, int) else Fraction(str(bits))


def bits_of(elements: int, bits: float) -> int:
    """Return the bits that elements take together, rounded up to whole ones.

    >>> bits_of(3, 4.25)
    13
    """
    return elements * bits if isinstance(bits, int) else ceil(elements * exact_bits(bits))
