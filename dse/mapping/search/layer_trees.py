"""The sizes of each group of loops as a tree, cached: many arrays and layers share them."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import prod

import numpy as np

from dse.arrays import IntArray
from dse.caching import ByteCache
from dse.mapping.nest.array_steps import group_costs
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.tile_sizes import LoopGroup, sizes_worth_trying
from dse.mapping.search.size_tree import FACTORS, WIDTH, Trees, grow_tree, join_tree

Tree = tuple[IntArray, IntArray]

TREES: ByteCache[Tree] = ByteCache(2**26, lambda tree: sum(int(x.nbytes) for x in tree))
"""Trees by group and factors, 64 MiB; one of a thousand sizes takes 100 kB."""


def tree_of(group: LoopGroup, factor_names: tuple[tuple[str, ...], ...]) -> Tree:
    """Return the cached tree of a group's sizes; see `_computed_tree`."""
    return TREES.get_or_compute((group, factor_names), lambda: _computed_tree(group, factor_names))


def _computed_tree(group: LoopGroup, factor_names: tuple[tuple[str, ...], ...]) -> Tree:
    """Return the tree of a group's sizes, its root in row 0, and the least costs of each row.

    Costs are the factors, each the product of the columns of sizes that it names, then steps and
    passes by assignment; see `Trees`.
    """
    sizes, loops = sizes_worth_trying(group), [loop for loop, _ in group.bounds]
    ones = np.ones_like(sizes[f"t_{loops[0]}"])
    own = [sizes[f"t_{loop}"] for loop in loops] + [ones] * (2 - len(loops))
    factors = [
        prod((sizes[name] for name in names if name in sizes), start=ones) for names in factor_names
    ]
    costs = np.column_stack([*factors, group_costs(group.steps, dict(group.bounds), sizes)])
    order = np.lexsort(own)
    return grow_tree(np.stack(own, axis=1)[order], costs[order])


def joined_trees(
    counter: CycleCounter, groups: Sequence[LoopGroup], factor_names: tuple[tuple[str, ...], ...]
) -> tuple[Trees, list[int]]:
    """Return the trees of all groups as one, and the rows of the roots, then that of the end.

    What groups of one size multiply goes to the first group of several, as do free loops.
    """
    group_trees = [tree_of(group, factor_names) for group in groups]
    roots = list(accumulate((len(nodes) for nodes, _ in group_trees), initial=0))
    opened = open_groups(roots)
    scale = np.concatenate([np.ones(FACTORS, dtype=np.int64), counter.free_counts()])
    trees = Trees(
        nodes=np.empty((roots[-1], WIDTH), dtype=np.int64),
        factors=np.empty((roots[-1], FACTORS), dtype=np.int64),
        steps=np.empty((roots[-1], len(scale) - FACTORS), dtype=np.int64),
    )
    ones = np.ones((1, len(scale)), dtype=np.int64)
    for group, (nodes, minima) in enumerate(group_trees):
        if group not in opened:
            scale *= minima[0]
        join_tree(trees, roots[group], nodes, minima if group in opened else ones)
    first = slice(*roots[opened[0] : opened[0] + 2])
    trees.factors[first] *= scale[:FACTORS]
    trees.steps[first] *= scale[FACTORS:]
    return trees, roots


def open_groups(roots: Sequence[int]) -> list[int]:
    """Return the groups whose trees have more than one row, or the first; `roots` ends with all."""
    return [group for group, rows in enumerate(pairwise(roots)) if rows[1] - rows[0] > 1] or [0]
