"""Keys of stored answers: every field of a layer and a machine that can change them."""

from collections.abc import Hashable
from dataclasses import fields, replace
from typing import Any

from dse.hardware import Accelerator
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.nest.assignments import effects

NOT_OF_TABLE = frozenset(
    (
        *("name", "source", "technology", "clock_hz", "transfers"),
        *("dram_part", "dram_channels", "dram_bytes_per_s"),
        *("array_rows", "array_columns", "macs", "buffer_bytes", "parameters"),
        *("pooling_is_fused", "additions_are_fused", "pooling_elements_per_cycle", "launch_s"),
        "between_layers",
    )
)
"""Fields of a machine that change no mapping of a layer and none of its criteria.

Named parameters count by what refers to them: sizes of axes and granules, in `_resolved`. What is
fused is in the layer. A test flips each field, and each field of the parts below.
"""

NOT_OF_PARTS = {
    "buffers": frozenset(("name", "bytes")),
    "dram": frozenset(("name", "efficiency", "pj_per_bit", "kilobyte_bytes")),
    "constraints": frozenset(("pooling_is_fused", "layers")),
}
"""The same of the parts of a machine."""

Key = tuple[Hashable, ...]


def _key_of(part: Any, not_counted: frozenset[str]) -> Key:
    """Return the names and values of all fields of an object but those that do not count."""
    return tuple(
        (field.name, getattr(part, field.name))
        for field in fields(part)
        if field.name not in not_counted
    )


def _resolved(chip: Accelerator) -> dict[str, Hashable]:
    """Return what stands for the fields that refer to parameters, or that count in part."""
    axes = zip(chip.array, chip.axis_sizes, strict=True)
    granules = zip(chip.weight_granules, chip.granules, strict=True)
    parts: dict[str, Hashable] = {
        "array": tuple((_key_of(axis, frozenset(("size",))), size) for axis, size in axes),
        "weight_granules": tuple(
            (_key_of(granule, frozenset(("size",))), size) for granule, (_, size) in granules
        ),
        "fill_cycles": chip.fill_cycles_per_pass,
        "buffers": tuple(_key_of(buffer, NOT_OF_PARTS["buffers"]) for buffer in chip.buffers),
    }
    for name in ("dram", "constraints"):
        parts[name] = _key_of(getattr(chip, name), NOT_OF_PARTS[name])
    return parts


def _machine_key(chip: Accelerator) -> Key:
    parts = _resolved(chip)
    return tuple(
        (field.name, parts.get(field.name, getattr(chip, field.name)))
        for field in fields(chip)
        if field.name not in NOT_OF_TABLE
    )


def table_key(one: LayerOnArray) -> Key:
    """Return all that the mappings of a layer and their criteria depend on."""
    return (one.layer.key, _machine_key(one.chip))


def shared_key(one: LayerOnArray) -> Key:
    """Return the same key for arrays that give a layer the same choice, as 8 x 16 and 16 x 8 do.

    Such arrays differ in their axes, and agree in the effects of all assignments of loops to them.
    """
    chip = one.chip
    if chip.schedule is not None:
        return table_key(one)
    bare = replace(chip, constraints=replace(chip.constraints, unrolled=()))
    parts = (part for part in _machine_key(bare) if part[0] != "array")  # type: ignore[index]
    return (one.layer.key, effects(one.layer, chip), *parts)
