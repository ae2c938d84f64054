"""Tile sizes worth trying, by group of loops: thinned only by dominance that is proven lossless."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dse.arrays import IntArray
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.nest.array_steps import GroupSteps, size_columns
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.dominance import first_undominated
from dse.mapping.nest.input_rows import SpatialAxis
from dse.mapping.nest.pair_rows import pair_sizes
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


class LoopGroup(NamedTuple):
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


def groups_of(layer: Layer, chip: Accelerator, counter: CycleCounter) -> list[LoopGroup]:
    """Return the groups of loops of a layer on a chip."""
    bounds, found = layer.bounds, []
    for loops in GROUPS:
        spatial = None
        if len(loops) > 1:
            spatial = SpatialAxis.of(layer, loops[0][1], whole_runs=chip.partial_rows_are_fetched)
        found.append(
            LoopGroup(
                bounds=tuple((loop, bounds[loop]) for loop in loops),
                ranges=tuple(size_range(layer, chip, loop) for loop in loops),
                spatial=spatial,
                steps=counter.group_steps(loops),
            )
        )
    return found


PAIRS_AT_ONCE = 2**16
"""Pairs of sizes that are thinned together: more of them are thinned in parts first."""


def _pairs_in_parts(group: LoopGroup) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield every pair of sizes of a spatial group, a range of filter sizes at a time.

    Pairs are in lexicographic order of (output size, filter size).
    """
    (least, most), (fewest, longest) = group.ranges
    outs = np.arange(least, most + 1)
    step = max(PAIRS_AT_ONCE // len(outs), 1)
    for first in range(fewest, longest + 1, step):
        taps = np.arange(first, min(first + step, longest + 1))
        yield np.repeat(outs, len(taps)), np.tile(taps, len(outs))


def _pair_columns(group: LoopGroup, out: IntArray, taps: IntArray) -> dict[str, IntArray]:
    """Return pairs of sizes of a spatial group as columns; see `Sizes`."""
    assert group.spatial is not None
    loops = [loop for loop, _ in group.bounds]
    pairs, axis = pair_sizes(group.spatial, out, taps), loops[0][1]
    return {
        f"t_{loops[0]}": pairs.out,
        f"n_{loops[0]}": pairs.num_out,
        f"t_{loops[1]}": pairs.taps,
        f"n_{loops[1]}": pairs.num_taps,
        f"distinct_{axis}": pairs.distinct,
        f"fetched_{axis}": pairs.fetched,
        f"kept_{axis}": pairs.kept,
    }


def _thinned(group: LoopGroup, sizes: Sizes) -> Sizes:
    """Return the undominated sizes of those given, which are in lexicographic order."""
    tile = {loop: sizes[f"t_{loop}"] for loop, _ in group.bounds}
    cycles = size_columns(group.steps, dict(group.bounds), tile)
    index = first_undominated(np.stack([*sizes.values(), *cycles], axis=1))
    return {name: column[index] for name, column in sizes.items()}


def sizes_worth_trying(group: LoopGroup) -> Sizes:
    """Return the sizes of a group of loops that can be best with some order of the loops.

    A size goes when another is no larger, and takes no more tiles, rows, steps or passes.
    """
    if group.spatial is None:
        ((loop, bound),), ((least, most),) = group.bounds, group.ranges
        tile = np.arange(least, most + 1)
        return _thinned(group, {f"t_{loop}": tile, f"n_{loop}": -(-bound // tile)})
    parts = [_thinned(group, _pair_columns(group, *pairs)) for pairs in _pairs_in_parts(group)]
    if len(parts) == 1:
        return parts[0]
    return _joined(group, parts)


def _joined(group: LoopGroup, parts: Sequence[Sizes]) -> Sizes:
    """Return the undominated sizes of several parts, in lexicographic order.

    A pair of no larger tiles has no fewer of them, so that rivals have as many of both.
    """
    (out, _), (taps, _) = group.bounds
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    keys = joined[f"n_{out}"], joined[f"n_{taps}"]
    order = np.lexsort((joined[f"t_{taps}"], joined[f"t_{out}"], *keys[::-1]))
    sizes = {name: column[order] for name, column in joined.items()}
    tile = {loop: sizes[f"t_{loop}"] for loop, _ in group.bounds}
    cycles = size_columns(group.steps, dict(group.bounds), tile)
    groups = keys[0][order] * (int(keys[1].max()) + 1) + keys[1][order]
    index = first_undominated(np.stack([*sizes.values(), *cycles], axis=1), groups)
    index = index[np.lexsort((sizes[f"t_{taps}"][index], sizes[f"t_{out}"][index]))]
    return {name: column[index] for name, column in sizes.items()}
