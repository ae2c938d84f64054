"""The compute cycles of tiles under an assignment of the array's axes."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from dse.arrays import IntArray
from dse.hardware import HELD, Accelerator, Unrolling
from dse.mapping.nest.array_steps import GroupSteps, Known, flattened_steps, loop_steps
from dse.mapping.nest.assignments import Assignment, useful_assignments
from dse.mapping.nest.input_rows import SpatialAxis, needed_rows, real_pairs
from dse.mapping.nest.pair_rows import pair_size
from dse.workload import LOOPS, OPERAND_LOOPS, Layer, bits_of

REDUCED = tuple(loop for loop in LOOPS if loop not in OPERAND_LOOPS["output"])
REUSING_WEIGHTS = tuple(loop for loop in LOOPS if loop not in OPERAND_LOOPS["weight"])
"""The loops along whose tiles the same sums, and the same weights, pass again."""


class Links(NamedTuple):
    """What passes between the buffers and the array; nothing of an operand that does not wait.

    Attributes
    ----------
    sum_bits, weight_bits, input_bits
        All partial sums of a layer once, all weights, and one pixel of all inputs. [bits]
    sums_per_cycle, weights_per_cycle, inputs_per_cycle
        Bits that pass in a cycle; 0 of inputs if they never wait.
    """

    sum_bits: int
    weight_bits: int
    input_bits: int
    sums_per_cycle: int
    weights_per_cycle: int
    inputs_per_cycle: int


def _links(layer: Layer, chip: Accelerator) -> Links | None:
    """Return what passes between the buffers and the array; None if nothing waits for that."""
    rates = dict(chip.array_bits_per_cycle)
    if not rates:
        return None
    bits = {"output": layer.psum_bits, "weight": layer.weight_bits}
    whole = {
        x: bits_of(prod(layer.bounds[loop] for loop in OPERAND_LOOPS[x]), each) if x in rates else 0
        for x, each in bits.items()
    }
    return Links(
        sum_bits=whole["output"],
        weight_bits=whole["weight"],
        input_bits=bits_of(prod(layer.bounds[x] for x in ("b", "g", "c")), layer.input_bits),
        sums_per_cycle=rates.get("output", 1),
        weights_per_cycle=rates.get("weight", 1),
        inputs_per_cycle=rates.get("input", 0),
    )


class CycleCounter:
    """Counts compute cycles of tiles of one layer on one array, for each assignment.

    Parameters
    ----------
    layer, chip
        What is computed, on what; only the array and its rules are used.
    """

    def __init__(self, layer: Layer, chip: Accelerator) -> None:
        self.assignments = useful_assignments(layer, chip)
        self.flats = dict.fromkeys(flat for one in self.assignments for flat in one.flattened)
        self.bounds = layer.bounds
        self.own = HELD[chip.held_in_array]
        self.holds_sums = chip.held_in_array == "sum"
        self.fill = chip.fill_cycles_per_pass
        self.links = _links(layer, chip)
        self.inputs_per_cycle = self.links.inputs_per_cycle if self.links else 0
        self.spatial: dict[str, SpatialAxis] = {}
        if self.inputs_per_cycle:
            runs = chip.partial_rows_are_fetched
            self.spatial = {axis: SpatialAxis.of(layer, axis, whole_runs=runs) for axis in "yx"}
        self.num_macs = chip.num_macs
        self.real_pairs: dict[str, int] = {}
        if not chip.padding_is_computed:
            axes = {axis: SpatialAxis.of(layer, axis, whole_runs=False) for axis in "yx"}
            self.real_pairs = {axis: real_pairs(spatial) for axis, spatial in axes.items()}

    def free_steps(self, one: Assignment) -> int:
        """Count the steps of the loops that are on no axis: the same for every tile."""
        free = [loop for loop in LOOPS if loop not in one.loops]
        return self._skip_padding(free, prod(self.bounds[loop] for loop in free))

    def _skip_padding(self, free: Sequence[str], steps: int) -> int:
        for axis, pairs in self.real_pairs.items():
            out, taps = f"o{axis}", f"f{axis}"
            if out in free and taps in free:
                steps = steps // (self.bounds[out] * self.bounds[taps]) * pairs
        return steps

    def ideal_cycles(self, one: Assignment) -> float:
        """Return the cycles if every MAC of the array worked in each: MACs over array size."""
        on_axes = prod(self.bounds[loop] for loop in one.loops)
        return self.free_steps(one) * on_axes / self.num_macs

    def steps(self, one: Assignment, tile: Mapping[str, IntArray]) -> IntArray:
        """Count the array steps of mappings, all of shape (mappings,), without fill."""
        return self._steps(one, tile, {})

    def _steps(self, one: Assignment, tile: Mapping[str, IntArray], known: Known) -> IntArray:
        total: IntArray | int = self.free_steps(one)
        for loop, factor in one.plain:
            total = total * self._plain_steps(loop, factor, tile[loop], known)
        for loops, size in one.flattened:
            if (loops, size) not in known:
                known[loops, size] = self._flattened(loops, size, tile)
            total = total * known[loops, size]
        shape = np.broadcast_shapes(*(t.shape for t in tile.values()))
        return np.broadcast_to(np.asarray(total, dtype=np.int64), shape)

    def _flattened(self, loops: Unrolling, size: int, tile: Mapping[str, IntArray]) -> IntArray:
        return flattened_steps([tile[x] for x in loops], [self.bounds[x] for x in loops], size)

    def free_passes(self, one: Assignment) -> int:
        """Count the passes of own loops of the held operand that are on no axis."""
        free = [loop for loop in LOOPS if loop in self.own and loop not in one.loops]
        return self._skip_padding(free, prod(self.bounds[loop] for loop in free))

    def tiles_in_passes(self, one: Assignment) -> frozenset[str]:
        """Return the loops whose tiles, not steps, multiply the passes: none of a finished sum."""
        if self.holds_sums:
            return frozenset()
        with_own = {x for loops, _ in one.flattened if self.own & set(loops) for x in loops}
        return frozenset(LOOPS) - self.own - with_own

    def passes(self, one: Assignment, tile: Mapping[str, IntArray]) -> IntArray:
        """Count the array passes: steps of the own loops of what is held in the array."""
        shape = np.broadcast_shapes(*(t.shape for t in tile.values()))
        total = np.full(shape, self.free_passes(one), np.int64)
        for loops, size in one.flattened:
            if self.own & set(loops):
                total = total * self._flattened(loops, size, tile)
        for loop, factor in one.plain:
            if loop in self.own:
                total = total * loop_steps(tile[loop], self.bounds[loop], factor)
        for loop in self.tiles_in_passes(one):
            total = total * -(-self.bounds[loop] // tile[loop])
        return total

    def cycles(self, one: Assignment, tile: Mapping[str, IntArray]) -> IntArray:
        """Count the compute cycles of mappings, all of shape (mappings,), fill included."""
        return self.linked(self._cycles(one, tile, {}), tile)

    def linked(self, cycles: IntArray, tile: Mapping[str, IntArray]) -> IntArray:
        """Return cycles of the array with those in which it waits for its buffers.

        The weights of each tile pass before its MACs; its partial sums pass in and out, as wide
        each, while it computes. The tiles of a layer are evened out. Waiting for inputs depends on
        the assignment, and is in the cycles already.
        """
        if self.links is None:
            return cycles
        sums, weights = (self._visits(loops, tile) for loops in (REDUCED, REUSING_WEIGHTS))
        passing = -(-self.links.sum_bits * sums // self.links.sums_per_cycle)
        loading = -(-self.links.weight_bits * weights // self.links.weights_per_cycle)
        return np.maximum(cycles, passing) + loading

    def _visits(self, loops: Sequence[str], tile: Mapping[str, IntArray]) -> IntArray:
        """Count the tiles along some loops."""
        counts = [-(-self.bounds[loop] // tile[loop]) for loop in loops]
        return prod(counts[1:], start=counts[0])

    def _cycles(self, one: Assignment, tile: Mapping[str, IntArray], known: Known) -> IntArray:
        cycles = self._steps(one, tile, known)
        if self.fill:
            cycles = cycles + self.fill * self.passes(one, tile)
        if self.inputs_per_cycle:
            cycles = np.maximum(cycles, self._input_cycles(one, tile, known))
        return cycles

    def _input_cycles(
        self, one: Assignment, tile: Mapping[str, IntArray], known: Known
    ) -> IntArray:
        """Count the cycles in which the inputs pass: each tile's for each of its steps of k."""
        if ("fetched", 0) not in known:
            known["fetched", 0] = self._fetched("y", tile) * self._fetched("x", tile)
        steps = self._plain_steps("k", _factor_of_k(one), tile["k"], known)
        return self._passing(known["fetched", 0] * steps)

    def _fetched(self, axis: str, tile: Mapping[str, IntArray]) -> IntArray:
        """Count the rows of all tiles together, halos fetched again."""
        pairs = np.broadcast(tile[f"o{axis}"], tile[f"f{axis}"])
        spatial = self.spatial[axis]
        rows = [pair_size(spatial, out, taps).fetched[0] for out, taps in pairs]
        return np.array(rows, dtype=np.int64).reshape(pairs.shape)

    def _passing(self, times: IntArray) -> IntArray:
        """Return the cycles in which so many pixels of all inputs pass."""
        assert self.links is not None
        return -(-self.links.input_bits * times // self.inputs_per_cycle)

    def best(self, tile: Mapping[str, IntArray]) -> tuple[IntArray, IntArray]:
        """Return the least cycles of each mapping, and the index of its first best assignment.

        Parameters
        ----------
        tile : loop to tile sizes of shape (mappings,)
        """
        known: Known = {}
        least = self._cycles(self.assignments[0], tile, known).copy()
        which = np.zeros(least.shape, dtype=np.int64)
        for index, one in enumerate(self.assignments[1:], start=1):
            cycles = self._cycles(one, tile, known)
            better = cycles < least
            np.copyto(least, cycles, where=better)
            which[better] = index
        return self.linked(least, tile), which

    def floor(self) -> int:
        """Return the least cycles of any mapping: uncut loops take the fewest steps and passes."""
        whole = {loop: np.array([bound]) for loop, bound in self.bounds.items()}
        least = min(self._whole(one) for one in self.assignments)
        return int(self.linked(np.array([least]), whole)[0])

    def _whole(self, one: Assignment) -> int:
        """Return the cycles of the mapping that cuts no loop, and reads no row that it skips."""
        axes = [((loop,), factor) for loop, factor in one.plain] + list(one.flattened)
        counts = [-(-prod(self.bounds[x] for x in loops) // size) for loops, size in axes]
        own = [n for n, (loops, _) in zip(counts, axes, strict=True) if self.own & set(loops)]
        cycles = self.free_steps(one) * prod(counts) + self.fill * self.free_passes(one) * prod(own)
        if not self.inputs_per_cycle:
            return cycles
        # whole runs of rows may be more than all tiles need: the needed ones are a bound
        rows = prod(needed_rows(axis) for axis in self.spatial.values())
        steps = -(-self.bounds["k"] // _factor_of_k(one))
        return max(cycles, int(self._passing(np.array(rows * steps))))

    def group_steps(self, group: Sequence[str]) -> GroupSteps:
        """Return all that the sizes of some loops can change in the cycles."""
        plain = tuple(
            tuple([pair for pair in one.plain if pair[0] in group]) for one in self.assignments
        )
        flattened = []
        for loops, size in self.flats:
            here = tuple(loop for loop in loops if loop in group and self.bounds[loop] > 1)
            # ceil(t * (x + size) / size) = ceil(t * x / size) + t: x up to the size says it all
            others = min(size, prod(self.bounds[loop] for loop in loops if loop not in here))
            if here:
                flattened.append((here, size, others))
        trips: tuple[tuple[str, ...], ...] = ()
        if self.fill:
            trips = tuple(
                tuple(loop for loop in group if loop in self.tiles_in_passes(one))
                for one in self.assignments
            )
        links: tuple[tuple[str, ...], ...] = ()
        if self.links is not None:
            again = REDUCED, REUSING_WEIGHTS
            links = tuple(tuple(loop for loop in group if loop in loops) for loops in again)
        inputs = tuple(_factor_of_k(one) for one in self.assignments if self.inputs_per_cycle)
        own = frozenset(group) & self.own
        return GroupSteps(plain, tuple(flattened), trips, own, links, inputs)

    def free_counts(self) -> IntArray:
        """Return the steps by assignment, and with fill the passes, of loops on no axis.

        With links to the buffers, bits of inputs by assignment, if they are limited, of all sums
        and of all weights follow.
        """
        passes = [self.free_passes(one) for one in self.assignments] if self.fill else []
        bits: list[int] = []
        if self.links is not None:
            bits += [self.links.input_bits for _ in self.assignments if self.inputs_per_cycle]
            bits += [self.links.sum_bits, self.links.weight_bits]
        return np.array([*(self.free_steps(one) for one in self.assignments), *passes, *bits])

    def _plain_steps(self, loop: str, factor: int, tile: IntArray, known: Known) -> IntArray:
        if (loop, factor) not in known:
            known[loop, factor] = loop_steps(tile, self.bounds[loop], factor)
        return known[loop, factor]


def _factor_of_k(one: Assignment) -> int:
    """Return the iterations of k that a step covers; k is on no flattened axis."""
    return dict(one.plain).get("k", 1)
