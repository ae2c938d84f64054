"""What a machine or a user fixes of every mapping: tile sizes, order, unrolling."""

from dataclasses import dataclass, replace
from typing import Any

from dse.checks import check_names, check_number
from dse.errors import DseError
from dse.workload import LOOPS, OPERANDS

Unrolling = tuple[str, ...]
"""The loops that one axis unrolls: one loop, or the loops of a flattened product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What a machine or a user fixes of every mapping; the search is exact within what is left.

    Attributes
    ----------
    min_tile, max_tile
        Least and most tile size of a loop, cut to the loop's bound; equal values fix the tile.
        A loop that is never cut has a least tile as large as any bound.
    stationarity
        The operands that may be kept in place, of those of the machine; all of them if empty.
    order
        All loops, outermost first; free if empty. A loop with one tile does not count.
    unrolled
        For each axis of the array the loops that it unrolls, () for an unused axis, None for a
        free one; all are free if empty.
    pooling_is_fused
        False where an output is written before it is pooled, on a machine that could pool first.
    layers
        Layer name to constraints that replace these for that layer, key by key, tiles by loop.
    """

    min_tile: tuple[tuple[str, int], ...] = ()
    max_tile: tuple[tuple[str, int], ...] = ()
    stationarity: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    unrolled: tuple[Unrolling | None, ...] = ()
    pooling_is_fused: bool | None = None
    layers: tuple[tuple[str, "Constraints"], ...] = ()

    def __post_init__(self) -> None:
        for key in ("min_tile", "max_tile"):
            pairs = getattr(self, key)
            pairs = tuple(sorted(dict(pairs).items(), key=lambda pair: str(pair[0])))
            object.__setattr__(self, key, pairs)
            for loop, size in pairs:
                if loop not in LOOPS:
                    raise DseError(
                        f"constraints.{key} must name loops of {' '.join(LOOPS)}, got {loop!r}"
                    )
                check_number(f"constraints.{key}", loop, size, integer=True)
        most = dict(self.max_tile)
        for loop, size in self.min_tile:
            if size > most.get(loop, size):
                raise DseError(
                    f"constraints.min_tile.{loop} = {size} must be at most "
                    f"constraints.max_tile.{loop} = {most[loop]}"
                )
        self._check_order()

    def _check_order(self) -> None:
        unrolled = (None if loops is None else tuple(loops) for loops in self.unrolled)
        for key, value in (
            ("stationarity", tuple(self.stationarity)),
            ("order", tuple(self.order)),
            ("unrolled", tuple(unrolled)),
            ("layers", tuple(sorted(dict(self.layers).items()))),
        ):
            object.__setattr__(self, key, value)
        check_names("constraints.stationarity", self.stationarity, OPERANDS, "operand")
        if self.order and sorted(self.order) != sorted(LOOPS):
            raise DseError(
                f"constraints.order must name each of {' '.join(LOOPS)} once, got "
                f"{' '.join(map(str, self.order))}"
            )

    def overlaid(self, other: "Constraints") -> "Constraints":
        """Return these with what other constraints say in their place; layers are those of self."""
        changes: dict[str, Any] = {
            key: getattr(other, key)
            for key in ("stationarity", "order", "unrolled")
            if getattr(other, key)
        }
        if other.pooling_is_fused is not None:
            changes["pooling_is_fused"] = other.pooling_is_fused
        for key in ("min_tile", "max_tile"):
            changes[key] = tuple({**dict(getattr(self, key)), **dict(getattr(other, key))}.items())
        return replace(self, **changes)

    def of(self, layer_name: str) -> "Constraints":
        """Return what holds for a layer, without `layers`."""
        if not self.layers:
            return self
        general = replace(self, layers=())
        own = dict(self.layers).get(layer_name)
        return general if own is None else general.overlaid(own)
