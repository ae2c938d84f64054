"""A literal walk of a mapping whose operands may have tiles of their own (an uneven mapping).

A mapping is a list of nodes, outermost first, read as a nest of loops:

- ``{"loop": "k", "size": 171}``: the tiles of a loop, one after the other, the last one smaller;
- ``{"unroll": "k", "size": 1, "axis": 0}``: the tiles of a loop side by side along an axis;
- ``{"store": "weight"}``: below this node a tile of the operand is in the buffer.

Every visit of every tile is listed and counted with its real size, by the rules of
dse/docs/mapping-tables.md; nothing is taken from the mapping's own costs. Where all operands
are stored at one node the counts are those of tests/oracle/walk.py.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from dse.arrays import IntArray
from experiments.peers.question import LOOPS

OWN = {
    "input": ("b", "g", "c", "oy", "ox", "fy", "fx"),
    "weight": ("g", "k", "c", "fy", "fx"),
    "output": ("b", "g", "k", "oy", "ox"),
}

Node = dict[str, Any]
Bounds = dict[str, int]

Visits = dict[str, tuple[IntArray, ...]]
"""First and end of each own loop, one entry for each tile that is fetched."""


class Replay(NamedTuple):
    """What a mapping costs: elements moved, cycles, elements of the buffer, MACs on each axis."""

    elements: dict[str, int]
    cycles: int
    footprint: int
    unrolled: dict[int, int]

    @property
    def dram_elements(self) -> int:
        """Elements read and written, partial sums both ways."""
        return sum(self.elements.values())


def replay(
    bounds: Bounds, nodes: Sequence[Node], *, halo_is_kept: bool, along_filter: bool = False
) -> Replay:
    """Walk a mapping at stride 1 without padding.

    Parameters
    ----------
    bounds
        Bounds of the eight loops.
    nodes
        The mapping.
    halo_is_kept
        Whether an input tile that follows its neighbour along oy or ox fetches only what is new.
    along_filter
        Whether the same holds along fy and fx, which is not a rule of ours.

    Raises
    ------
    ValueError
        If an operand is not stored exactly once, or is stored below an unrolled loop.
    """
    stored = sorted(node["store"] for node in nodes if "store" in node)
    if stored != sorted(OWN):
        raise ValueError(f"each operand must be stored once, got {stored}")
    visits = {operand: _visits(bounds, _above(nodes, operand), operand) for operand in OWN}
    counts = {
        "input": _input_elements(visits["input"], _kept_along(halo_is_kept, along_filter)),
        "weight": int(_sizes(visits["weight"], OWN["weight"]).sum()),
        **_output_elements(visits["output"]),
    }
    footprint = sum(_tile_elements(bounds, _above(nodes, operand), operand) for operand in OWN)
    return Replay(counts, _cycles(bounds, nodes), footprint, _unrolled(bounds, nodes))


def _above(nodes: Sequence[Node], operand: str) -> list[Node]:
    place = next(i for i, node in enumerate(nodes) if node.get("store") == operand)
    above = [node for node in nodes[:place] if "store" not in node]
    if any("unroll" in node for node in above):
        raise ValueError(f"the tile of {operand} is below an unrolled loop: one buffer cannot")
    return above


def _visits(bounds: Bounds, loops: Sequence[Node], operand: str) -> Visits:
    """List the tiles that an operand holds, in order, one entry for each time that it changes."""
    first = {node["loop"]: np.zeros(1, np.int64) for node in loops}
    end = {loop: np.array([bounds[loop]]) for loop in first}
    for node in loops:
        loop, size = node["loop"], int(node["size"])
        count = -(-(end[loop] - first[loop]) // size)
        step = np.repeat(np.arange(len(count)), count)
        inside = np.arange(len(step)) - np.repeat(np.cumsum(count) - count, count)
        first = {x: part[step] for x, part in first.items()}
        end = {x: part[step] for x, part in end.items()}
        first[loop] = first[loop] + inside * size
        end[loop] = np.minimum(first[loop] + size, end[loop])
    own = [loop for loop in OWN[operand] if loop in first]
    steps = len(first[own[0]]) if own else 1
    changes = np.ones(steps, dtype=bool)
    if steps > 1:
        changes[1:] = np.any([first[x][1:] != first[x][:-1] for x in own], axis=0)
    visits = {}
    for loop in OWN[operand]:
        parts = (first[loop], end[loop]) if loop in own else (0, bounds[loop])
        visits[loop] = tuple(np.broadcast_to(part, steps)[changes] for part in parts)
    return visits


def _sizes(visits: Visits, loops: Sequence[str]) -> IntArray:
    return np.prod([visits[loop][1] - visits[loop][0] for loop in loops], axis=0)


def _kept_along(halo_is_kept: bool, along_filter: bool) -> list[tuple[str, str, str, str]]:
    """Return loop, the other loop of its axis, and both of the other axis, where halos stay."""
    output = [("oy", "fy", "ox", "fx"), ("ox", "fx", "oy", "fy")] if halo_is_kept else []
    taps = [("fy", "oy", "ox", "fx"), ("fx", "ox", "oy", "fy")] if along_filter else []
    return output + taps


def _input_elements(visits: Visits, kept_along: list[tuple[str, str, str, str]]) -> int:
    """Count the input elements fetched; at stride 1 the rows of a tile have no gaps."""
    size = {loop: end - first for loop, (first, end) in visits.items()}
    depth = size["b"] * size["g"] * size["c"]
    fetched = depth * (size["oy"] + size["fy"] - 1) * (size["ox"] + size["fx"] - 1)
    stays = {x: first[1:] == first[:-1] for x, (first, _) in visits.items()}
    for loop, partner, *across in kept_along:
        first, end = visits[loop]
        is_next = first[1:] == end[:-1]
        for other in OWN["input"]:
            is_next &= True if other == loop else stays[other]
        held = (size[partner] - 1) * (size[across[0]] + size[across[1]] - 1)
        fetched[1:] -= np.where(is_next, (depth * held)[1:], 0)
    return int(fetched.sum())


def _output_elements(visits: Visits) -> dict[str, int]:
    """Count outputs once, and partial sums for each time that a tile leaves and returns."""
    sizes = _sizes(visits, OWN["output"])
    tiles = np.stack([visits[loop][0] for loop in OWN["output"]], axis=1)
    _, once = np.unique(tiles, axis=0, return_index=True)
    whole, moved = int(sizes[once].sum()), int(sizes.sum())
    return {"output": whole, "psum_write": moved - whole, "psum_read": moved - whole}


def _tile_elements(bounds: Bounds, loops: Sequence[Node], operand: str) -> int:
    """Count the elements of an operand's largest tile."""
    tile = dict(bounds)
    for node in loops:
        tile[node["loop"]] = min(tile[node["loop"]], int(node["size"]))
    if operand != "input":
        return prod(tile[loop] for loop in OWN[operand])
    rows = (tile[f"o{axis}"] + tile[f"f{axis}"] - 1 for axis in "yx")
    return prod(tile[loop] for loop in ("b", "g", "c")) * prod(rows)


def _cycles(bounds: Bounds, nodes: Sequence[Node]) -> int:
    """Count the steps of the innermost loop; tiles side by side take as long as the largest."""
    return prod(_steps(bounds[loop], [n for n in nodes if _loop(n) == loop]) for loop in LOOPS)


def _loop(node: Node) -> str:
    return str(node.get("loop") or node.get("unroll"))


def _steps(extent: int, nodes: Sequence[Node]) -> int:
    if not nodes:
        return extent
    size, inner = int(nodes[0]["size"]), nodes[1:]
    if "unroll" in nodes[0]:
        return _steps(min(size, extent), inner)
    whole, rest = divmod(extent, size)
    return (whole * _steps(size, inner) if whole else 0) + (_steps(rest, inner) if rest else 0)


def _unrolled(bounds: Bounds, nodes: Sequence[Node]) -> dict[int, int]:
    """Return the MACs that are taken along each axis."""
    extent, taken = dict(bounds), dict[int, int]()
    for node in nodes:
        if "store" not in node:
            loop, size = _loop(node), int(node["size"])
            if "unroll" in node:
                taken[node["axis"]] = taken.get(node["axis"], 1) * -(-extent[loop] // size)
            extent[loop] = min(extent[loop], size)
    return taken
