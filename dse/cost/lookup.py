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
ENDS, DRAM, CYCLES = 0, 1, 2
"""Rows of the list: first and last bits, DRAM bits falling, cycles."""

SLACK = 1 - 1e-12
"""Bounds are lowered by more than what rounding can raise them."""


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
    ratios : shape (ratios,), rising
        Cycles for each bit of DRAM traffic, at which bounds of the compute time are kept.
    ratio_before, ratio_share
        The ratio below that of each machine, and how far the machine's is towards the next.
    mac_pj, dram_pj_per_bit, leakage_w
        Of an 8-bit MAC, of a transferred bit; power of the area.
    """

    rooms: IntArray
    starts: IntArray
    rate_bytes_per_s: FloatArray
    clock_hz: FloatArray
    ratios: FloatArray
    ratio_before: IntArray
    ratio_share: FloatArray
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
def _listed(listed: IntArray, count: int, row: IntArray, has_ends: bool) -> int:
    """List a mapping unless one of no more DRAM bits is no worse; return the count.

    First and last bits decide only where they take time of their own. Mappings that the new one
    beats stay, as they cost less than looking for them.
    """
    bits, cycles = row[DRAM], row[CYCLES]
    ends = min(row[ENDS], bits) if has_ends else 0
    place = _first_below(listed, count, bits)
    while place > 0 and listed[DRAM, place - 1] == bits:
        place -= 1
    for rival in range(count - 1, place - 1, -1):
        if listed[ENDS, rival] <= ends and listed[CYCLES, rival] <= cycles:
            return count
    for later in range(count, place, -1):
        for column in range(3):
            listed[column, later] = listed[column, later - 1]
    listed[ENDS, place], listed[DRAM, place], listed[CYCLES, place] = ends, bits, cycles
    return count + 1


@njit(cache=True, nogil=True)
def _set_bounds(
    bounds: FloatArray, least: IntArray, listed: IntArray, count: int, ratios: FloatArray
) -> None:
    """Fill in the least compute time from each place on, in cycles, and its place, by ratio."""
    for ratio in range(len(ratios)):
        best, which = np.inf, -1
        for place in range(count - 1, -1, -1):
            cycles = listed[CYCLES, place] + listed[ENDS, place] * ratios[ratio]
            if cycles < best:
                best, which = cycles, place
            bounds[place, ratio] = best
            least[place, ratio] = which


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
def _least_compute(bounds: FloatArray, place: int, before: int, share: float) -> float:
    """Return a bound of the compute time of every mapping from a place on, in cycles.

    The least of linear functions of the ratio is concave: it lies above its chords.
    """
    after = min(before + 1, bounds.shape[1] - 1)
    low, high = bounds[place, before], bounds[place, after]
    return (low + (high - low) * share) * SLACK


@njit(cache=True, nogil=True)
def _meeting(
    listed: IntArray,
    bounds: FloatArray,
    count: int,
    machine: tuple[float, float, int, float],
    near: int,
) -> int:
    """Return the first place where the bound of the compute time is above the transfer time.

    The bound rises along the list, transfers fall. It is looked for around `near`, as machines come
    in the order of their ratios.
    """
    rate, clock, before, share = machine
    cycles_per_bit = clock / (8 * rate)
    low, high, step = near, near, 1
    while low > 0:
        bound = _least_compute(bounds, low - 1, before, share)
        if bound <= listed[DRAM, low - 1] * cycles_per_bit:
            break
        high = low - 1
        low = max(low - step, 0)
        step *= 2
    step = 1
    while low >= near and high < count:
        bound = _least_compute(bounds, high, before, share)
        if bound > listed[DRAM, high] * cycles_per_bit:
            break
        low = high + 1
        high = min(high + step, count)
        step *= 2
    while low < high:
        middle = (low + high) >> 1
        if _least_compute(bounds, middle, before, share) > listed[DRAM, middle] * cycles_per_bit:
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True, nogil=True)
def _fastest(  # noqa: C901 (compiled, and the innermost loop)
    listed: IntArray,
    bounds: FloatArray,
    least: IntArray,
    count: int,
    machine: tuple[float, float, int, float],
    choice: tuple[int, int],
) -> tuple[float, int]:
    """Return the least latency and its place, that of the fewest DRAM bits.

    No mapping is faster than its transfer, nor than the bound of its compute time: only places
    around where the two meet are tried. A mapping of least compute time at two ratios has it at all
    between. `choice` is how transfers overlap, and the place where they meet.
    """
    rate, clock, before, share = machine
    transfers, low = choice
    best, which = np.inf, -1
    if low < count:
        first, last = low, count
        after = min(before + 1, bounds.shape[1] - 1)
        if transfers != SERIAL and least[low, before] == least[low, after]:
            first, last = least[low, before], least[low, before] + 1
        for place in range(first, last):
            if _least_compute(bounds, place, before, share) / clock > best:
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
def add_layer(  # noqa: C901, PLR0915 (compiled: tuples of arrays are dear to pass on)
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
    rooms, starts = queries.rooms, queries.starts
    rate, clock = queries.rate_bytes_per_s, queries.clock_hz
    before, share = queries.ratio_before, queries.ratio_share
    listed = np.empty((3, len(criteria) + 1), dtype=np.int64)
    bounds = np.empty((len(criteria) + 1, len(queries.ratios)))
    least = np.empty((len(criteria) + 1, len(queries.ratios)), dtype=np.int64)
    count, row, bounded = 0, 0, 0
    for room in range(len(rooms)):
        if rooms.shape[1] > 1:  # what fits one room need not fit the next
            count, row, bounded = 0, 0, 0
        while row < len(criteria) and criteria[row, 0] <= rooms[room, 0]:
            if _fits(criteria, row, rooms, room):
                kept = criteria[row, rooms.shape[1] :]
                count = _listed(listed, count, kept, transfers == DOUBLE_BUFFERED)
            row += 1
        if bounded < count and objective == LATENCY:
            _set_bounds(bounds, least, listed, count, queries.ratios)
            bounded = count
        near = 0
        for one in range(starts[room], starts[room + 1]):
            if count == 0:
                totals[0, one], totals[1, one] = np.inf, np.inf
                continue
            if objective == LATENCY:
                machine = rate[one], clock[one], before[one], share[one]
                near = _meeting(listed, bounds, count, machine, near)
                seconds, which = _fastest(listed, bounds, least, count, machine, (transfers, near))
            else:
                seconds, which = _best(listed, count, one, queries, rule)
            totals[0, one] += repeat * seconds
            totals[1, one] += repeat * listed[DRAM, which]
