"""Rows of the input that tiles of one spatial axis need, real and distinct, in closed form.

Written for y; x is the same. A tile covers ``out_length`` output rows and ``tap_length`` filter
rows; it needs the rows {o*stride + f*dilation - pad}, of which those in 0..size-1 are real.
"""

from dataclasses import dataclass, replace
from math import gcd

import numpy as np

from dse.arrays import IntArray
from dse.workload import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialAxis:
    """The geometry of one spatial axis of a layer.

    Attributes
    ----------
    out, taps
        Bounds of the output loop and the filter loop. [elements]
    size
        Real (unpadded) input size. [elements]
    whole_runs
        Whether all rows from the first to the last needed one are fetched.
    """

    out: int
    taps: int
    stride: int
    dilation: int
    pad: int
    size: int
    whole_runs: bool

    @staticmethod
    def of(layer: Layer, axis: str, *, whole_runs: bool) -> "SpatialAxis":
        """Return the geometry of axis "y" or "x" of a layer."""
        return SpatialAxis(
            out=getattr(layer, f"o{axis}"),
            taps=getattr(layer, f"f{axis}"),
            stride=getattr(layer, f"stride_{axis}"),
            dilation=getattr(layer, f"dilation_{axis}"),
            pad=getattr(layer, f"pad_{axis}"),
            size=getattr(layer, f"i{axis}"),
            whole_runs=whole_runs,
        )


def distinct_rows(axis: SpatialAxis, out_length: IntArray, tap_length: IntArray) -> IntArray:
    """Count the distinct rows of a tile, those on padding included.

    Parameters
    ----------
    out_length, tap_length : shape (...), broadcast together
        Tile sizes of the output loop and the filter loop, at least 1. [elements]

    Returns
    -------
    shape (...)
        Rows. [elements]

    Notes
    -----
    With stride and dilation divided by their greatest common divisor, row (o, f) is row
    (o + dilation, f - stride); counting each row at its least f gives the closed form.
    """
    if axis.whole_runs:
        return (out_length - 1) * axis.stride + (tap_length - 1) * axis.dilation + 1
    divisor = gcd(axis.stride, axis.dilation)
    stride, dilation = axis.stride // divisor, axis.dilation // divisor
    fresh = np.minimum(tap_length, stride) * out_length
    return fresh + np.maximum(tap_length - stride, 0) * np.minimum(out_length, dilation)


def real_rows(
    axis: SpatialAxis, out_start: IntArray, out_length: IntArray, tap_start: int, tap_length: int
) -> IntArray:
    """Count the distinct real rows of tiles that start at (out_start, tap_start).

    Parameters
    ----------
    out_start, out_length : shape (tiles,)
        First output row and number of output rows. [elements]
    tap_start, tap_length
        First filter row and number of filter rows, the same for all tiles. [elements]

    Returns
    -------
    shape (tiles,)
        Rows. [elements]
    """
    if axis.whole_runs:
        first = out_start * axis.stride + tap_start * axis.dilation - axis.pad
        last = first + (out_length - 1) * axis.stride + (tap_length - 1) * axis.dilation
        return np.maximum(np.minimum(last, axis.size - 1) - np.maximum(first, 0) + 1, 0)
    divisor = gcd(axis.stride, axis.dilation)
    fresh_taps, shift = axis.stride // divisor, axis.dilation // divisor
    total = np.zeros_like(out_start)
    for tap in range(tap_length):
        offset = axis.pad - axis.dilation * (tap_start + tap)
        least = -(-offset // axis.stride) - out_start  # the first output whose row is real
        most = (axis.size - 1 + offset) // axis.stride - out_start
        if tap >= fresh_taps:  # the rows of all earlier outputs were counted at a lesser tap
            least = np.maximum(least, out_length - shift)
        total += np.maximum(np.minimum(most, out_length - 1) - np.maximum(least, 0) + 1, 0)
    return total


def needed_rows(axis: SpatialAxis) -> int:
    """Count the distinct real rows that some MAC reads."""
    exact = replace(axis, whole_runs=False)
    return int(real_rows(exact, np.array([0]), np.array([axis.out]), 0, axis.taps)[0])


def real_pairs(axis: SpatialAxis) -> int:
    """Count the (output, filter) pairs of rows whose input row is real."""
    offset = axis.pad - axis.dilation * np.arange(axis.taps)
    least = np.maximum(-(-offset // axis.stride), 0)
    most = np.minimum((axis.size - 1 + offset) // axis.stride, axis.out - 1)
    return int(np.maximum(most - least + 1, 0).sum())
