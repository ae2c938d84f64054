"""The best mapping of a layer for many machines, compiled: look-ups in its table, none missed.

All compiled code of the cost model is in this file: Numba's cache notices changes of a function's
own file only.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from dse.arrays import FloatArray, IntArray

DOUBLE_BUFFERED, SERIAL = 1, 2
"""Places in `dse.hardware.TRANSFERS`."""
LATENCY, TRAFFIC, DELAY_PRODUCT = 0, 1, 3
"""Places in `dse.mapping.table.OBJECTIVES`."""
ENDS, DRAM, CYCLES, LEAST_ENDS, LEAST_CYCLES = 0, 1, 2, 3, 4
"""Rows of the list: first and last bits, DRAM bits falling, cycles, the least from here on."""


class Queries(NamedTuple):
    """Machines that share an array, ordered by the room of their buffers; shape (machines,).

    Attributes
    ----------
    rooms : shape (rooms, buffers), ascending with one buffer
        Bits that tiles may take.
    starts : shape (rooms + 1,)
        The first machine of each room.
    rate_bytes_per_s, clock_hz
        DRAM rate times efficiency; clock.
    mac_pj, dram_pj_per_bit, leakage_w
        Of an 8-bit MAC, of a transferred bit; power of the area.
    """

    rooms: IntArray
    starts: IntArray
    rate_bytes_per_s: FloatArray
    clock_hz: FloatArray
    mac_pj: FloatArray
    dram_pj_per_bit: FloatArray
    leakage_w: FloatArray


@njit(cache=True, nogil=True)
def _first_below(listed: IntArray, count: int, bits: int) -> int:
    """Return the first place of fewer DRAM bits."""
    if count and listed[DRAM, count - 1] >= bits:  # most mappings that are added move the least
        return count
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if listed[DRAM, middle] < bits:
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True, nogil=True)
def _is_beaten(listed: IntArray, count: int, first: int, ends: int, cycles: int) -> bool:
    """Whether a mapping from a place on has no more first and last bits, nor cycles."""
    if first == count:
        return False
    if listed[LEAST_ENDS, first] > ends or listed[LEAST_CYCLES, first] > cycles:
        return False
    for place in range(count - 1, first - 1, -1):
        if listed[ENDS, place] <= ends and listed[CYCLES, place] <= cycles:
            return True
    return False


@njit(cache=True, nogil=True)
def _listed(listed: IntArray, count: int, row: IntArray, has_ends: bool) -> int:
    """List a mapping unless one of no more DRAM bits is no worse; return the count.

    First and last bits decide only where they take time of their own. Mappings that the new one
    beats stay, as they cost less than looking for them.
    """
    bits, cycles = row[DRAM], row[CYCLES]
    ends = min(row[ENDS], bits) if has_ends else 0
    place = _first_below(listed, count, bits)
    if _is_beaten(listed, count, place, ends, cycles):
        return count
    while place > 0 and listed[DRAM, place - 1] == bits:
        place -= 1
        if listed[ENDS, place] <= ends and listed[CYCLES, place] <= cycles:
            return count
    for later in range(count, place, -1):
        for column in range(5):
            listed[column, later] = listed[column, later - 1]
    listed[ENDS, place], listed[DRAM, place], listed[CYCLES, place] = ends, bits, cycles
    listed[LEAST_ENDS, place] = min(ends, listed[LEAST_ENDS, place + 1]) if place < count else ends
    least = min(cycles, listed[LEAST_CYCLES, place + 1]) if place < count else cycles
    listed[LEAST_CYCLES, place] = least
    for column, value in ((LEAST_ENDS, ends), (LEAST_CYCLES, cycles)):
        earlier = place - 1
        while earlier >= 0 and listed[column, earlier] > value:
            listed[column, earlier] = value
            earlier -= 1
    return count + 1


@njit(cache=True, nogil=True)
def _latency(
    listed: IntArray, place: int, rate: float, clock: float, transfers: int
) -> tuple[float, float]:
    """Return latency and transfer time of a listed mapping; see `dse.cost.time.latency_s`."""
    compute = listed[CYCLES, place] / clock
    transfer = listed[DRAM, place] / 8 / rate
    if transfers == SERIAL:
        return compute + transfer, transfer
    if transfers == DOUBLE_BUFFERED:
        compute = compute + min(listed[ENDS, place] / 8 / rate, transfer)
    return max(compute, transfer), transfer


@njit(cache=True, nogil=True)
def _least_compute(listed: IntArray, place: int, rate: float, clock: float) -> float:
    """Return a bound of the time of every mapping from a place on, but for its transfer."""
    return listed[LEAST_CYCLES, place] / clock + listed[LEAST_ENDS, place] / 8 / rate


@njit(cache=True, nogil=True)
def _fastest(  # noqa: C901 (compiled, and the innermost loop)
    listed: IntArray, count: int, rate: float, clock: float, transfers: int
) -> tuple[float, int]:
    """Return the least latency and its place, that of the fewest DRAM bits.

    No mapping is faster than its transfer, nor than the least cycles and ends from its place on.
    One falls along the list, the other rises: only places around where they meet are tried.
    """
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if _least_compute(listed, middle, rate, clock) > listed[DRAM, middle] / 8 / rate:
            high = middle
        else:
            low = middle + 1
    best, which = np.inf, -1
    for place in range(low, count):
        if _least_compute(listed, place, rate, clock) > best:
            break
        seconds, _ = _latency(listed, place, rate, clock, transfers)
        if seconds <= best:
            best, which = seconds, place
    for place in range(low - 1, -1, -1):
        seconds, transfer = _latency(listed, place, rate, clock, transfers)
        if transfer > best:
            break
        if seconds < best:
            best, which = seconds, place
    return best, which


@njit(cache=True, nogil=True)
def _best(
    listed: IntArray, count: int, one: int, queries: Queries, rule: tuple[int, int, float]
) -> tuple[float, int]:
    """Return latency and place of the mapping that a machine's mapper chooses by another rule."""
    transfers, objective, macs = rule
    least, best, which = np.inf, np.inf, 0
    for place in range(count - 1, -1, -1):
        if objective == TRAFFIC and listed[DRAM, place] > listed[DRAM, count - 1]:
            break
        seconds, _ = _latency(
            listed, place, queries.rate_bytes_per_s[one], queries.clock_hz[one], transfers
        )
        value = 0.0
        if objective != TRAFFIC:
            value = (
                macs * queries.mac_pj[one]
                + listed[DRAM, place] * queries.dram_pj_per_bit[one]
                + queries.leakage_w[one] * seconds * 1e12
            )
        if objective == DELAY_PRODUCT:
            value *= seconds
        if value < least or (value == least and seconds < best):
            least, best, which = value, seconds, place
    return best, which


@njit(cache=True, nogil=True)
def _fits(criteria: IntArray, row: int, rooms: IntArray, room: int) -> bool:
    """Whether a mapping fits into the buffers."""
    buffer = 0
    while buffer < rooms.shape[1] and criteria[row, buffer] <= rooms[room, buffer]:
        buffer += 1
    return buffer == rooms.shape[1]


@njit(cache=True, nogil=True)
def add_layer(
    criteria: IntArray,
    queries: Queries,
    rule: tuple[int, int, float],
    repeat: int,
    totals: FloatArray,
) -> None:
    """Add latency and DRAM bits of a layer's best mappings to the totals of machines.

    Parameters
    ----------
    criteria : shape (rows, buffers + 3), by the first column ascending
        Of the mappings of a table: bits in each buffer, first and last bits, DRAM bits, cycles.
    queries
        The machines.
    rule
        How transfers overlap and what is minimised, as places in `TRANSFERS` and `OBJECTIVES`; MACs
        of the layer, scaled to 8 by 8 bits.
    repeat
        How often the layer runs.
    totals : shape (2, machines)
        Seconds and bits; inf where nothing fits.
    """
    transfers, objective, _ = rule
    rate, clock, rooms = queries.rate_bytes_per_s, queries.clock_hz, queries.rooms
    listed = np.empty((5, len(criteria) + 1), dtype=np.int64)
    count, row = 0, 0
    for room in range(len(rooms)):
        if rooms.shape[1] > 1:  # what fits one room need not fit the next
            count, row = 0, 0
        while row < len(criteria) and criteria[row, 0] <= rooms[room, 0]:
            if _fits(criteria, row, rooms, room):
                kept = criteria[row, rooms.shape[1] :]
                count = _listed(listed, count, kept, transfers == DOUBLE_BUFFERED)
            row += 1
        for one in range(queries.starts[room], queries.starts[room + 1]):
            if count == 0:
                totals[0, one], totals[1, one] = np.inf, np.inf
                continue
            if objective == LATENCY:
                seconds, which = _fastest(listed, count, rate[one], clock[one], transfers)
            else:
                seconds, which = _best(listed, count, one, queries, rule)
            totals[0, one] += repeat * seconds
            totals[1, one] += repeat * listed[DRAM, which]
