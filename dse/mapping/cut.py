"""A quick, lossless cut: points that some known mapping beats with room to spare."""

from collections.abc import Sequence

import numpy as np

from dse.arrays import BoolArray, FloatArray, IntArray

LEVELS = np.array([1.0, 1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6.5, 8, 11, 16, 64])
"""Multiples of the least cycles, for which tables of known mappings are kept apart."""

BINS = {1: 4096, 2: 192, 3: 40, 4: 20}
"""Bins of each size criterion, by the number of size criteria."""


class Cut:
    """The least known DRAM bits within each size and each number of cycles.

    Sizes are put in logarithmic bins. A known mapping counts from the bin above its own, so that
    it is strictly smaller than every point that it cuts.

    Parameters
    ----------
    sizes : each of shape (known,)
        Size criteria of known mappings: bits of each buffer, first and last bits.
    dram_bits, cycles : shape (known,)
        Their DRAM bits and compute cycles.
    least_cycles
        A lower bound on the cycles of every mapping.
    """

    def __init__(
        self,
        sizes: Sequence[IntArray],
        dram_bits: IntArray,
        cycles: IntArray,
        least_cycles: int,
    ) -> None:
        num_bins = BINS[len(sizes)]
        self.least_cycles = least_cycles
        self.low = [np.log2(max(int(column.min()), 1)) for column in sizes]
        high = [np.log2(max(int(column.max()), 2)) for column in sizes]
        self.scale = [
            (num_bins - 2) / max(top - low, 1e-9)
            for low, top in zip(self.low, high, strict=True)
        ]
        self.num_bins = num_bins
        shape = (len(LEVELS), *[num_bins] * len(sizes))
        self.table = np.full(shape, np.iinfo(np.int64).max)
        level = np.searchsorted(LEVELS, cycles / max(least_cycles, 1) * (1 - 1e-12))
        inside = level < len(LEVELS)
        place = (level[inside], *(b[inside] + 1 for b in self._bins(sizes)))
        place = tuple(np.minimum(p, n - 1) for p, n in zip(place, shape, strict=True))
        np.minimum.at(self.table, place, dram_bits[inside])
        for axis in range(self.table.ndim):
            np.minimum.accumulate(self.table, axis=axis, out=self.table)

    def _bins(self, sizes: Sequence[IntArray]) -> list[IntArray]:
        bins = []
        for column, low, scale in zip(sizes, self.low, self.scale, strict=True):
            place = (np.log2(np.maximum(column, 1)) - low) * scale
            bins.append(np.floor(place).astype(np.int64))
        return bins

    def keeps(
        self, sizes: Sequence[IntArray], dram_bits: IntArray, cycles: IntArray | None = None
    ) -> BoolArray:
        """Mark the points that no known mapping beats for sure.

        Parameters
        ----------
        sizes, dram_bits, cycles : shape (...)
            Lower bounds of the criteria of points; without cycles the least of all.
        """
        bins = self._bins(sizes)
        inside = np.ones(np.broadcast_shapes(*(place.shape for place in bins)), dtype=bool)
        for place in bins:
            inside &= place >= 0
        place = tuple(np.clip(p, 0, self.num_bins - 2) for p in bins)
        level: IntArray | int = 0
        if cycles is not None:
            ratio: FloatArray = cycles / max(self.least_cycles, 1) * (1 + 1e-12)
            level = np.searchsorted(LEVELS, ratio, side="right") - 1
        return ~inside | (self.table[(level, *place)] > dram_bits)
