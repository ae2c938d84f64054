"""Assignments of the array's axes to loops, and those that can be best."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

from dse.errors import DseError
from dse.hardware import HELD, Accelerator, Unrolling
from dse.workload import LOOPS, Layer

Bounds = tuple[tuple[str, int], ...]
"""Loop bounds by loop, hashable."""

_Effect = tuple[tuple[int, ...], frozenset[tuple[frozenset[str], int, bool]], frozenset[str]]
"""Factor of each loop; loops, MACs and kind of flattened axes; axes whose padding is skipped."""


@dataclass(frozen=True)
class Assignment:
    """One choice for every axis of the array.

    Attributes
    ----------
    axes
        The loops that each axis unrolls, in the order of the array; () for an unused axis.
    plain
        (loop, factor) of the loops unrolled as plain loops, the product of their axes' sizes, or
        in whole sets.
    flattened
        (loops, size) of the other axes that unroll a product of loops.
    """

    axes: tuple[Unrolling, ...]
    plain: tuple[tuple[str, int], ...]
    flattened: tuple[tuple[Unrolling, int], ...]

    @cached_property
    def loops(self) -> frozenset[str]:
        """The loops that are on some axis."""
        return frozenset(loop for axis in self.axes for loop in axis)


def bounds_of_sets(layer: Layer, chip: Accelerator) -> tuple[Bounds, ...]:
    """Return for each axis the loop bounds that its whole sets take, () where they straddle."""
    bounds = tuple(layer.bounds.items())
    return tuple(bounds if axis.whole_sets else () for axis in chip.array)


def _whole_sets(loops: Unrolling, size: int, bounds: Bounds) -> Iterator[tuple[str, int]]:
    """Yield loops and their factors: each takes what it needs of the whole copies before it."""
    for loop in loops:
        factor = min(size, dict(bounds)[loop])
        yield loop, factor
        size //= factor


def assignment(
    axes: Sequence[Unrolling], sizes: Sequence[int], sets: Sequence[Bounds]
) -> Assignment | None:
    """Return the assignment, or None if a loop of a flattened axis is also on another axis.

    Parameters
    ----------
    axes, sizes
        The loops of each axis, and its MACs.
    sets
        As `bounds_of_sets` returns them.
    """
    plain: dict[str, int] = {}
    flattened: list[tuple[Unrolling, int]] = []
    flat_loops = [loop for loops in axes if len(loops) > 1 for loop in loops]
    for loops, size, bounds in zip(axes, sizes, sets, strict=True):
        if len(loops) == 1:
            if loops[0] in flat_loops:
                return None
            plain[loops[0]] = plain.get(loops[0], 1) * size
        elif loops and bounds:
            plain |= dict(_whole_sets(loops, size, bounds))
        elif loops:
            flattened.append((tuple(loops), size))
    if len(set(flat_loops)) < len(flat_loops):
        return None
    return Assignment(tuple(axes), tuple(plain.items()), tuple(flattened))


@lru_cache(maxsize=256)
def _all_assignments(
    choices: tuple[tuple[Unrolling, ...], ...], sizes: tuple[int, ...], sets: tuple[Bounds, ...]
) -> tuple[Assignment, ...]:
    """Return every valid assignment, in the order of ties: choices as listed, unused last."""
    combinations = product(*((*axis, ()) for axis in choices))
    every = (assignment(axes, sizes, sets) for axes in combinations)
    return tuple(one for one in every if one is not None)


class _ArrayChoice(NamedTuple):
    """The array and the loop bounds: they decide which assignments can be best."""

    bounds: Bounds
    choices: tuple[tuple[Unrolling, ...], ...]
    sizes: tuple[int, ...]
    sets: tuple[Bounds, ...]
    fixed: tuple[Unrolling | None, ...]
    own: frozenset[str]
    padding_is_computed: bool


def _array_choice(layer: Layer, chip: Accelerator) -> _ArrayChoice:
    return _ArrayChoice(
        bounds=tuple(layer.bounds.items()),
        choices=tuple(axis.dims for axis in chip.array),
        sizes=chip.axis_sizes,
        sets=bounds_of_sets(layer, chip),
        fixed=chip.constraints.unrolled,
        own=HELD[chip.held_in_array],
        padding_is_computed=chip.padding_is_computed,
    )


def useful_assignments(layer: Layer, chip: Accelerator) -> tuple[Assignment, ...]:
    """Return the assignments that can be best for some mapping of the layer, in tie order.

    Dropped are those of equal effect as an earlier one, and those that another beats in the
    factor of every loop. Shape: (assignments,).
    """
    useful, _ = _useful(_array_choice(layer, chip))
    if not useful:
        fixed = chip.constraints.unrolled
        raise DseError(
            f"layer {layer.name!r}: a loop of a flattened axis must be on no other axis, got "
            f"unrolled {[list(loops) for loops in fixed if loops is not None]}"
        )
    return useful


@lru_cache(maxsize=4096)
def _useful(choice: _ArrayChoice) -> tuple[tuple[Assignment, ...], frozenset[_Effect]]:
    """Return the assignments that can be best, in tie order, and their effects."""
    every = _all_assignments(choice.choices, choice.sizes, choice.sets)
    if choice.fixed:
        every = tuple(one for one in every if _agrees(one.axes, choice.fixed))
    found: dict[_Effect, Assignment] = {}
    for one in every:
        found.setdefault(_effect(choice, one), one)
    useful = {
        effect: one
        for effect, one in found.items()
        if not any(_is_better(rival, effect) for rival in found if rival is not effect)
    }
    return tuple(useful.values()), frozenset(useful)


def _agrees(axes: Sequence[Unrolling], fixed: Sequence[Unrolling | None]) -> bool:
    """Whether the loops of the axes are those that are fixed; None fixes nothing."""
    return all(own is None or loops == own for loops, own in zip(axes, fixed, strict=True))


def effects(layer: Layer, chip: Accelerator) -> frozenset[_Effect]:
    """Return all that the cycles of a layer's mappings depend on, of its useful assignments."""
    return _useful(_array_choice(layer, chip))[1]


def _effect(choice: _ArrayChoice, one: Assignment) -> _Effect:
    bounds = dict(choice.bounds)
    factors = tuple(min(dict(one.plain).get(loop, 1), bounds[loop]) for loop in LOOPS)
    groups = []
    for loops, size in one.flattened:
        real = frozenset(loop for loop in loops if bounds[loop] > 1)
        most = prod(bounds[loop] for loop in loops)
        groups.append((real, min(size, most), bool(choice.own & set(loops))))
    skips = frozenset() if choice.padding_is_computed else _padding_skipped(one)
    return factors, frozenset(groups), skips


def _padding_skipped(one: Assignment) -> frozenset[str]:
    return frozenset(a for a in "yx" if not {f"o{a}", f"f{a}"} & one.loops)


def _is_better(rival: _Effect, effect: _Effect) -> bool:
    """Whether a rival unrolls every loop at least as much, else alike."""
    if rival[1:] != effect[1:] or rival == effect:
        return False
    return all(r >= e for r, e in zip(rival[0], effect[0], strict=True))
