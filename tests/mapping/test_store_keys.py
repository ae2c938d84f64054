"""Stored answers are never those of another layer or machine: each field is changed in turn."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from dse.hardware import Accelerator, Axis, Buffer, Constraints, Dram, Granule, Schedule
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.operating_points import OperatingPoints
from dse.mapping.points import Points
from dse.mapping.question import Question
from dse.mapping.store import answer, forget
from dse.mapping.store_keys import NOT_OF_PARTS, NOT_OF_TABLE, table_key
from dse.technology import DramPart
from dse.workload import OPERANDS, Layer
from dse.workload.layer import NOT_OF_SHAPE
from tests.oracle.cases import TECHNOLOGY, ZERO

LAYER = Layer(
    name="conv", b=2, g=1, k=6, c=4, oy=6, ox=5, fy=2, fx=2, stride_y=3,
    pad_y=1, pad_x=1, iy=15, ix=4,
    input_bits=8, weight_bits=8, output_bits=8, psum_bits=16, input_zeros=0.5, output_zeros=0.25,
)  # fmt: skip
BUFFERS = (
    Buffer(name="maps", bytes="map_bytes", holds=("input", "output")),
    Buffer(name="weights", bytes=4096, holds=("weight",)),
)
CHIP = Accelerator(
    name="chip",
    clock_hz=1e9,
    array=(
        Axis(size="array_rows", dims=(("k",), ("c",), ("ox",))),
        Axis(size="array_columns", dims=(("c",), ("k", "oy"))),
    ),
    buffers=BUFFERS,
    technology=TECHNOLOGY,
    dram=Dram(compression=(("input", 1.5),)),
    array_rows=4,
    array_columns=3,
    dram_bytes_per_s=1e9,
    parameters={"map_bytes": 4096, "granule": 4},
    transfers="overlapped",
    fill_cycles=2,
    weight_granules=(Granule(size="granule", loops=("k",)),),
    constraints=Constraints(min_tile=(("c", 2),)),
)
PART = DramPart(
    name="part", bytes_per_s=2e9, burst_bytes=64, pj_per_bit=ZERO, usd=ZERO, source="tests"
)

LAYERS: dict[str, dict[str, Any]] = {
    "name": {"name": "other"}, "b": {"b": 3}, "g": {"g": 2}, "k": {"k": 7}, "c": {"c": 5},
    "oy": {"oy": 5}, "ox": {"ox": 4}, "fy": {"fy": 3}, "fx": {"fx": 1},
    "stride_y": {"stride_y": 2}, "stride_x": {"stride_x": 2}, "pad_y": {"pad_y": 0},
    "pad_x": {"pad_x": 0}, "dilation_y": {"dilation_y": 2}, "dilation_x": {"dilation_x": 3},
    "iy": {"iy": 12}, "ix": {"ix": 3}, "repeat": {"repeat": 2}, "sequential": {"sequential": True},
    "weight_is_shared": {"weight_is_shared": True},
    "weight_is_activation": {"weight_is_activation": True}, "input_bits": {"input_bits": 16},
    "weight_bits": {"weight_bits": 4}, "output_bits": {"output_bits": 16},
    "psum_bits": {"psum_bits": 32}, "input_zeros": {"input_zeros": 0.75},
    "output_zeros": {"output_zeros": 0.5}, "pooled_elements": {"pooled_elements": 90},
    "added_elements": {"added_elements": 360}, "added_zeros": {"added_zeros": 0.5},
    "held_elements": {"held_elements": 120}, "fetched_elements": {"fetched_elements": 120},
    "fetched_bits": {"fetched_bits": 64}, "output_is_held": {"output_is_held": True},
    "held_added_elements": {"added_elements": 360, "held_added_elements": 180},
    "extra_parameters": {"extra_parameters": 6},
    "batch_loop": {"batch_loop": "oy"},
}  # fmt: skip
"""Changes of a layer by field."""

WITHOUT_MACS = {"op", "input_elements", "output_elements", "window_elements"}
"""Fields that a layer with MACs has one value of."""

MACHINES: dict[str, dict[str, Any]] = {
    "name": {"name": "other"},
    "clock_hz": {"clock_hz": 2e9},
    "array": {"array": (CHIP.array[0], replace(CHIP.array[1], dims=(("c",),)))},
    "buffers": {"buffers": (replace(BUFFERS[0], holds=OPERANDS),)},
    "technology": {"technology": replace(TECHNOLOGY, leakage_w_per_mm2=ZERO)},
    "dram": {"dram": Dram(compression=(("input", 1.25),))},
    "array_rows": {"array_rows": 5},
    "array_columns": {"array_columns": 2},
    "macs": {"macs": 7},
    "buffer_bytes": {"buffer_bytes": 7},
    "dram_part": {"dram_part": PART, "dram_bytes_per_s": None},
    "dram_channels": {"dram_channels": 2},
    "dram_bytes_per_s": {"dram_bytes_per_s": 2e9},
    "parameters": {"parameters": {"map_bytes": 4096, "granule": 5}},
    "transfers": {"transfers": "serial"},
    "stationarity": {"stationarity": ("weight",)},
    "held_in_array": {"held_in_array": "output"},
    "fill_cycles": {"fill_cycles": "array"},
    "padding_is_computed": {"padding_is_computed": False},
    "halo_is_kept": {"halo_is_kept": False},
    "partial_rows_are_fetched": {"partial_rows_are_fetched": True},
    "pooling_is_fused": {"pooling_is_fused": True},
    "additions_are_fused": {"additions_are_fused": True},
    "pooling_elements_per_cycle": {"pooling_elements_per_cycle": 8.0},
    "launch_s": {"launch_s": 1e-6},
    "between_layers": {"between_layers": "tensors"},
    "weight_granules": {"weight_granules": (Granule(size="granule", loops=("c",)),)},
    "constraints": {"constraints": Constraints(max_tile=(("c", 2),))},
    "source": {"source": "elsewhere"},
}
"""Changes of a machine by field."""

PARTS: dict[str, tuple[type, dict[str, dict[str, Any]]]] = {
    "dram": (Dram, {
        "efficiency": {"efficiency": 0.5}, "holds": {"holds": ("input", "output")},
        "name": {"name": "other"},
        "pj_per_bit": {"pj_per_bit": 3.0}, "compression": {"compression": ()},
        "kilobyte_bytes": {"kilobyte_bytes": 1024},
    }),
    "constraints": (Constraints, {
        "min_tile": {"min_tile": (("c", 3),)}, "max_tile": {"max_tile": (("k", 3),)},
        "stationarity": {"stationarity": ("output",)},
        "order": {"order": ("k", "c", "oy", "ox", "b", "g", "fy", "fx")},
        "unrolled": {"unrolled": (("ox",), None)},
        "pooling_is_fused": {"pooling_is_fused": False},
        "layers": {"layers": (("conv", Constraints(max_tile=(("oy", 2),))),)},
    }),
    "buffers": (Buffer, {
        "name": {"name": "other"}, "bytes": {"bytes": 64}, "holds": {"holds": OPERANDS},
        "array_bits_per_cycle": {"array_bits_per_cycle": (("weight", 8),)},
    }),
    "array": (Axis, {
        "size": {"size": 2}, "dims": {"dims": (("k",), ("oy",))}, "whole_sets": {"whole_sets": True}
    }),
    "weight_granules": (Granule, {"size": {"size": 8}, "loops": {"loops": ("k", "c")}}),
}  # fmt: skip
"""Changes of the parts of a machine by field."""

REFUSED = {"dram": {"bytes", "array_bits_per_cycle"}, "buffers": {"compression", "pj_per_bit"}}
"""Fields of a memory that are not modelled of the DRAM, and of memories on the chip."""


def machine_with_part(part: str, changes: dict[str, Any]) -> Accelerator:
    """Return the machine with one part changed; of several axes that with a product of loops."""
    own = getattr(CHIP, part)
    if not isinstance(own, tuple):
        return replace(CHIP, **{part: replace(own, **changes)})
    if part == "buffers" and "holds" in changes:
        return replace(CHIP, buffers=(replace(own[0], **changes),))
    return replace(CHIP, **{part: (*own[:-1], replace(own[-1], **changes))})


def questions(chip: Accelerator) -> list[Question]:
    """Return questions of every kind that are asked of a machine."""
    sizes = chip.usable_buffer_bits
    found = [Question(), Question.above((2**17,) * len(sizes)), Question.fitting(sizes)]
    if len(sizes) == 1:
        points = OperatingPoints((2**9, 2**13), ((0.1, 0.1), (2.0, 4.0)))
        found.append(Question.fastest(points, chip))
    return [*found, Question.least_traffic()]


def equal(points: Points, others: Points) -> bool:
    arrays = zip((*points.criteria, points.tiles), (*others.criteria, others.tiles), strict=True)
    return all(np.array_equal(one, other) for one, other in arrays)


def assert_own_answers(layer: Layer, chip: Accelerator) -> None:
    """Hold the answers after those of the layer and machine above against an empty store's."""
    asked = [question for question in questions(chip) if question != Question()]
    fresh = []
    for question in asked:
        forget()
        fresh.append(answer(LayerOnArray.of(layer, chip), question))
    forget()
    for question in questions(CHIP):
        if question != Question():  # it would answer all others
            answer(LayerOnArray.of(LAYER, CHIP), question)
    for question, expected in zip(asked, fresh, strict=True):
        assert equal(answer(LayerOnArray.of(layer, chip), question), expected), question
    forget()
    whole = answer(LayerOnArray.of(layer, chip), Question())
    forget()
    answer(LayerOnArray.of(LAYER, CHIP), Question())
    assert equal(answer(LayerOnArray.of(layer, chip), Question()), whole)


def assert_shared(layer: Layer, chip: Accelerator) -> None:
    """Find the answer that is stored of the layer and machine above."""
    assert table_key(LayerOnArray.of(layer, chip)) == table_key(LayerOnArray.of(LAYER, CHIP))
    first = answer(LayerOnArray.of(LAYER, CHIP), Question())
    assert answer(LayerOnArray.of(layer, chip), Question()) is first


def check(layer: Layer, chip: Accelerator, *, counts: bool) -> None:
    assert_own_answers(layer, chip)
    if not counts:
        assert_shared(layer, chip)


@pytest.mark.parametrize("name", LAYERS)
def test_answers_are_those_of_the_layer(name: str) -> None:
    check(replace(LAYER, **LAYERS[name]), CHIP, counts=name not in NOT_OF_SHAPE)


@pytest.mark.parametrize("name", MACHINES)
def test_answers_are_those_of_the_machine(name: str) -> None:
    refers = {"array_rows", "array_columns", "parameters"}  # to which axes and granules refer
    chip = replace(CHIP, **MACHINES[name])
    check(LAYER, chip, counts=name not in NOT_OF_TABLE or name in refers)


@pytest.mark.parametrize(
    ("part", "name"), [(part, name) for part, (_, flips) in PARTS.items() for name in flips]
)
def test_answers_are_those_of_the_parts_of_the_machine(part: str, name: str) -> None:
    chip = machine_with_part(part, PARTS[part][1][name])
    counts = name not in NOT_OF_PARTS.get(part, ()) or (part, name) == ("constraints", "layers")
    check(LAYER, chip, counts=counts)


def test_a_schedule_has_answers_of_its_own() -> None:
    plain = replace(CHIP, fill_cycles=0, weight_granules=(), buffers=(
        Buffer(name="all", bytes=4096, holds=OPERANDS),
    ))  # fmt: skip
    for schedule in (Schedule(kept="input"), Schedule(kept="weight")):
        forget()
        answer(LayerOnArray.of(LAYER, plain), Question())
        chip = replace(plain, schedule=schedule)
        found = answer(LayerOnArray.of(LAYER, chip), Question())
        assert found.chunks is not None
        forget()
        assert equal(answer(LayerOnArray.of(LAYER, chip), Question()), found)


def test_every_field_is_changed_here() -> None:
    def names(kind: type) -> set[str]:
        return {field.name for field in fields(kind)}

    assert set(LAYERS) | WITHOUT_MACS == names(Layer)
    assert set(MACHINES) | {"schedule"} == names(Accelerator)
    for part, (kind, flips) in PARTS.items():
        assert set(flips) == names(kind) - REFUSED.get(part, set())
    assert names(Accelerator) > NOT_OF_TABLE
