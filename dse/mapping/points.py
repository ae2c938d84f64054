"""Mappings as arrays: what each costs, and what each is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dse.arrays import Int32Array, IntArray
from dse.workload import LOOPS


class Criteria(NamedTuple):
    """What decides between mappings, on any machine with the array; rows are mappings.

    Attributes
    ----------
    footprint_bits : shape (rows, buffers)
        Bits taken in each buffer. [bits]
    first_last_bits : shape (rows,)
        Nominal first fetch and last write. [bits]
    dram_bits : shape (rows,)
        DRAM traffic. [bits]
    compute_cycles : shape (rows,)
        Cycles of the array, with fill.
    """

    footprint_bits: IntArray
    first_last_bits: IntArray
    dram_bits: IntArray
    compute_cycles: IntArray

    @classmethod
    def of_columns(cls, columns: IntArray) -> "Criteria":
        """Return the criteria of rows: bits in each buffer, first and last, DRAM bits, cycles."""
        return cls(
            np.ascontiguousarray(columns[:, :-3]),
            *(np.ascontiguousarray(columns[:, place]) for place in (-3, -2, -1)),
        )

    @classmethod
    def of_one(cls, buffers: int, dram_bits: int, cycles: int) -> "Criteria":
        """Return the criteria of one mapping that takes no room in so many buffers."""
        return cls.of_columns(np.array([[0] * buffers + [0, dram_bits, cycles]]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Mappings of a layer on an array, sorted by their criteria.

    Attributes
    ----------
    criteria
        Their costs.
    tiles : shape (loops, rows)
        Tile sizes. [elements]
    variant : shape (rows,)
        Index of the loop order.
    chunks : shape (rows,)
        Chunks of the operand that a machine's own schedule keeps; None where the mapper chooses.
    """

    criteria: Criteria
    tiles: Int32Array
    variant: IntArray
    chunks: IntArray | None = None

    def __len__(self) -> int:
        return len(self.variant)

    def rows(self, index: IntArray) -> "Points":
        """Return some of the mappings, in the order of their indices."""
        return Points(
            criteria=Criteria(*(criterion[index] for criterion in self.criteria)),
            tiles=self.tiles[:, index],
            variant=self.variant[index],
            chunks=None if self.chunks is None else self.chunks[index],
        )

    @property
    def tile(self) -> Mapping[str, Int32Array]:
        """Tile sizes by loop, shape (rows,). [elements]."""
        return dict(zip(LOOPS, self.tiles, strict=True))

    @property
    def num_bytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (*self.criteria, self.tiles, self.variant)
        own = sum(int(array.nbytes) for array in arrays)
        return own if self.chunks is None else own + int(self.chunks.nbytes)
