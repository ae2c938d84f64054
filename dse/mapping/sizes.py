"""Tile sizes worth trying, loop by loop: thinned only by dominance that is proven lossless."""

from collections.abc import Mapping, Sequence

import numpy as np

from dse.arrays import IntArray
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.cycles import CycleCounter
from dse.mapping.front import thinned
from dse.mapping.orders import GROUPS, Variant
from dse.mapping.rows import SpatialAxis, pair_sizes
from dse.workload import Layer

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


def all_sizes(layer: Layer, chip: Accelerator, group: Sequence[str]) -> dict[str, IntArray]:
    """Return every tile size, or pair of sizes, of a group of loops that the chip allows."""
    if len(group) == 1:
        (loop,) = group
        least, most = size_range(layer, chip, loop)
        tile = np.arange(least, most + 1)
        return {f"t_{loop}": tile, f"n_{loop}": -(-layer.bounds[loop] // tile)}
    out, taps = group
    axis = out[1]
    spatial = SpatialAxis.of(layer, axis, whole_runs=chip.partial_rows_are_fetched)
    pairs = pair_sizes(spatial, size_range(layer, chip, out), size_range(layer, chip, taps))
    return {
        f"t_{out}": pairs.out,
        f"n_{out}": pairs.num_out,
        f"t_{taps}": pairs.taps,
        f"n_{taps}": pairs.num_taps,
        f"distinct_{axis}": pairs.distinct,
        f"fetched_{axis}": pairs.fetched,
        f"kept_{axis}": pairs.kept,
    }


def thinned_sizes(
    every: Mapping[str, IntArray], group: Sequence[str], variant: Variant, counter: CycleCounter
) -> Sizes:
    """Return the sizes of a group that can be best with the loop order of a variant.

    Parameters
    ----------
    every
        Columns of all sizes, as `all_sizes` returns them.
    group
        The loops of the group.
    variant
        The loop order: it says which tile counts and rows change the traffic.
    counter
        It says which sizes change the compute cycles.
    """
    allowed = np.ones(len(every[f"t_{group[0]}"]), dtype=bool)
    for loop in variant.uncut & set(group):
        allowed &= every[f"n_{loop}"] == 1
    columns = {name: column[allowed] for name, column in every.items()}
    traffic = [columns[name] for name in variant.traffic_columns(group)]
    cycles = counter.size_columns({loop: columns[f"t_{loop}"] for loop in group})
    stays = thinned([*traffic, *cycles])
    return {name: column[stays] for name, column in columns.items()}


def sizes_by_group(
    layer: Layer, chip: Accelerator, variant: Variant, counter: CycleCounter
) -> tuple[Sizes, ...]:
    """Return the candidate sizes of each group of `GROUPS` for a variant."""
    return tuple(
        thinned_sizes(all_sizes(layer, chip, group), group, variant, counter) for group in GROUPS
    )
