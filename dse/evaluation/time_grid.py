"""The time of a network for every size of the buffer and every DRAM rate of one array, at once.

From one size of the buffer to the next few layers have a faster mapping, and only at some rates: to
find out where takes a hundredth of the time of a look-up for each design.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.arrays import BoolArray, FloatArray, IntArray
from dse.compiling import compiled
from dse.cost.time import exposed_transfer, latency_cycles, latency_s, longest_share
from dse.errors import DseError
from dse.evaluation.design_columns import Machines, machines_of, varied_chip
from dse.evaluation.overheads import macless_bits, pooling_cycles
from dse.hardware import Accelerator, Transfers
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.operating_points import OperatingPoints
from dse.mapping.points import Criteria
from dse.mapping.question import Question
from dse.mapping.search.ratio_buckets import (
    COLUMNS,
    CYCLES,
    DRAM,
    ENDS,
    ROW,
    insert_if_undominated,
)
from dse.mapping.store import answer
from dse.network.as_run import as_run
from dse.technology import Catalogue
from dse.workload import Workload


class TimeGrid(NamedTuple):
    """A network on one array, for sizes of the buffer and rates in ascending order.

    Attributes
    ----------
    cycles : shape (buffers, rates)
        Time of a batch, but for what is the same everywhere; inf where a layer does not fit.
        Sums are rounded otherwise than where designs are costed: the last digits may differ.
    is_changed : shape (buffers, rates)
        Whether some layer has another mapping than with the next smaller buffer. If none has, the
        time is the same to the last digit. With slack, another mapping may be a slower one that
        moves fewer bits.
    """

    cycles: FloatArray
    is_changed: BoolArray


class _Marks(NamedTuple):
    """What is written for a layer.

    Attributes
    ----------
    line : shape (rates,)
        Its time so far. [cycles]
    owner : shape (rates,)
        The mapping that takes it, -1 for none.
    kept : shape (mappings, buckets, COLUMNS)
        Mappings of each bucket of ratios; see `dse.mapping.search.ratio_buckets`.
    counts : shape (buckets,)
        Their number.
    """

    line: FloatArray
    owner: IntArray
    kept: FloatArray
    counts: IntArray


@compiled
def _add_layer(  # noqa: C901, PLR0915 (compiled: tuples of arrays are dear to pass on)
    criteria: Criteria,
    rooms: IntArray,
    ratios: FloatArray,
    buckets: tuple[IntArray, FloatArray],
    rule: tuple[int, int, float],
    marks: _Marks,
    steps: FloatArray,
    is_changed: BoolArray,
) -> int:
    """Add what a layer's time changes by from room to room; return the first in which it fits.

    Parameters
    ----------
    criteria
        Of mappings, by the bits in the buffer ascending.
    rooms : shape (rooms,), ascending
        Bits that tiles may take.
    ratios : shape (rates,), by bucket
        Clock over eight times the rate.
    buckets : shapes (buckets + 1,) and (2, buckets)
        The first ratio of each; its least and most.
    rule
        A value of `dse.hardware.Transfers`; how often the layer runs; the longest time that may be
        chosen, over the least: see `dse.cost.time.longest_share`.
    marks
        See `_Marks`.
    steps, is_changed : shape (rooms, rates)
        What is added to.
    """
    starts, spans = buckets
    transfers, repeat, share = rule
    line, owner, kept, counts = marks
    footprints, first, fits = criteria.footprint_bits, 0, len(rooms)
    for room in range(len(rooms)):
        end = first
        while end < len(footprints) and footprints[end, 0] <= rooms[room]:
            end += 1
        if end > 0 and fits == len(rooms):
            fits = room
        for bucket in range(len(counts) if end > first else 0):
            span = spans[0, bucket], spans[1, bucket]
            has_joined = False
            for row in range(first, end):
                count, bits = counts[bucket], criteria.dram_bits[row]
                kept[count, bucket, ENDS] = exposed_transfer(
                    criteria.first_last_bits[row], bits, transfers
                )
                kept[count, bucket, DRAM] = bits
                kept[count, bucket, CYCLES] = criteria.compute_cycles[row]
                kept[count, bucket, ROW] = row
                counts[bucket] = insert_if_undominated(kept, bucket, count, span, share)
                has_joined |= kept[counts[bucket] - 1, bucket, ROW] == row
            if not has_joined:
                continue
            for rate in range(starts[bucket], starts[bucket + 1]):
                least, best = np.inf, -1
                for candidate in range(counts[bucket]):
                    time = latency_cycles(
                        ratios[rate],
                        kept[candidate, bucket, CYCLES],
                        kept[candidate, bucket, ENDS],
                        kept[candidate, bucket, DRAM],
                    )
                    if time < least:
                        least, best = time, int(kept[candidate, bucket, ROW])
                if share > 1:
                    longest, fewest = least * share, np.inf
                    for candidate in range(counts[bucket]):
                        bits = kept[candidate, bucket, DRAM]
                        time = latency_cycles(
                            ratios[rate],
                            kept[candidate, bucket, CYCLES],
                            kept[candidate, bucket, ENDS],
                            bits,
                        )
                        is_tie = bits == fewest and time < least
                        if time <= longest and (bits < fewest or is_tie):
                            fewest, least, best = bits, time, int(kept[candidate, bucket, ROW])
                if best != owner[rate]:
                    before = 0.0 if owner[rate] < 0 else line[rate]
                    steps[room, rate] += repeat * (least - before)
                    line[rate], owner[rate] = least, best
                    is_changed[room, rate] = True
        first = end
    return fits


def time_grid(
    network: Workload,
    accelerator: Accelerator,
    values: Mapping[str, Any],
    lines: Mapping[str, NDArray[Any]],
    *,
    points: OperatingPoints,
    catalogue: Catalogue,
) -> TimeGrid:
    """Return the time of a network for every buffer and rate of one array.

    Parameters
    ----------
    network, accelerator
        What runs, on what; one buffer, no schedule, mappings that minimise the time.
    values
        The other parameters of the array, and ``batch``.
    lines
        The parameter that is the buffer's size, and ``dram_bytes_per_s``, to ascending values.
    points
        What `dse.evaluation.points_of_space.operating_points_of` says of all these machines.
    catalogue
        What the names of DRAM parts and technologies mean.
    """
    fixed = {name: value for name, value in values.items() if name != "batch"}
    chip = varied_chip(accelerator, fixed, catalogue)
    here = network.with_batch(int(values["batch"])) if "batch" in values else network
    by_name = {name: _machines(chip, name, column, catalogue) for name, column in lines.items()}
    ratios = by_name["dram_bytes_per_s"].ratio
    room = next(one for name, one in by_name.items() if name != "dram_bytes_per_s")
    rooms = room.room_bits[0]
    if not points.covers(rooms, ratios):
        raise DseError("machines must be of the space that mappings are asked for")
    spans = np.array(points.ratios).T
    order = np.argsort(ratios, kind="stable")
    starts = np.searchsorted(ratios[order], np.append(spans[0], np.inf))
    steps = np.zeros((len(rooms), len(ratios)))
    is_changed = np.zeros(steps.shape, dtype=bool)
    first = 0
    for run in as_run(here, chip):
        if not run.layer.has_macs:
            transfer = sum(macless_bits(run, chip).values()) * ratios[order]
            compute = pooling_cycles(run, chip)
            steps[0] += run.count * latency_s(compute, transfer, 0.0, transfers=chip.transfers)
            continue
        found = answer(LayerOnArray.of(run.layer, chip), Question.fastest(points, chip))
        marks = _Marks(
            np.zeros(len(ratios)),
            np.full(len(ratios), -1),
            np.empty((len(found) + 1, spans.shape[1], COLUMNS)),
            np.zeros(spans.shape[1], dtype=np.int64),
        )
        rule = int(Transfers.of(chip.transfers)), run.count, longest_share(points.slack)
        fits = _add_layer(
            found.criteria, rooms, ratios[order], (starts, spans), rule, marks, steps, is_changed
        )
        first = max(first, fits)
    cycles = np.cumsum(steps, axis=0, out=steps)
    cycles[:first] = np.inf
    back = np.argsort(order)
    return TimeGrid(cycles[:, back], is_changed[:, back])


def _machines(chip: Accelerator, name: str, column: NDArray[Any], catalogue: Catalogue) -> Machines:
    return machines_of(chip, {name: column}, catalogue, mac_scale=1.0)
