"""The sizes of each group of loops as a tree, kept: many arrays and layers share them."""

from collections.abc import Sequence
from functools import lru_cache
from math import prod

import numpy as np

from dse.arrays import IntArray
from dse.mapping.cycles import CycleCounter
from dse.mapping.sizes import Group, sizes_worth_trying
from dse.mapping.skyline import FACTORS, LEFT, RIGHT, Trees, grow_tree
from dse.mapping.steps import group_costs

LARGEST_CACHE = 4096
"""Trees that are kept; those of a thousand sizes take 100 kB."""


@lru_cache(maxsize=LARGEST_CACHE)
def tree_of(group: Group, factor_names: tuple[tuple[str, ...], ...]) -> tuple[IntArray, IntArray]:
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
    return grow_tree(np.stack(own, axis=1)[order], costs[order], 0)


def joined_trees(
    counter: CycleCounter, groups: Sequence[Group], factor_names: tuple[tuple[str, ...], ...]
) -> tuple[Trees, IntArray]:
    """Return the trees of all groups as one, and the rows of the roots, then that of the end.

    What groups of one size multiply goes to the first group of several, as do free loops.
    """
    grown = [tree_of(group, factor_names) for group in groups]
    roots = np.cumsum([0, *(len(nodes) for nodes, _ in grown)])
    first = open_groups(roots)[0]
    scale = np.concatenate([np.ones(FACTORS, dtype=np.int64), counter.free_counts()])
    nodes, costs = [], []
    for place, (own, least) in enumerate(grown):
        moved = own.copy()
        moved[:, LEFT : RIGHT + 1] += np.where(own[:, LEFT : RIGHT + 1] < 0, 0, roots[place])
        nodes.append(moved)
        if len(own) == 1 and place != first:
            scale = scale * least[0]
            least = np.ones_like(least)
        costs.append(least)
    costs[first] = costs[first] * scale
    every = np.concatenate(costs)
    trees = Trees(
        nodes=np.concatenate(nodes),
        factors=np.ascontiguousarray(every[:, :FACTORS]),
        steps=np.ascontiguousarray(every[:, FACTORS:]),
    )
    return trees, roots


def open_groups(roots: IntArray) -> list[int]:
    """Return the groups whose trees have more than one row, or the first; `roots` ends with all."""
    return np.flatnonzero(np.diff(roots) > 1).tolist() or [0]
