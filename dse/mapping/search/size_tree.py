"""Trees of the tile sizes of a group of loops, compiled.

Each row of a tree stands for a range of sizes and holds the minima of their costs, so that a box of
ranges bounds every mapping in it.
"""

from typing import NamedTuple

import numpy as np

from dse.arrays import IntArray
from dse.compiling import allocating, compiled

LEFT, RIGHT, SPREAD, LEAST, MOST, WIDTH = 0, 1, 2, 3, 5, 7
"""Columns of a tree: halves (-1 for none), width, least and most tile size of up to two loops."""

ELEMENTS, ROWS, PASSES, FACTORS = 0, 3, 6, 9
"""Columns of factors: tile elements of input, weight, output; input rows fetched, kept along y,
kept along x; passes of input, weight, output."""


class Trees(NamedTuple):
    """The sizes of each group of loops; each row holds the least of its halves.

    Attributes
    ----------
    nodes : shape (rows, WIDTH)
        See `LEFT`.
    factors : shape (rows, FACTORS)
        See `ELEMENTS`.
    steps : shape (rows, assignments, twice with fill, once more with inputs, and two with links)
        Array steps by assignment of the axes, then array passes; flattened axes are left out. Then
        bits that pass between the buffers and the array: those of inputs by assignment, if they
        are limited, and those of partial sums and of weights.
    """

    nodes: IntArray
    factors: IntArray
    steps: IntArray


@allocating
def _cut(tiles: IntArray, low: int, high: int) -> int:
    """Return where to halve the sorted sizes low..high-1: at the geometric middle."""
    column = 1 if tiles[low, 1] != tiles[high - 1, 1] else 0
    middle = np.sqrt(float(tiles[low, column]) * tiles[high - 1, column])
    index = low + 1
    while index < high - 1 and tiles[index, column] <= middle:
        index += 1
    return index


@allocating
def _set_leaf(node: IntArray, tiles: IntArray) -> None:
    node[LEFT:LEAST] = (-1, -1, 0)
    node[LEAST:MOST] = tiles
    node[MOST:WIDTH] = tiles


@allocating
def _set_parent(node: IntArray, left: IntArray, right: IntArray) -> None:
    wide = 1.0
    for loop in range(2):
        node[LEAST + loop] = min(left[LEAST + loop], right[LEAST + loop])
        node[MOST + loop] = max(left[MOST + loop], right[MOST + loop])
        wide *= node[MOST + loop] / node[LEAST + loop]
    node[SPREAD] = 1 + int(1024 * np.log(wide))


@allocating
def grow_tree(tiles: IntArray, costs: IntArray) -> tuple[IntArray, IntArray]:
    """Return the tree of the sizes of a group, its root in row 0, and the least costs of each row.

    Parameters
    ----------
    tiles : shape (sizes, 2), sorted by the second column, then the first
        Tile sizes of the loops of the group; 1 for a second loop that it does not have.
    costs : shape (sizes, columns)
        Factors, steps and passes of each size.
    """
    size = tiles.shape[0]
    nodes = np.empty((2 * size - 1, WIDTH), dtype=np.int64)
    minima = np.empty((2 * size - 1, costs.shape[1]), dtype=np.int64)
    ends = np.empty((2 * size - 1, 2), dtype=np.int64)
    ends[0] = (0, size)
    count = 1
    for row in range(2 * size - 1):
        low, high = ends[row]
        if high - low == 1:
            _set_leaf(nodes[row], tiles[low])
            minima[row] = costs[low]
            continue
        middle = _cut(tiles, low, high)
        ends[count] = (low, middle)
        ends[count + 1] = (middle, high)
        nodes[row, LEFT] = count
        nodes[row, RIGHT] = count + 1
        count += 2
    for row in range(2 * size - 2, -1, -1):
        if nodes[row, LEFT] >= 0:
            left, right = nodes[row, LEFT], nodes[row, RIGHT]
            _set_parent(nodes[row], nodes[left], nodes[right])
            minima[row] = np.minimum(minima[left], minima[right])
    return nodes, minima


@compiled
def join_tree(trees: Trees, root: int, nodes: IntArray, minima: IntArray) -> None:
    """Put the tree of a group among those of all, its root in the given row.

    Parameters
    ----------
    nodes : shape (rows, WIDTH)
        As `grow_tree` returns them.
    minima : shape (rows, FACTORS + columns of steps)
        Least costs of each row.
    """
    for row in range(len(nodes)):
        for column in range(WIDTH):
            trees.nodes[root + row, column] = nodes[row, column]
        if nodes[row, LEFT] >= 0:
            trees.nodes[root + row, LEFT] += root
            trees.nodes[root + row, RIGHT] += root
        for column in range(FACTORS):
            trees.factors[root + row, column] = minima[row, column]
        for column in range(trees.steps.shape[1]):
            trees.steps[root + row, column] = minima[row, FACTORS + column]
