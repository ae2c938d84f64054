"""A given order of the tile loops: the cases in which its traffic is one formula.

An operand moves once for each tile of its foreign loops outside the innermost of its own loops
that is cut. A case says for each operand which own loop that is; loops further in have one tile.
Where the loop named has one tile too the formula counts too much, and another case is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.nest.orders import IRRELEVANT
from dse.mapping.nest.tile_sizes import size_range
from dse.workload import OPERAND_LOOPS, OPERANDS, Layer


@dataclass(frozen=True, slots=True)
class Case:
    """Tiles for which a given order moves the operands by one formula.

    Attributes
    ----------
    halo_axis
        The axis, "y" or "x", along which an input tile keeps its halo; "" for none.
    uncut
        Loops that have one tile.
    passes
        Operand to the loops whose tiles multiply how often it moves.
    """

    halo_axis: str
    uncut: frozenset[str]
    passes: Mapping[str, tuple[str, ...]]


def order_cases(layer: Layer, chip: Accelerator) -> list[Case]:
    """Return the cases of the order that the constraints fix; together they hold all its tiles.

    Raises
    ------
    DseError
        If the machine does not allow the order with the tiles that are left.
    """
    order = chip.constraints.order
    sizes = {loop: size_range(layer, chip, loop) for loop in order}
    cuttable = {x for x, (least, _) in sizes.items() if least < layer.bounds[x]}
    always_cut = {x for x, (_, most) in sizes.items() if most < layer.bounds[x]}
    own = {x: [y for y in order if y in OPERAND_LOOPS[x] & cuttable] for x in OPERANDS}
    found: list[Case] = []
    for innermost in product(*(("", *own[operand]) for operand in OPERANDS)):
        last = dict(zip(OPERANDS, innermost, strict=True))
        inner = {y for x in OPERANDS for y in own[x][own[x].index(last[x]) + 1 if last[x] else 0 :]}
        for outer in _must_be_whole(chip, last):
            uncut = frozenset(inner | (outer & cuttable))
            if not uncut & (always_cut | set(innermost)):
                found.append(_case(chip, last, uncut))
    if not found:
        kept = " or ".join(chip.stationarity)
        raise DseError(
            f"layer {layer.name!r}: accelerator {chip.name!r} keeps {kept} in place, and does not "
            f"allow the order {' '.join(order)} with these tiles"
        )
    return found


def _must_be_whole(chip: Accelerator, last: Mapping[str, str]) -> list[frozenset[str]]:
    """Return, for each way to keep an allowed operand in place, the loops that have one tile."""
    if set(chip.stationarity) == set(OPERANDS):
        return [frozenset()]  # every order is allowed
    return list(dict.fromkeys(_outside(chip, last, operand) for operand in chip.stationarity))


def _outside(chip: Accelerator, last: Mapping[str, str], operand: str) -> frozenset[str]:
    """Return the foreign loops of an operand outside the innermost of its own that is cut."""
    order = chip.constraints.order
    outer = order[: order.index(last[operand])] if last[operand] else ()
    return IRRELEVANT[operand] & set(outer)


def _case(chip: Accelerator, last: Mapping[str, str], uncut: frozenset[str]) -> Case:
    keeps = chip.halo_is_kept and last["input"] in ("oy", "ox")
    return Case(
        halo_axis=last["input"][1] if keeps else "",
        uncut=uncut,
        passes={x: tuple(sorted(_outside(chip, last, x) - uncut)) for x in OPERANDS},
    )
