"""Layers and networks: what is computed."""

from dse.workload.layer import (
    LARGEST_BITS,
    LARGEST_BOUND,
    LOOPS,
    MACLESS_OPS,
    NOT_OF_SHAPE,
    OPERAND_LOOPS,
    OPERANDS,
    Layer,
)
from dse.workload.network import Workload

__all__ = [
    "LARGEST_BITS",
    "LARGEST_BOUND",
    "LOOPS",
    "MACLESS_OPS",
    "NOT_OF_SHAPE",
    "OPERANDS",
    "OPERAND_LOOPS",
    "Layer",
    "Workload",
]
