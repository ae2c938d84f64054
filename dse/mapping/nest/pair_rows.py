"""Rows of all tiles of one spatial axis, for pairs of tile sizes, compiled."""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np

from dse.arrays import IntArray
from dse.compiling import compiled, inlined
from dse.mapping.nest.input_rows import SpatialAxis, distinct_rows


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


@inlined
def _rows_of_runs(first: int, out_length: int, tap_length: int, stride: int, size: int) -> int:
    """Count the real rows of a tile without dilation: a run of rows for each output, or one.

    Runs apart from each other are cut by a border at most once at each end.
    """
    if tap_length >= stride or out_length == 1:
        last = first + (out_length - 1) * stride + tap_length - 1
        return max(min(last, size - 1) - max(first, 0) + 1, 0)
    low = max(-(first // stride), 0)  # the first run that starts on a real row
    high = min((size - tap_length - first) // stride, out_length - 1)  # the last that ends on one
    total = max(high - low + 1, 0) * tap_length
    before = low - 1
    if 0 <= before < out_length:
        start = first + before * stride
        total += max(min(start + tap_length, size) - max(start, 0), 0)
    after = max(high + 1, low)
    if 0 <= after < out_length:
        start = first + after * stride
        total += max(min(start + tap_length, size) - max(start, 0), 0)
    return total


@compiled
def _rows(
    outs: tuple[int, int],
    taps: tuple[int, int],
    axis: tuple[int, int, int, int, int, int],
    whole_runs: bool,
) -> int:
    """Count the distinct real rows of a tile: `real_rows`, in closed form where there is one.

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
    if dilation == 1:
        return _rows_of_runs(first, out_length, tap_length, stride, size)
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
def _rows_of_tap_tile(
    bounds: tuple[int, int],
    taps: tuple[int, int],
    axis: tuple[int, int, int, int, int, int],
    whole_runs: bool,
) -> tuple[int, int]:
    """Count the real rows of all output tiles with one filter tile, fetched again and kept.

    Tiles without padding are all alike: they are counted, the others are looked at one by one.

    Parameters
    ----------
    bounds
        Of the output loop, and its tile size.
    taps, axis, whole_runs
        See `_rows`.
    """
    out, length = bounds
    stride, dilation, pad, size = axis[:4]
    count, fetched, kept = -(-out // length), 0, 0
    begin = max(-(-(pad - taps[0] * dilation) // (length * stride)), 0)
    span = size - 1 + pad - (taps[0] + taps[1] - 1) * dilation
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
    return fetched, kept


@compiled
def _set_rows(
    bounds: tuple[int, int],
    axis: tuple[int, int, int, int, int, int],
    whole_runs: bool,
    sizes: IntArray,
    rows: IntArray,
) -> None:
    """Write the real rows of all tiles, halos fetched again and kept, for pairs of tile sizes.

    Where there is no padding at all, all whole filter tiles are alike and counted once.

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
    is_bare = pad == 0 and (out - 1) * stride + (num_taps - 1) * dilation < size
    for pair in range(len(sizes)):
        length, tap_size = sizes[pair]
        rows[pair, 0], rows[pair, 1], start = 0, 0, 0
        while start < num_taps:
            times = num_taps // tap_size if is_bare and start == 0 else 1
            taps = start, min(tap_size, num_taps - start)
            fetched, kept = _rows_of_tap_tile((out, length), taps, axis, whole_runs)
            rows[pair, 0] += times * fetched
            rows[pair, 1] += times * kept
            start += times * tap_size


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
