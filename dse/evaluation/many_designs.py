"""Many designs at once: tables once for each array, then look-ups."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from math import ceil
from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.cost.energy import mac_scale
from dse.cost.time import DEFAULT_SLACK, latency_s, longest_share
from dse.evaluation.counting_sort import by_room, dealt, starts_of
from dse.evaluation.design_columns import Machines
from dse.evaluation.lookup import add_layer
from dse.evaluation.points_of_space import can_ask
from dse.evaluation.time_of_designs import Queries, desk_for
from dse.hardware import Accelerator, Transfers
from dse.mapping.best import best_mapping
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.nest.dram_bits import packed_bits
from dse.mapping.objective import Objective
from dse.mapping.operating_points import OperatingPoints
from dse.mapping.points import Criteria
from dse.mapping.question import Question
from dse.mapping.search.ratio_buckets import buckets
from dse.mapping.store import answer
from dse.network.fusion import with_fused_layers
from dse.processors import num_workers
from dse.stopping import workers
from dse.workload import Layer, Workload

FEWEST_DESIGNS = 4096
"""Designs from which on a second thread pays."""

MOST_TOGETHER = 2**15
"""Designs that a thread looks up together at most: what it reads of them stays in the cache."""


class Group(NamedTuple):
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
    groups: Sequence[Group],
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
    Objective.of(objective)
    longest = longest_share(slack)
    with workers() as pool:
        for first in range(0, len(groups), GROUPS_AT_ONCE):
            some = groups[first : first + GROUPS_AT_ONCE]
            sought = [_sought(pool, group, machines, objective, points) for group in some]
            for group, layers in zip(some, sought, strict=True):
                mapped = [(layer, repeat, found.result()) for layer, repeat, found in layers]
                _look_up(pool, mapped, group, machines, (objective, longest), costs)


def _sought(
    pool: ThreadPoolExecutor,
    group: Group,
    machines: Machines,
    objective: str,
    points: OperatingPoints | None,
) -> list[tuple[Layer, int, Future[Criteria]]]:
    """Return the distinct layers of a group, how often they run, and what will be looked up."""
    network, chip, designs = group
    rooms = [bits[designs] for bits in machines.room_bits]
    wanted = Question.above([int(bits.min()) for bits in rooms])
    if points and can_ask(chip, objective) and points.covers(rooms[0], machines.ratio[designs]):
        wanted = Question.fastest(points, chip)
    layers = distinct_layers(with_fused_layers(network, chip), chip)
    return [(layer, count, pool.submit(_mappings, layer, chip, wanted)) for layer, count in layers]


def _look_up(
    pool: ThreadPoolExecutor,
    layers: Sequence[tuple[Layer, int, Criteria]],
    group: Group,
    machines: Machines,
    rule: tuple[str, float],
    costs: tuple[FloatArray, FloatArray],
) -> None:
    """Write the costs of a group: with all processors, if its designs are many.

    `rule` is what is minimised, and `dse.cost.time.longest_share` of the slack.
    """

    def look_up(part: tuple[IntArray, IntArray, FloatArray]) -> None:
        order, queries = _queries(machines, *part, rule[0])
        costs[0][order], costs[1][order] = _totals(layers, group.chip, queries, rule)

    over = map if len(group.designs) < FEWEST_DESIGNS else pool.map
    for _ in over(look_up, _parts(machines, group.designs, rule[0])):
        pass


def find_mappings(
    network: Workload, chip: Accelerator, objective: str, *, slack: float, area_scale: float
) -> None:
    """Find the best mappings of a network with all processors; what they are from is kept."""
    layers = distinct_layers(with_fused_layers(network, chip), chip)
    mapped = [layer for layer, _ in layers if layer.has_macs]
    with workers() as pool:
        best = partial(
            best_mapping, chip=chip, objective=objective, slack=slack, area_scale=area_scale
        )
        for _ in pool.map(best, mapped):
            pass


def _parts(
    machines: Machines, designs: IntArray, objective: str
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Yield designs that are looked up together, in the order of their buckets of ratios.

    With them the first of each bucket, and the ratios of the buckets, as in `Queries`.
    """
    starts, ratios = np.array([0, len(designs)]), np.zeros((2, 1))
    if Objective.LATENCY_S.key == objective:
        bucket, ratios = buckets(machines.rate_bytes_per_s[designs], machines.clock_hz[designs])
        starts = starts_of(bucket, ratios.shape[1])
        designs = dealt(bucket, designs, starts)
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
    machines: Machines, designs: IntArray, starts: IntArray, ratios: FloatArray, objective: str
) -> tuple[IntArray, Queries]:
    """Return designs in the order in which they are looked up, and as queries.

    Parameters are what `_parts` yields.
    """
    order, room, rooms = by_room(np.stack([bits[designs] for bits in machines.room_bits], axis=1))
    bucket = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = dealt(bucket[order], order, starts)
    designs = designs[order]
    asked = designs[:0] if Objective.LATENCY_S.key == objective else designs
    clock = machines.clock_hz[designs]
    return designs, Queries(
        rooms=rooms,
        room=room[order],
        starts=starts,
        ratios=ratios,
        rate_bytes_per_s=machines.rate_bytes_per_s[designs],
        clock_hz=clock,
        is_one_clock=bool(clock.min() == clock.max()),
        mac_pj=machines.mac_pj[asked],
        dram_pj_per_bit=machines.dram_pj_per_bit[asked],
        leakage_w=machines.leakage_w[asked],
    )


def _mappings(layer: Layer, chip: Accelerator, question: Question) -> Criteria:
    """Return the criteria of the mappings that are looked up of a layer.

    A layer without MACs has one mapping, which takes no room.
    """
    if not layer.has_macs:
        bits, cycles = macless_bits(layer, chip), pooling_cycles(layer, chip)
        return Criteria.of_one(len(chip.buffers), bits, cycles)
    return answer(LayerOnArray.of(layer, chip), question).criteria


def _totals(
    layers: Sequence[tuple[Layer, int, Criteria]],
    chip: Accelerator,
    queries: Queries,
    rule: tuple[str, float],
) -> FloatArray:
    """Return seconds and DRAM bits of all layers, shape (2, designs)."""
    totals = np.zeros((2, len(queries.clock_hz)))
    most = max((len(criteria.dram_bits) for _, _, criteria in layers), default=0)
    desk = desk_for(most, queries.ratios.shape[1])
    objective, longest = rule
    choice = int(Transfers.of(chip.transfers)), int(Objective.of(objective))
    for layer, repeat, criteria in layers:
        if launch := launch_s(layer, chip):
            totals[0] += repeat * launch
        if layer.has_macs and chip.schedule is not None:
            totals += repeat * _scheduled(criteria, chip, queries)
            continue
        work = layer.macs * float(mac_scale(layer.input_bits, layer.weight_bits))
        add_layer(criteria, queries, (*choice, work, longest), repeat, (totals[0], totals[1]), desk)
    return totals


def _scheduled(criteria: Criteria, chip: Accelerator, queries: Queries) -> FloatArray:
    """Return seconds and DRAM bits of a layer under a machine's own schedule, (2, designs)."""
    shared = next(n for n, x in enumerate(chip.buffers) if {"input", "weight"} <= set(x.holds))
    rooms = queries.rooms[:, shared]
    row = np.searchsorted(criteria.footprint_bits[:, shared], rooms, side="right") - 1
    each = np.where(row < 0, np.inf, criteria.dram_bits[row])[queries.room]
    compute = criteria.compute_cycles[0] / queries.clock_hz
    transfer = each / 8 / queries.rate_bytes_per_s
    return np.stack((latency_s(compute, transfer, 0.0, transfers=chip.transfers), each))


def macless_bits(layer: Layer, chip: Accelerator) -> int:
    """Return the DRAM bits of a layer without MACs: its operands that the DRAM carries, once."""
    elements = {"input": layer.input_elements, "output": layer.output_elements}
    return sum(packed_bits(layer, chip, operand, n) for operand, n in elements.items())


def pooling_cycles(layer: Layer, chip: Accelerator) -> int:
    """Return the cycles that pooling takes, 0 for any other layer or where it is fused."""
    if layer.op != "pool" or layer.is_fused or chip.pooling_elements_per_cycle is None:
        return 0
    elements = layer.window_elements or layer.input_elements
    return ceil(elements / chip.pooling_elements_per_cycle)


def launch_s(layer: Layer, chip: Accelerator) -> float:
    """Return the time that a run of a layer takes to start; none where it is fused. [s]."""
    return 0.0 if layer.is_fused else chip.launch_s


def distinct_layers(network: Workload, chip: Accelerator) -> list[tuple[Layer, int]]:
    """Return each distinct shape and given mapping once, with how often it runs in all."""
    counts: dict[tuple[object, ...], int] = {}
    first: dict[tuple[object, ...], Layer] = {}
    for layer in network.layers:
        key = layer.key, chip.constraints.of(layer.name)
        first.setdefault(key, layer)
        counts[key] = counts.get(key, 0) + layer.repeat
    return [(first[key], count) for key, count in counts.items()]
