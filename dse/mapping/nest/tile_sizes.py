"""Tile sizes worth trying, by group of loops: thinned only by dominance that is proven lossless."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dse.arrays import IntArray
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.nest.array_steps import GroupSteps, size_columns
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.input_rows import SpatialAxis, pair_sizes
from dse.mapping.search.size_tree import first_undominated
from dse.workload import Layer

GROUPS = (("b",), ("g",), ("k",), ("c",), ("oy", "fy"), ("ox", "fx"))
"""The loops whose sizes are chosen together: a spatial pair decides the rows that are fetched."""

LARGEST_LOOP = 2**22
"""Sizes of a loop are listed one by one, so that a bound may not exceed this."""

Sizes = Mapping[str, IntArray]
"""Sizes of one group of loops, columns of shape (sizes,) by name.

``t_<loop>`` tile size and ``n_<loop>`` number of tiles; for a spatial pair also ``distinct_<axis>``
rows of the nominal tile, and ``fetched_<axis>`` and ``kept_<axis>`` rows of all tiles.
"""


def size_range(layer: Layer, chip: Accelerator, loop: str) -> tuple[int, int]:
    """Return the least and most tile size of a loop that the constraints leave."""
    bound = layer.bounds[loop]
    if bound > LARGEST_LOOP:
        raise DseError(
            f"layer {layer.name!r}.{loop} must be at most {LARGEST_LOOP} to be mapped, got {bound}"
        )
    least = min(dict(chip.constraints.min_tile).get(loop, 1), bound)
    most = min(dict(chip.constraints.max_tile).get(loop, bound), bound)
    return least, most


class Group(NamedTuple):
    """A group of loops, and all of a layer and an array that its sizes worth trying depend on.

    Attributes
    ----------
    bounds
        Loop bounds by loop.
    ranges
        Least and most tile size of each.
    spatial
        The geometry of a spatial pair.
    steps
        What the sizes change in the cycles.
    """

    bounds: tuple[tuple[str, int], ...]
    ranges: tuple[tuple[int, int], ...]
    spatial: SpatialAxis | None
    steps: GroupSteps


def groups_of(layer: Layer, chip: Accelerator, counter: CycleCounter) -> list[Group]:
    """Return the groups of loops of a layer on a chip."""
    bounds, found = layer.bounds, []
    for loops in GROUPS:
        spatial = None
        if len(loops) > 1:
            spatial = SpatialAxis.of(layer, loops[0][1], whole_runs=chip.partial_rows_are_fetched)
        found.append(
            Group(
                bounds=tuple((loop, bounds[loop]) for loop in loops),
                ranges=tuple(size_range(layer, chip, loop) for loop in loops),
                spatial=spatial,
                steps=counter.group_steps(loops),
            )
        )
    return found


def _all_sizes(group: Group) -> dict[str, IntArray]:
    """Return every tile size, or pair of sizes, of a group of loops that the chip allows.

    Rows are in lexicographic order of (output size, filter size) of a pair.
    """
    loops = [loop for loop, _ in group.bounds]
    if group.spatial is None:
        ((loop, bound),), ((least, most),) = group.bounds, group.ranges
        tile = np.arange(least, most + 1)
        return {f"t_{loop}": tile, f"n_{loop}": -(-bound // tile)}
    out, taps = loops
    axis = out[1]
    pairs = pair_sizes(group.spatial, *group.ranges)
    return {
        f"t_{out}": pairs.out,
        f"n_{out}": pairs.num_out,
        f"t_{taps}": pairs.taps,
        f"n_{taps}": pairs.num_taps,
        f"distinct_{axis}": pairs.distinct,
        f"fetched_{axis}": pairs.fetched,
        f"kept_{axis}": pairs.kept,
    }


def sizes_worth_trying(group: Group) -> Sizes:
    """Return the sizes of a group of loops that can be best with some order of the loops.

    A size goes when another is no larger, and takes no more tiles, rows, steps or passes.
    """
    every = _all_sizes(group)
    tile = {loop: every[f"t_{loop}"] for loop, _ in group.bounds}
    cycles = size_columns(group.steps, dict(group.bounds), tile)
    points = np.stack([*every.values(), *cycles], axis=1)
    index = first_undominated(points)
    return {name: column[index] for name, column in every.items()}
