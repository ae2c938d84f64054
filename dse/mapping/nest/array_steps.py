"""Array steps of tile sizes, and what the sizes of some loops can change in the cycles."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from dse.arrays import IntArray
from dse.hardware import Unrolling

Known = dict[tuple[Unrolling | str, int], IntArray]
"""Step counts already computed, by (loop or flattened loops, factor)."""


def loop_steps(tile: IntArray, bound: int, factor: int) -> IntArray:
    """Count the array steps of one plain loop over all its tiles, edges with their real size.

    Parameters
    ----------
    tile : shape (...)
        Tile sizes, 1 to the bound. [elements]
    bound, factor
        Loop bound, and how many iterations one step covers.
    """
    return (bound // tile) * -(-tile // factor) + -(-(bound % tile) // factor)


def flattened_steps(
    tiles: Sequence[IntArray], bounds: Sequence[int], size: int, others: IntArray | int = 1
) -> IntArray:
    """Count the array steps of a flattened axis over all tiles of its loops.

    Parameters
    ----------
    tiles : each of shape (...)
        Tile sizes of the flattened loops. [elements]
    bounds
        Bounds of the flattened loops.
    size
        MACs along the axis.
    others : shape (...)
        Product of the tile sizes of further loops on the axis, as one tile.
    """
    total = np.zeros(np.broadcast_shapes(*(t.shape for t in tiles), np.shape(others)), np.int64)
    for edges in product((False, True), repeat=len(tiles)):
        count: IntArray | int = 1
        extent: IntArray | int = others
        for tile, bound, at_edge in zip(tiles, bounds, edges, strict=True):
            rest = bound % tile
            count = count * ((rest > 0) if at_edge else bound // tile)
            extent = extent * (rest if at_edge else tile)
        total += count * -(-extent // size)
    return total


class GroupSteps(NamedTuple):
    """All that the sizes of some loops can change in the cycles, of every assignment.

    Attributes
    ----------
    plain
        By assignment, the loops that are unrolled as plain loops, and their factors.
    flattened
        Of each flattened axis, loops, MACs, and the most that its other loops multiply.
    trips
        By assignment, the loops whose tiles multiply the passes; empty without fill.
    own
        The loops of the operand that is held in the array.
    links
        The loops whose tiles multiply the bits of sums, and of weights, that pass between the
        buffers and the array; empty if the array never waits.
    inputs
        By assignment, the factor of k, for each step of which inputs pass; empty if they never
        make the array wait.
    """

    plain: tuple[tuple[tuple[str, int], ...], ...]
    flattened: tuple[tuple[Unrolling, int, int], ...]
    trips: tuple[tuple[str, ...], ...]
    own: frozenset[str]
    links: tuple[tuple[str, ...], ...]
    inputs: tuple[int, ...]


def size_columns(
    steps: GroupSteps, bounds: Mapping[str, int], tile: Mapping[str, IntArray]
) -> list[IntArray]:
    """Return what a choice of sizes of some loops can change in the cycles, less is better.

    If one choice is no larger in every column than another, it takes no more cycles, with any
    assignment and any tile sizes of the other loops.

    Parameters
    ----------
    steps, bounds
        Of the loops.
    tile : loop to tile sizes of shape (sizes,)
    """
    columns: dict[bytes, IntArray] = {}
    for loop, factor in dict.fromkeys(pair for plain in steps.plain for pair in plain):
        if bounds[loop] > 1:
            column = loop_steps(tile[loop], bounds[loop], factor)
            columns.setdefault(column.tobytes(), column)
    for loops, size, most in steps.flattened:
        tiles, others = [tile[loop][:, None] for loop in loops], np.arange(1, most + 1)[None, :]
        table = flattened_steps(tiles, [bounds[loop] for loop in loops], size, others)
        for column in np.ascontiguousarray(table.T):
            columns.setdefault(column.tobytes(), column)
    for loop in tile if steps.trips or steps.links else ():
        column = -(-bounds[loop] // tile[loop])
        columns.setdefault(column.tobytes(), column)
    return [column for column in columns.values() if column.min() < column.max()]


def group_costs(
    steps: GroupSteps, bounds: Mapping[str, int], sizes: Mapping[str, IntArray]
) -> IntArray:
    """Return what sizes of some loops multiply in the steps, and with fill in the passes.

    Parameters
    ----------
    steps, bounds
        Of the loops.
    sizes
        ``t_<loop>`` and ``n_<loop>`` of shape (sizes,), and ``fetched_<axis>`` of a spatial pair.

    Returns
    -------
    shape (sizes, assignments, or twice with fill, once more with inputs, and two with links)
        Steps by assignment, then passes, then bits of inputs by assignment, of sums and of weights
        that pass between the buffers and the array; flattened axes and free loops are left out.
    """
    number = len(next(iter(sizes.values())))
    again = (*steps.trips, *(() for _ in steps.inputs), *steps.links)
    costs = np.ones((number, len(steps.plain) + len(again)), dtype=np.int64)
    known: Known = {}
    for column, plain in enumerate(steps.plain):
        for loop, factor in plain:
            if (loop, factor) not in known:
                known[loop, factor] = loop_steps(sizes[f"t_{loop}"], bounds[loop], factor)
            costs[:, column] *= known[loop, factor]
            if steps.trips and loop in steps.own:
                costs[:, len(steps.plain) + column] *= known[loop, factor]
    for column, loops in enumerate(again, start=len(steps.plain)):
        for loop in loops:
            costs[:, column] *= sizes[f"n_{loop}"]
    if steps.inputs:
        first = len(steps.plain) + len(steps.trips)
        costs[:, first : first + len(steps.inputs)] = _input_costs(steps, bounds, sizes)
    return costs


def _input_costs(
    steps: GroupSteps, bounds: Mapping[str, int], sizes: Mapping[str, IntArray]
) -> IntArray:
    """Return what sizes of some loops multiply in the bits of inputs, by assignment."""
    if "k" in bounds:
        counts = [loop_steps(sizes["t_k"], bounds["k"], factor) for factor in steps.inputs]
        return np.stack(counts, axis=1)
    rows = np.ones_like(next(iter(sizes.values())))
    for name, column in sizes.items():
        if name.startswith("fetched_"):
            rows = rows * column
    return rows[:, None]
