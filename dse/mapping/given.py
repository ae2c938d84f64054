"""A given mapping, whole or in part, laid over what a machine allows."""

from collections.abc import Mapping
from dataclasses import replace

from dse.errors import DseError, nearest
from dse.hardware import Accelerator
from dse.hardware.constraints import Constraints
from dse.hardware.rules import check_unrolled
from dse.mapping.nest.tile_sizes import size_range
from dse.workload import Layer, Workload


def with_mapping(chip: Accelerator, network: Workload, given: Constraints) -> Accelerator:
    """Return the machine bound to a given mapping of a network, all of it or in part.

    Parameters
    ----------
    chip
        The machine; what its own constraints say still holds.
    network
        Its layers are those that `given` may name, and their bounds limit the tiles.
    given
        Fixed tiles (``min_tile`` equal to ``max_tile``), order and unrolling of all layers, and
        by layer. A tile of all layers is cut to a layer's bound.

    Raises
    ------
    DseError
        If a tile is above its bound, a layer does not exist or has no MACs, or the machine does
        not allow what is given.
    """
    if given == Constraints():
        return chip
    if chip.schedule is not None:
        raise DseError(
            f"mapping must be empty on accelerator {chip.name!r}, which has a schedule of its own; "
            f"accelerator.schedule=null lets a mapping be given"
        )
    layers = {layer.name: layer for layer in network.layers if layer.has_macs}
    for name in dict(given.layers):
        if name not in layers:
            raise DseError(f"mapping.layers: no layer with MACs {name!r}{nearest(name, layers)}")
    _check_tiles(layers, given)
    _check_order(chip, given)
    _check_pooling(chip, given)
    own = chip.constraints
    general = _laid_over(own, replace(given, layers=()))
    names = dict.fromkeys((*dict(own.layers), *dict(given.layers)))
    each = {x: _laid_over(own.of(x), given.of(x)) for x in names}
    bound = replace(chip, constraints=replace(general, layers=tuple(each.items())))
    for name, layer in layers.items():
        _check_machine(chip, layer, given.of(name))
    return bound


def _laid_over(own: Constraints, given: Constraints) -> Constraints:
    """Return a machine's constraints with what is given; axes left free unroll what they did."""
    if own.unrolled and given.unrolled:
        pairs = zip(own.unrolled, given.unrolled, strict=True)
        unrolled = tuple(fixed if loops is None else loops for fixed, loops in pairs)
        given = replace(given, unrolled=unrolled)
    return own.overlaid(given)


def _check_tiles(layers: Mapping[str, Layer], given: Constraints) -> None:
    """Check that each tile is at most its loop's bound: of all layers, that of some layer."""
    for loop, size in given.max_tile:
        most = max((layer.bounds[loop] for layer in layers.values()), default=1)
        if size > most:
            raise DseError(
                f"mapping.tile.{loop} = {size} must be at most {most}, the largest bound of "
                f"{loop} in the network"
            )
    for name, one in given.layers:
        for loop, size in one.max_tile:
            if size > layers[name].bounds[loop]:
                raise DseError(
                    f"mapping.layers.{name}.tile.{loop} = {size} must be at most "
                    f"{layers[name].bounds[loop]}, the bound of {loop} in layer {name!r}"
                )


def _check_order(chip: Accelerator, given: Constraints) -> None:
    """Check that the machine has the unrolling and the operand in place that are given."""
    allowed = chip.constraints.stationarity or chip.stationarity
    for one in (given, *(layer for _, layer in given.layers)):
        check_unrolled(chip, "mapping.unrolled", one.unrolled)
        for operand in one.stationarity:
            if operand not in allowed:
                raise DseError(
                    f"mapping.stationary = {operand} must be one of {', '.join(allowed)}: "
                    f"accelerator {chip.name!r} keeps no other operand in place"
                )


def _check_pooling(chip: Accelerator, given: Constraints) -> None:
    """Check that pooling is fused only on a machine that does so."""
    for what, one in (("", given), *((f".layers.{name}", x) for name, x in given.layers)):
        if one.pooling_is_fused and not chip.pooling_is_fused:
            raise DseError(
                f"mapping{what}.pooling_is_fused = true must be false: accelerator {chip.name!r} "
                f"does not pool before it writes"
            )


def _check_machine(chip: Accelerator, layer: Layer, given: Constraints) -> None:
    """Check that the machine's own constraints allow what is given for a layer."""
    own = chip.for_layer(layer.name)
    for place, (fixed, loops) in enumerate(
        zip(own.constraints.unrolled, given.unrolled, strict=False)  # none, or one for each axis
    ):
        if None not in (fixed, loops) and fixed != loops:
            raise DseError(
                f"mapping.unrolled: axis {place} of accelerator {chip.name!r} must unroll "
                f"[{','.join(fixed or ())}] in layer {layer.name!r}, got [{','.join(loops or ())}]"
            )
    fixed_order = own.constraints.order
    if fixed_order and given.order and given.order != fixed_order:
        raise DseError(
            f"mapping.order must be that of accelerator {chip.name!r} in layer {layer.name!r}, "
            f"{' '.join(fixed_order)}, got {' '.join(given.order)}"
        )
    for operand in given.stationarity:
        if operand not in own.stationarity:
            raise DseError(
                f"mapping.stationary = {operand} must be one of {', '.join(own.stationarity)} in "
                f"layer {layer.name!r}: accelerator {chip.name!r} keeps no other operand in place"
            )
    for loop, size in given.max_tile:
        least, most = size_range(layer, own, loop)
        if not least <= min(size, layer.bounds[loop]) <= most:
            raise DseError(
                f"mapping.tile.{loop} = {size} must be from {least} to {most} in layer "
                f"{layer.name!r}: accelerator {chip.name!r} allows no other"
            )
