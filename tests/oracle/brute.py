"""Brute force over every mapping of a small layer: all integer tiles, loop orders, unrollings.

`all_mappings` is the literal list. `brute_force_front` visits the same mappings; it evaluates
traffic once for each (tile, order) and cycles once for each (tile, unrolling), as neither depends
on the rest, and remembers the sizes of tiles. test_oracle.py compares both with `walk`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import permutations, product
from math import inf, prod
from operator import itemgetter

import numpy as np

from dse.hardware import Accelerator
from dse.workload import Layer
from tests.oracle.packing import packed
from tests.oracle.walk import (
    LOOPS,
    OWN,
    REDUCED,
    Tile,
    Unrolled,
    cuts,
    first_last_bits,
    footprint_bits,
    real,
    tile_cycles,
    touched,
    waiting_cycles,
)

Criteria = tuple[int, ...]
"""Bits of each buffer, then DRAM bits, compute cycles, bits of first fetch and last write."""


def all_tiles(layer: Layer, chip: Accelerator) -> Iterator[Tile]:
    """Every integer tile that the constraints allow; they are cut to the loop's bound."""
    least, most = dict(chip.constraints.min_tile), dict(chip.constraints.max_tile)
    sizes = []
    for loop in LOOPS:
        bound = getattr(layer, loop)
        low, high = min(least.get(loop, 1), bound), min(most.get(loop, bound), bound)
        sizes.append(range(low, high + 1))
    for chosen in product(*sizes):
        yield dict(zip(LOOPS, chosen, strict=True))


def cut_loops(layer: Layer, tile: Tile) -> tuple[str, ...]:
    """Return the loops with more than one tile: only their order counts."""
    return tuple(loop for loop in LOOPS if tile[loop] < getattr(layer, loop))


@cache
def allowed_orders(
    loops: tuple[str, ...], stationarity: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    """Return the orders of loops in which the machine may run.

    A machine that may keep any operand in place runs every order. Another needs the loops that
    one of its operands does not depend on to be innermost.
    """
    every = tuple(permutations(loops))
    if set(stationarity) == set(OWN):
        return every
    return tuple(order for order in every if any(stays(order, op) for op in stationarity))


def stays(order: tuple[str, ...], operand: str) -> bool:
    """Whether the loops that the operand does not depend on are innermost."""
    foreign = [loop not in OWN[operand] for loop in order]
    return foreign == sorted(foreign)


def all_orders(layer: Layer, chip: Accelerator, tile: Tile) -> Iterator[tuple[str, ...]]:
    """Every order of the loops that are cut which the machine may run: the given one, if any."""
    cut, given = cut_loops(layer, tile), chip.constraints.order
    for order in allowed_orders(cut, chip.stationarity):
        if not given or order == tuple(loop for loop in given if loop in cut):
            yield order


def full_order(order: Sequence[str]) -> tuple[str, ...]:
    """All eight loops: those with one tile first, where they do not count."""
    return (*(loop for loop in LOOPS if loop not in order), *order)


def all_unrollings(chip: Accelerator) -> list[Unrolled]:
    """Every choice for each axis, or none; a loop of a flattened axis is on no other axis."""
    given = chip.constraints.unrolled or (None,) * len(chip.array)
    free = [dict.fromkeys([(), *axis.dims]) for axis in chip.array]
    return [
        chosen
        for chosen in product(*(y if x is None else [x] for x, y in zip(given, free, strict=True)))
        if all(
            len(one) < 2 or not set(one) & set(other)
            for i, one in enumerate(chosen)
            for j, other in enumerate(chosen)
            if i != j
        )
    ]


def all_mappings(
    layer: Layer, chip: Accelerator
) -> Iterator[tuple[Tile, tuple[str, ...], Unrolled]]:
    """Every mapping: tile, order of all loops, loops of each axis."""
    for tile in all_tiles(layer, chip):
        for order in all_orders(layer, chip, tile):
            for unrolled in all_unrollings(chip):
                yield tile, full_order(order), unrolled


class Traffic:
    """DRAM bits of one tile under many orders of the loops that are cut."""

    def __init__(self, layer: Layer, chip: Accelerator, tile: Tile) -> None:
        self.layer, self.chip = layer, chip
        self.tiles = cuts(layer, tile)
        self.input_tile = cache(self._input_tile)
        self.kept = cache(self._kept)
        self.weight_tile = cache(lambda *at: self._elements("weight", at))
        self.output_tile = cache(lambda *at: self._elements("output", at))
        self.reductions = prod(len(self.tiles[loop]) for loop in REDUCED)

    def _elements(self, operand: str, at: tuple[int, ...]) -> int:
        parts = zip(OWN[operand], at, strict=True)
        return prod(len(self.tiles[loop][number]) for loop, number in parts)

    def _input_tile(self, *at: int) -> tuple[int, set[int], set[int]]:
        part = {loop: self.tiles[loop][n] for loop, n in zip(OWN["input"], at, strict=True)}
        runs = self.chip.partial_rows_are_fetched
        rows, columns = (
            real(self.layer, a, touched(self.layer, a, part[f"o{a}"], part[f"f{a}"], runs=runs))
            for a in "yx"
        )
        return len(part["b"]) * len(part["g"]) * len(part["c"]), rows, columns

    def _kept(self, before: tuple[int, ...], now: tuple[int, ...]) -> int:
        moved = [
            (OWN["input"][i], n - o)
            for i, (o, n) in enumerate(zip(before, now, strict=True))
            if o != n
        ]
        if not self.chip.halo_is_kept or moved not in ([("oy", 1)], [("ox", 1)]):
            return 0
        depth, rows, columns = self.input_tile(*now)
        _, rows_before, columns_before = self.input_tile(*before)
        return depth * len(rows & rows_before) * len(columns & columns_before)

    def bits(self, order: tuple[str, ...]) -> int:
        """Count the DRAM bits in this order of the loops that are cut."""
        carried = self.chip.dram.holds
        return sum(
            packed(self.layer, self.chip, kind, count)
            for kind, count in self.counts(order).items()
            if ("output" if kind.startswith("psum") else kind) in carried
        )

    def counts(self, order: tuple[str, ...]) -> Counter[str]:
        """Count the elements that move by operand, partial sums apart, in this order."""
        loops = full_order(order)
        at = {op: itemgetter(*(loops.index(loop) for loop in OWN[op])) for op in OWN}
        counts: Counter[str] = Counter()
        held_input = held_weight = held_output = None
        visits: Counter[tuple[int, ...]] = Counter()  # reduction tiles done, by output tile
        for index in product(*(range(len(self.tiles[loop])) for loop in loops)):
            key = at["input"](index)
            if key != held_input:
                depth, rows, columns = self.input_tile(*key)
                counts["input"] += depth * len(rows) * len(columns)
                counts["input"] -= 0 if held_input is None else self.kept(held_input, key)
                held_input = key
            key = at["weight"](index)
            if key != held_weight:
                counts["weight"] += self.weight_tile(*key)
                held_weight = key
            key = at["output"](index)
            if key != held_output:
                self._leave(counts, held_output, visits)
                counts["psum_read"] += self.output_tile(*key) * (visits[key] > 0)
                held_output = key
            visits[key] += 1
        self._leave(counts, held_output, visits)
        return counts

    def _leave(
        self,
        counts: Counter[str],
        held: tuple[int, ...] | None,
        visits: Counter[tuple[int, ...]],
    ) -> None:
        if held is not None:
            kind = "output" if visits[held] == self.reductions else "psum_write"
            counts[kind] += self.output_tile(*held)


class Cycles:
    """Compute cycles of a layer's tiles on a machine; equal tiles are evaluated once."""

    def __init__(self, layer: Layer, chip: Accelerator) -> None:
        self.layer, self.chip = layer, chip
        self.unrollings = all_unrollings(chip)
        self.tile_cycles = cache(self._tile_cycles)

    def _tile_cycles(self, pieces: tuple[range, ...], unrolled: Unrolled) -> int:
        part = dict(zip(LOOPS, pieces, strict=True))
        return tile_cycles(self.layer, self.chip, part, unrolled)

    def cycles(self, tile: Tile) -> dict[Unrolled, int]:
        """Count the compute cycles of a tile size under every unrolling."""
        tiles = cuts(self.layer, tile)
        pieces: Counter[tuple[range, ...]] = Counter()
        is_waiting = "input" in dict(self.chip.array_bits_per_cycle)
        placed: set[str] = set()  # of other loops only the sizes of tiles count
        if is_waiting or not self.chip.padding_is_computed:  # padding never passes
            placed |= {"oy", "ox", "fy", "fx"}
        if self.chip.held_in_array == "sum":
            placed |= {"c", "fy", "fx"}  # the last of them finishes the sums
        for loop in set(LOOPS) - placed:
            tiles[loop] = [range(len(piece)) for piece in tiles[loop]]
        for chosen in product(*(tiles[loop] for loop in LOOPS)):
            pieces[chosen] += 1
        return {
            unrolled: waiting_cycles(
                self.layer,
                self.chip,
                [(dict(zip(LOOPS, piece, strict=True)), n) for piece, n in pieces.items()],
                sum(n * self.tile_cycles(piece, unrolled) for piece, n in pieces.items()),
                unrolled,
            )
            for unrolled in self.unrollings
        }


def non_dominated(points: Iterable[Criteria]) -> set[Criteria]:
    """Return the points that no other equals or betters in all criteria."""
    front: list[Criteria] = []
    kept = np.empty((0, 0))
    for point in sorted(set(points)):  # whatever dominates a point is sorted before it
        row = np.array([point])
        if not front or not (kept <= row).all(axis=1).any():
            front.append(point)
            kept = row if kept.size == 0 else np.concatenate([kept, row])
    return set(front)


def brute_force_front(layer: Layer, chip: Accelerator) -> set[Criteria]:
    """Return the criteria of the mappings that no other dominates.

    Bytes depend on the tile, traffic on tile and order, cycles on tile and unrolling: of each tile
    only the least traffic and cycles can be on the front, and one mapping has both.
    """
    points = set()
    cycles = Cycles(layer, chip)
    for tile in all_tiles(layer, chip):
        traffic = Traffic(layer, chip, tile)
        bits = [traffic.bits(order) for order in all_orders(layer, chip, tile)]
        if bits:  # else the machine does not allow a given order with this tile
            least = min(bits), min(cycles.cycles(tile).values())
            ends = first_last_bits(layer, chip, tile)
            points.add((*footprint_bits(layer, chip, tile), *least, ends))
    return non_dominated(points)


def fits(criteria: Criteria, chip: Accelerator) -> bool:
    """Whether the tiles fit in their buffers: in half of each if it is double buffered."""
    share = 2 if chip.transfers == "double_buffered" else 1
    sizes = [8 * size // share for size in chip.buffer_sizes_bytes]
    return all(used <= size for used, size in zip(criteria, sizes, strict=False))


def latency(criteria: Criteria, chip: Accelerator) -> float:
    """Seconds that a layer takes, one run; infinite if its tiles do not fit."""
    dram_bits, cycles, ends = criteria[-3:]
    rate = 8 * chip.peak_dram_bytes_per_s * chip.dram.efficiency
    compute, transfer = cycles / chip.clock_hz, dram_bits / rate
    if not fits(criteria, chip):
        return inf
    if chip.transfers == "serial":
        return compute + transfer
    first_last = min(ends / rate, transfer) if chip.transfers == "double_buffered" else 0
    return max(compute + first_last, transfer)


def value(
    criteria: Criteria, chip: Accelerator, objective: str, *, mac_pj: float, leakage_w: float
) -> float:
    """Return what a mapper minimises; inf if nothing fits. `mac_pj` is of all MACs of the layer."""
    seconds = latency(criteria, chip)
    dram_bits = criteria[-3]
    pj_per_bit = chip.dram.pj_per_bit
    assert pj_per_bit is not None
    energy = mac_pj + dram_bits * pj_per_bit + (leakage_w * 1e12 * seconds if leakage_w else 0)
    return {
        "latency_s": seconds,
        "dram_bytes": dram_bits / 8 if seconds < inf else inf,
        "energy_pj": energy if seconds < inf else inf,
        "edp": energy * seconds if seconds < inf else inf,
    }[objective]


def best(
    front: Iterable[Criteria],
    chip: Accelerator,
    objective: str,
    *,
    mac_pj: float = 0.0,
    leakage_w: float = 0.0,
) -> float:
    """Return the least value of an objective over the mappings that fit, infinite if none."""
    return min(value(c, chip, objective, mac_pj=mac_pj, leakage_w=leakage_w) for c in front)
