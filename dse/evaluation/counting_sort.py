"""Machines in the order in which look-ups take them: by bucket of ratios, then by room.

Each pass counts keys and deals machines out, so the time grows with their number alone.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.arrays import IntArray
from dse.compiling import allocating

DIGIT = 11
"""Bits of a room's size that are sorted by in one pass: as many counters as a cache holds."""


@allocating
def sorted_by_key(keys: IntArray, values: IntArray, starts: IntArray) -> IntArray:
    """Return values in the order of their keys, those of the same key as they were.

    Parameters
    ----------
    keys, values : shape (values,)
        Keys are whole numbers from 0.
    starts : shape (more than the largest key,)
        How many values have a smaller key.
    """
    place = starts.copy()
    result = np.empty_like(values)
    for index in range(len(values)):
        result[place[keys[index]]] = values[index]
        place[keys[index]] += 1
    return result


@allocating
def starts_of(keys: IntArray, num_keys: int) -> IntArray:
    """Return how many keys are smaller than each whole number from 0 to the number of keys."""
    starts = np.zeros(num_keys + 1, dtype=np.int64)
    for key in keys:
        starts[key + 1] += 1
    return np.cumsum(starts)


@allocating
def sorted_by_room(room_bits: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return machines in the order of their rooms, the room of each machine, and all rooms.

    Parameters
    ----------
    room_bits : shape (machines, buffers)
        Bits that tiles may take.

    Returns
    -------
    Machines, shape (machines,), in lexicographic order of their rooms; the place of each machine's
    room, shape (machines,), among the rooms, shape (rooms, buffers), which differ and ascend.
    """
    order = np.arange(len(room_bits))
    for buffer in range(room_bits.shape[1] - 1, -1, -1):
        bits = room_bits[:, buffer] - room_bits[:, buffer].min()
        most = bits.max()
        while most > 0:
            digits = bits & ((1 << DIGIT) - 1)
            order = sorted_by_key(digits[order], order, starts_of(digits, 1 << DIGIT))
            bits >>= DIGIT
            most >>= DIGIT
    is_other = np.zeros(len(order), dtype=np.int64)
    for buffer in range(room_bits.shape[1]):
        for place in range(1, len(order)):
            here, before = room_bits[order[place], buffer], room_bits[order[place - 1], buffer]
            is_other[place] |= here != before
    number = np.cumsum(is_other)
    room, first = np.empty_like(order), np.empty_like(order)
    for place in range(len(order) - 1, -1, -1):
        room[order[place]] = number[place]
        first[number[place]] = order[place]
    return order, room, room_bits[first[: number[-1] + 1]]


MOST_KEYS = 2**16
"""Keys that are counted; among more, machines are sorted by comparison."""


def alike(columns: Sequence[NDArray[Any]]) -> list[IntArray]:
    """Return the machines that are alike in all columns, as a list of ascending indices.

    Parameters
    ----------
    columns
        Arrays of shape (machines,); the first column turns slowest.
    """
    varied = [x for x in columns if x.strides != (0,) and (x[0] != x[-1] or x.min() != x.max())]
    if not varied:
        return [np.arange(len(columns[0]))]
    code, num_keys = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in varied:
        rank, num_values = _ranks(column)
        code, num_keys = code * num_values + rank, num_keys * num_values
    if num_keys > MOST_KEYS:
        order = np.argsort(code, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
    starts = starts_of(code, num_keys)
    order = sorted_by_key(code, np.arange(len(code)), starts)
    return [x for x in np.split(order, starts[1:-1]) if len(x)]


def _ranks(column: NDArray[Any]) -> tuple[IntArray, int]:
    """Return the rank of each value among the different ones, and their number."""
    low, span = column.min(), column.max() - column.min()
    if column.dtype.kind != "i" or span >= MOST_KEYS:
        distinct, rank = np.unique(column, return_inverse=True)
        return rank, len(distinct)
    offset, is_used = column - low, np.zeros(int(span) + 1, dtype=bool)
    is_used[offset] = True
    rank = np.cumsum(is_used) - 1
    return rank[offset], int(rank[-1]) + 1
