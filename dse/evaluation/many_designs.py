"""Many designs at once: tables once for each array, then look-ups."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from math import ceil
from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.cost.time import DEFAULT_SLACK, longest_share
from dse.evaluation.counting_sort import sorted_by_key, sorted_by_room, starts_of
from dse.evaluation.design_columns import Machines
from dse.evaluation.layer_costs import QUANTITIES, Choice, CostsBuffer, MappedLayer, layer_costs
from dse.evaluation.overheads import launch_s, macless_bits, pooling_cycles
from dse.evaluation.points_of_space import can_ask
from dse.evaluation.time_of_designs import Queries
from dse.hardware import Accelerator
from dse.mapping.best import best_mapping
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.objective import Objective
from dse.mapping.operating_points import OperatingPoints
from dse.mapping.points import Criteria
from dse.mapping.question import Question
from dse.mapping.search.ratio_buckets import buckets
from dse.mapping.store import answer
from dse.network.as_run import LayerRun, as_run
from dse.network.combine import combine
from dse.processors import num_workers
from dse.stopping import workers
from dse.workload import Workload

FEWEST_DESIGNS = 4096
"""Designs from which on a second thread pays."""

MOST_TOGETHER = 2**15
"""Designs that a thread looks up together at most: what it reads of them stays in the cache."""


class ArrayGroup(NamedTuple):
    """Designs that share an array.

    Attributes
    ----------
    network
        The layers, at their batch.
    chip
        One of the machines: its array and rules count.
    designs : shape (designs,)
        Which of all machines they are.
    """

    network: Workload
    chip: Accelerator
    designs: IntArray


GROUPS_AT_ONCE = 16
"""Groups whose mappings are sought together: a processor that is done with one goes on."""


def write_costs(
    groups: Sequence[ArrayGroup],
    machines: Machines,
    objective: str,
    costs: tuple[FloatArray, FloatArray],
    *,
    slack: float = DEFAULT_SLACK,
    points: OperatingPoints | None = None,
) -> None:
    """Write latency and DRAM bits of the designs of all groups.

    Parameters
    ----------
    groups
        Groups of designs.
    machines
        All machines.
    objective
        What each layer's mapping minimises.
    costs : two of shape (machines,)
        Seconds and bits, of which those of the designs are written; inf where a layer does not fit.
    slack
        Share of the least latency that a mapping may lose to move fewer bits.
    points
        Machines of which mappings are found together; others are found one array at a time.
    """
    choice, buffer = Choice(Objective.of(objective), longest_share(slack)), CostsBuffer()
    with workers() as pool:
        for first in range(0, len(groups), GROUPS_AT_ONCE):
            some = groups[first : first + GROUPS_AT_ONCE]
            sought = [_sought(pool, group, machines, objective, points) for group in some]
            for group, layers in zip(some, sought, strict=True):
                mapped = [MappedLayer(run, found.result()) for run, found in layers]
                _look_up(pool, mapped, group, machines, (choice, buffer), costs)


def _sought(
    pool: ThreadPoolExecutor,
    group: ArrayGroup,
    machines: Machines,
    objective: str,
    points: OperatingPoints | None,
) -> list[tuple[LayerRun, Future[Criteria]]]:
    """Return the distinct layers of a group as they run, and what will be looked up of them."""
    network, chip, designs = group
    rooms = [bits[designs] for bits in machines.room_bits]
    wanted = Question.above([int(bits.min()) for bits in rooms])
    if points and can_ask(chip, objective) and points.covers(rooms[0], machines.ratio[designs]):
        wanted = Question.fastest(points, chip)
    return [(run, pool.submit(_criteria, run, chip, wanted)) for run in as_run(network, chip)]


def _look_up(
    pool: ThreadPoolExecutor,
    layers: Sequence[MappedLayer],
    group: ArrayGroup,
    machines: Machines,
    how: tuple[Choice, CostsBuffer],
    costs: tuple[FloatArray, FloatArray],
) -> None:
    """Write the costs of a group: with all processors, if its designs are many.

    `how` is how the mappers choose, and memory for the costs of layers.
    """
    choice, buffer = how
    chip, is_fastest = group.chip, choice.objective == Objective.LATENCY_S
    counts = np.array([run.count for run, _ in layers], dtype=np.int64)
    launches = np.array([launch_s(run, chip) for run, _ in layers])

    def look_up(part: tuple[IntArray, IntArray, FloatArray]) -> None:
        order, queries = _queries(machines, *part, is_fastest=is_fastest)
        totals = np.zeros((len(QUANTITIES), len(order)))
        for block, own in layer_costs(layers, chip, queries, choice, buffer):
            combine(own, counts[block], launches[block], totals)
        costs[0][order], costs[1][order] = totals

    over = map if len(group.designs) < FEWEST_DESIGNS else pool.map
    parts = _parts(machines, group.designs, is_fastest=is_fastest)
    for _ in over(look_up, parts):
        pass


def find_mappings(
    runs: Sequence[LayerRun],
    chip: Accelerator,
    objective: str,
    *,
    slack: float,
    area_scale: float,
) -> None:
    """Find the best mappings of layers with all processors; what they are from is kept."""
    mapped = [run.layer for run in runs if run.layer.has_macs]
    with workers() as pool:
        best = partial(
            best_mapping, chip=chip, objective=objective, slack=slack, area_scale=area_scale
        )
        for _ in pool.map(best, mapped):
            pass


def _parts(
    machines: Machines, designs: IntArray, *, is_fastest: bool
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Yield designs that are looked up together, in the order of their buckets of ratios.

    With them the first of each bucket, and the ratios of the buckets, as in `Queries`.
    """
    starts, ratios = np.array([0, len(designs)]), np.zeros((2, 1))
    if is_fastest:
        bucket, ratios = buckets(machines.rate_bytes_per_s[designs], machines.clock_hz[designs])
        starts = starts_of(bucket, ratios.shape[1])
        designs = sorted_by_key(bucket, designs, starts)
    parts = num_workers() if len(designs) >= FEWEST_DESIGNS else 1
    if len(machines.room_bits) == 1:  # with more, mappings join anew in many rooms of each part
        parts = max(parts, ceil(len(designs) / MOST_TOGETHER))
    ends = np.linspace(0, len(designs), parts + 1).astype(np.int64)
    for first, end in pairwise(ends.tolist()):
        here = np.clip(starts, first, end) - first
        is_here = np.diff(here) > 0
        own = np.append(here[:-1][is_here], here[-1])
        yield designs[first:end], own, np.ascontiguousarray(ratios[:, is_here])


def _queries(
    machines: Machines, designs: IntArray, starts: IntArray, ratios: FloatArray, *, is_fastest: bool
) -> tuple[IntArray, Queries]:
    """Return designs in the order in which they are looked up, and as queries.

    Parameters are what `_parts` yields.
    """
    order, room, rooms = sorted_by_room(
        np.stack([bits[designs] for bits in machines.room_bits], axis=1)
    )
    bucket = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = sorted_by_key(bucket[order], order, starts)
    designs = designs[order]
    weighed = designs[:0] if is_fastest else designs
    clock = machines.clock_hz[designs]
    return designs, Queries(
        rooms=rooms,
        room=room[order],
        starts=starts,
        ratios=ratios,
        rate_bytes_per_s=machines.rate_bytes_per_s[designs],
        clock_hz=clock,
        is_one_clock=bool(clock.min() == clock.max()),
        mac_pj=machines.mac_pj[weighed],
        dram_pj_per_bit=machines.dram_pj_per_bit[weighed],
        leakage_w=machines.leakage_w[weighed],
    )


def _criteria(run: LayerRun, chip: Accelerator, question: Question) -> Criteria:
    """Return the criteria of the mappings that are looked up of a layer.

    A layer without MACs has one mapping, which takes no room.
    """
    if not run.layer.has_macs:
        bits = sum(macless_bits(run, chip).values())
        return Criteria.of_one(len(chip.buffers), bits, pooling_cycles(run, chip))
    return answer(LayerOnArray.of(run.layer, chip), question).criteria
