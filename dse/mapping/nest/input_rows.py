"""Rows of the input that tiles of one spatial axis need, real and distinct, in closed form.

Written for y; x is the same. A tile covers ``out_length`` output rows and ``tap_length`` filter
rows; it needs the rows {o*stride + f*dilation - pad}, of which those in 0..size-1 are real.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import gcd

import numpy as np

from dse.arrays import IntArray
from dse.compiling import compiled, inlined
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSizes:
    """Pairs of tile sizes of one spatial axis, all arrays of shape (pairs,). [elements].

    Attributes
    ----------
    out, taps
        Tile sizes of the output loop and the filter loop.
    num_out, num_taps
        Numbers of their tiles.
    distinct
        Rows of the nominal tile, those on padding included.
    fetched
        Real rows of all tiles together, halos fetched again.
    kept
        The same where an output tile keeps what its predecessor held.
    """

    out: IntArray
    taps: IntArray
    num_out: IntArray
    num_taps: IntArray
    distinct: IntArray
    fetched: IntArray
    kept: IntArray


@inlined
def _distinct(
    out_length: int, tap_length: int, stride: int, dilation: int, whole_runs: bool
) -> int:
    """Count the distinct rows of a tile: `distinct_rows`, by divided stride and dilation."""
    if whole_runs:
        return (out_length - 1) * stride + (tap_length - 1) * dilation + 1
    fresh = min(tap_length, stride) * out_length
    return fresh + max(tap_length - stride, 0) * min(out_length, dilation)


@compiled
def _rows(
    outs: tuple[int, int],
    taps: tuple[int, int],
    axis: tuple[int, int, int, int, int, int],
    whole_runs: bool,
) -> int:
    """Count the distinct real rows of a tile: `real_rows`, in closed form without padding.

    Parameters
    ----------
    outs, taps
        First output row and their number; first filter row and their number.
    axis
        Stride, dilation, padding, real size; stride and dilation over their common divisor.
    whole_runs
        See `SpatialAxis`.
    """
    out_start, out_length = outs
    tap_start, tap_length = taps
    stride, dilation, pad, size, fresh_taps, shift = axis
    first = out_start * stride + tap_start * dilation - pad
    last = first + (out_length - 1) * stride + (tap_length - 1) * dilation
    if whole_runs:
        return max(min(last, size - 1) - max(first, 0) + 1, 0)
    if first >= 0 and last < size:
        return _distinct(out_length, tap_length, fresh_taps, shift, False)
    total = 0
    for tap in range(tap_length):
        offset = pad - dilation * (tap_start + tap)
        least = -(-offset // stride) - out_start  # the first output whose row is real
        most = (size - 1 + offset) // stride - out_start
        if tap >= fresh_taps:  # the rows of all earlier outputs were counted at a lesser tap
            least = max(least, out_length - shift)
        total += max(min(most, out_length - 1) - max(least, 0) + 1, 0)
    return total


@compiled
def _fresh_rows(
    outs: tuple[int, int],
    before: int,
    taps: tuple[int, int],
    axis: tuple[int, int, int, int, int, int],
    whole_runs: bool,
) -> int:
    """Count the rows of a tile that the tile of ``before`` outputs just ahead does not hold."""
    start, length = outs
    alone = _rows(outs, taps, axis, whole_runs)
    if before == 0:
        return alone
    if whole_runs:
        stride, dilation, pad, size = axis[:4]
        first = start * stride + taps[0] * dilation - pad
        last = first - stride + (taps[1] - 1) * dilation
        return alone - max(min(last, size - 1) - max(first, 0) + 1, 0)
    ahead = _rows((start - before, before), taps, axis, whole_runs)
    return _rows((start - before, length + before), taps, axis, whole_runs) - ahead


@compiled
def _set_rows(
    bounds: tuple[int, int],
    axis: tuple[int, int, int, int, int, int],
    whole_runs: bool,
    sizes: IntArray,
    rows: IntArray,
) -> None:
    """Write the real rows of all tiles, halos fetched again and kept, for pairs of tile sizes.

    Tiles without padding are all alike: they are counted, the others are looked at one by one.

    Parameters
    ----------
    bounds
        Of the output loop and of the filter loop.
    axis, whole_runs
        See `_rows`.
    sizes, rows : shape (pairs, 2)
        Tile sizes of the output loop and the filter loop; rows fetched and kept.
    """
    out, num_taps = bounds
    stride, dilation, pad, size = axis[:4]
    for pair in range(len(sizes)):
        length, tap_size = sizes[pair]
        count = -(-out // length)
        fetched, kept = 0, 0
        for tap_start in range(0, num_taps, tap_size):
            taps = tap_start, min(tap_size, num_taps - tap_start)
            ahead = pad - tap_start * dilation
            begin = max(-(-ahead // (length * stride)), 0)
            span = size - 1 + pad - (tap_start + taps[1] - 1) * dilation
            end = min((span // stride - length + 1) // length + 1, out // length)
            begin, end = min(begin, count), max(end, 0)
            if end - begin > 1:  # all but the first of the tiles without padding
                alike = (begin + 1) * length, length
                fetched += (end - begin - 1) * _rows(alike, taps, axis, whole_runs)
                kept += (end - begin - 1) * _fresh_rows(alike, length, taps, axis, whole_runs)
            tile = 0
            while tile < count:
                if tile == begin + 1 and end > tile:
                    tile = end
                    continue
                outs = tile * length, min(length, out - tile * length)
                fetched += _rows(outs, taps, axis, whole_runs)
                kept += _fresh_rows(outs, length if tile else 0, taps, axis, whole_runs)
                tile += 1
        rows[pair, 0], rows[pair, 1] = fetched, kept


def pair_sizes(axis: SpatialAxis, out: IntArray, taps: IntArray) -> PairSizes:
    """Return pairs of tile sizes of the output loop and the filter loop, shape (pairs,) each."""
    rows, divisor = np.empty((len(out), 2), dtype=np.int64), gcd(axis.stride, axis.dilation)
    _set_rows(
        (axis.out, axis.taps),
        (
            axis.stride,
            axis.dilation,
            axis.pad,
            axis.size,
            axis.stride // divisor,
            axis.dilation // divisor,
        ),
        axis.whole_runs,
        np.stack([out, taps], axis=1),
        rows,
    )
    return PairSizes(
        out=out,
        taps=taps,
        num_out=-(-axis.out // out),
        num_taps=-(-axis.taps // taps),
        distinct=distinct_rows(axis, out, taps),
        fetched=rows[:, 0].copy(),
        kept=rows[:, 1].copy(),
    )


@lru_cache(maxsize=4096)
def pair_size(axis: SpatialAxis, out: int, taps: int) -> PairSizes:
    """Return one pair of tile sizes, as arrays of shape (1,)."""
    return pair_sizes(axis, np.array([out]), np.array([taps]))


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
