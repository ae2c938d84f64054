"""Many designs at once: tables once for each array, then look-ups."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np

from dse.arrays import FloatArray, IntArray
from dse.cost.time import DEFAULT_SLACK, longest_share
from dse.evaluation.criteria import criteria_of
from dse.evaluation.design_columns import Machines
from dse.evaluation.held_designs import HeldDesigns
from dse.evaluation.layer_costs import QUANTITIES, Choice, CostsBuffer, MappedLayer, layer_costs
from dse.evaluation.overheads import launch_s
from dse.evaluation.points_of_space import can_ask
from dse.evaluation.query_parts import FEWEST_DESIGNS, parts_of_designs, queries_of
from dse.hardware import Accelerator
from dse.hardware.memory import copies_of_a_tile
from dse.mapping.best import best_mapping
from dse.mapping.objective import Objective
from dse.mapping.operating_points import OperatingPoints
from dse.mapping.points import Criteria
from dse.mapping.question import Question
from dse.network.as_run import LayerRun, as_run, layer_runs
from dse.network.combine import combine
from dse.network.resident import kept_whole, resident, room_for
from dse.stopping import workers
from dse.workload import Workload


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
    if groups and groups[0].chip.between_layers != "none":
        for network, chip, designs in groups:
            held = HeldDesigns(network, chip, machines, designs)
            held.write(Objective.of(objective), longest_share(slack), costs)
        _refuse_those_without_room(groups, machines, costs)
        return
    choice, buffer = Choice(Objective.of(objective), longest_share(slack)), CostsBuffer()
    with workers() as pool:
        for first in range(0, len(groups), GROUPS_AT_ONCE):
            some = groups[first : first + GROUPS_AT_ONCE]
            sought = [_sought(pool, group, machines, objective, points) for group in some]
            for group, layers in zip(some, sought, strict=True):
                mapped = [MappedLayer(run, found.result()) for run, found in layers]
                _look_up(pool, mapped, group, machines, (choice, buffer), costs)
    _refuse_those_without_room(groups, machines, costs)


def _refuse_those_without_room(
    groups: Sequence[ArrayGroup], machines: Machines, costs: tuple[FloatArray, FloatArray]
) -> None:
    """Write inf where what the DRAM does not carry does not fit on the chip whole."""
    for network, chip, designs in groups if groups and kept_whole(groups[0].chip) else ():
        need = resident(layer_runs(network, chip), chip)
        copies = copies_of_a_tile(chip.transfers)
        rooms = [machines.room_bits[i][designs] * copies for i in room_for(need.operands, chip)]
        short = designs[np.sum(rooms, axis=0, dtype=np.float64) < need.bits]
        costs[0][short] = costs[1][short] = np.inf


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
    return [(run, pool.submit(criteria_of, run, chip, wanted)) for run in as_run(network, chip)]


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
        order, queries = queries_of(machines, *part, is_fastest=is_fastest)
        totals = np.zeros((len(QUANTITIES), len(order)))
        for block, own in layer_costs(layers, chip, queries, choice, buffer):
            combine(own, counts[block], launches[block], totals)
        costs[0][order], costs[1][order] = totals

    over = map if len(group.designs) < FEWEST_DESIGNS else pool.map
    parts = parts_of_designs(machines, group.designs, is_fastest=is_fastest)
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
