"""Layers and networks: what is computed."""

from dse.workload.input_size import LARGEST_BOUND
from dse.workload.layer import (
    LOOPS,
    MACLESS_OPS,
    NOT_OF_SHAPE,
    OPERAND_LOOPS,
    OPERANDS,
    Layer,
)
from dse.workload.network import Workload
from dse.workload.precision import FORMAT_BITS, LARGEST_BITS, bits_of, exact_bits

__all__ = [
    "FORMAT_BITS",
    "LARGEST_BITS",
    "LARGEST_BOUND",
    "LOOPS",
    "MACLESS_OPS",
    "NOT_OF_SHAPE",
    "OPERANDS",
    "OPERAND_LOOPS",
    "Layer",
    "Workload",
    "bits_of",
    "exact_bits",
]
