"""Mappings of a machine with a schedule of its own: one for each size of its buffer."""

from math import isqrt

import numpy as np

from dse.arrays import IntArray
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.nest.mapping import Mapping
from dse.mapping.points import Criteria, Points
from dse.mapping.schedule_streams import Streams, streams
from dse.workload import LOOPS, Layer

LARGEST_BITS = 2**62
"""More DRAM bits are not counted: a buffer so small that it leads to more fits nothing."""


def chunks_worth_having(one: Streams) -> tuple[IntArray, IntArray]:
    """Return the numbers of chunks that some buffer leads to, and the least buffer of each.

    Returns
    -------
    Two arrays of shape (choices,): chunks falling, and bits of the buffer rising. A buffer leads to
    the last choice that it has room for. [bits]
    """
    whole = _numbers_of_chunks(one.parts)
    held = -(-one.parts // whole) * one.part_bits
    units = -(-(one.part_bits - one.overlap_bits) // one.unit_bits)
    each = _numbers_of_chunks(units)
    each = each[each > 1]
    cut = one.overlap_bits + -(-units // each) * one.unit_bits
    chunks = np.concatenate((whole, one.parts * each))
    room = _least_buffer(np.concatenate((held, cut)), one)
    order = np.lexsort((room, chunks))
    chunks, room = chunks[order], room[order]
    is_countable = chunks <= LARGEST_BITS // max(sum(one.dram_bits.values()), 1)
    chunks, room = chunks[is_countable], room[is_countable]
    falls = np.ones(len(room), dtype=bool)
    falls[1:] = room[1:] < np.minimum.accumulate(room)[:-1]
    return chunks[falls][::-1], room[falls][::-1]


def _numbers_of_chunks(units: int) -> IntArray:
    """Return every number of chunks that units make, ceil(units / size) for all sizes."""
    small = np.arange(1, isqrt(units) + 2)
    return np.unique(np.concatenate((small[small <= units], -(-units // small))))


def _least_buffer(chunk_bits: IntArray, one: Streams) -> IntArray:
    """Return the least bits of a buffer with room for a chunk beside what must stream past it.

    A buffer of B bits has room for B - min(least, floor(share * B)) bits of chunks.
    """
    room = chunk_bits + one.least_bits
    if one.least_share is None or one.least_share == 1:
        return room
    rest = 1 - one.least_share
    if int(chunk_bits.max()) * rest.denominator > LARGEST_BITS:  # too long for 64 bits
        chunk_bits = chunk_bits.astype(object)
    shared = (chunk_bits - 1) * rest.denominator // rest.numerator + 1
    return np.minimum(room, np.minimum(shared, LARGEST_BITS).astype(np.int64))


def scheduled_points(layer: Layer, chip: Accelerator) -> Points:
    """Return what a schedule does with a layer for every buffer, as rows of a mapping table.

    Parameters
    ----------
    layer, chip
        A layer with MACs, on a machine with a schedule; its bytes, rates and clock do not count.

    Returns
    -------
    Points of shape (rows,), by the bits of the buffer ascending, with their chunks.
    """
    assert chip.schedule is not None  # the caller has looked
    one = streams(layer, chip, chip.schedule)
    most = max(*one.dram_bits.values(), one.part_bits, one.unit_bits, one.least_bits, one.cycles)
    if most > LARGEST_BITS // 8:
        raise DseError(
            f"accelerator {chip.name!r}.schedule rounds layer {layer.name!r} up to {most:.2e} bits "
            f"or cycles, too many to count exactly"
        )
    chunks, room = chunks_worth_having(one)
    holds = np.array([one.kept in buffer.holds for buffer in chip.buffers])
    none = np.zeros(len(chunks), dtype=np.int64)
    criteria = Criteria(
        footprint_bits=room[:, None] * holds,
        first_last_bits=none,
        dram_bits=one.traffic_bits(chunks),
        compute_cycles=np.full(len(chunks), one.cycles),
    )
    tile = {loop: np.full(len(chunks), bound) for loop, bound in layer.bounds.items()}
    if one.kept == "weight":
        tile["k"] = -(-layer.k // chunks)
    else:
        tile["b"] = -(-layer.b // chunks)
        tile["oy"] = -(-layer.oy // -(-chunks // layer.b))
    tiles = np.array([tile[loop] for loop in LOOPS], dtype=np.int32)
    return Points(criteria=criteria, tiles=tiles, variant=none, chunks=chunks)


def scheduled_mapping(layer: Layer, chip: Accelerator, points: Points, row: int) -> Mapping:
    """Return a row of `scheduled_points` with its costs by operand.

    Tiles are those of the chunks, rounded up to whole rows or kernels; no axis is named, as
    schedules count MACs and not axes.
    """
    assert chip.schedule is not None  # the caller has looked
    assert points.chunks is not None
    one, chunks = streams(layer, chip, chip.schedule), int(points.chunks[row])
    again = int(one.traffic_bits(np.array(chunks))) - sum(one.dram_bits.values())
    other = (chunks - 1) * one.dram_bits["weight" if one.kept == "input" else "input"]
    extra = (
        {"input": again, "weight": 0}
        if one.kept == "weight"
        else {"input": again - other, "weight": other}
    )
    outside = ("b", "oy") if one.kept == "input" else ("k",)
    return Mapping(
        tile={loop: int(points.tile[loop][row]) for loop in LOOPS},
        order=(*outside, *(loop for loop in LOOPS if loop not in outside)),
        axes=((),) * len(chip.array),
        axis_sizes=chip.axis_sizes,
        stationary=one.kept,
        dram_bits_by_operand={
            "input": one.dram_bits["input"] + one.dram_bits["added"] + extra["input"],
            "weight": one.dram_bits["weight"] + extra["weight"],
            "output": one.dram_bits["output"],
            "psum_write": 0,
            "psum_read": 0,
        },
        footprint_bits=tuple(int(x) for x in points.criteria.footprint_bits[row]),
        compute_cycles=one.cycles,
        ideal_cycles=one.ideal_cycles,
        array_steps=one.cycles,
        first_last_bits=0,
    )


def scheduled_once_bytes(layer: Layer, chip: Accelerator) -> float:
    """Return the DRAM bytes if each operand moved once in the machine's own form. [bytes]."""
    assert chip.schedule is not None  # the caller has looked
    return sum(streams(layer, chip, chip.schedule).dram_bits.values()) / 8
