"""Accelerators: sizes follow parameters, and what contradicts itself is refused."""

import math
from dataclasses import replace

import pytest

from dse.config.accelerators import catalogue
from dse.errors import DseError
from dse.hardware import Accelerator, Axis, Buffer, Constraints, Dram
from dse.workload import OPERANDS

PARTS = catalogue().dram_parts
NODE = catalogue().technologies["node28"]
AXES = (Axis(size="array_rows", dims=(("c",), ("c", "fy", "fx"))), Axis(size=8, dims=(("k",),)))
CHIP = Accelerator(
    name="chip",
    clock_hz=1e9,
    array=AXES,
    buffers=(Buffer(name="global", bytes="buffer_bytes", holds=OPERANDS),),
    technology=NODE,
    array_rows=16,
    buffer_bytes=1001,
    dram_part=PARTS["lpddr4_3200_x32"],
)


def test_sizes_follow_parameters():
    assert CHIP.axis_sizes == (16, 8)
    assert CHIP.num_macs == 128
    assert CHIP.with_parameters(array_rows=3).num_macs == 24
    assert CHIP.with_parameters(buffer_bytes=10).buffer_sizes_bytes == (10,)


def test_half_a_buffer_is_usable_when_double_buffered():
    assert CHIP.usable_buffer_bits == (4004,)
    assert replace(CHIP, transfers="serial").usable_buffer_bits == (8008,)
    assert replace(CHIP, transfers="overlapped").usable_buffer_bits == (8008,)


def test_own_parameters_can_be_referred_to_and_changed():
    chip = replace(
        CHIP, array=(Axis(size="lanes", dims=(("k",),)),), parameters={"lanes": 5}, array_rows=None
    )
    assert chip.num_macs == 5
    assert chip.with_parameters(lanes=7).num_macs == 7


def test_rate_is_that_of_the_channels_or_the_one_given():
    assert CHIP.peak_dram_bytes_per_s == 12.8e9
    assert CHIP.with_parameters(dram_channels=2).peak_dram_bytes_per_s == 25.6e9
    slow = CHIP.with_parameters(dram_bytes_per_s=2e9)
    assert slow.dram_part is None
    assert slow.peak_dram_bytes_per_s == 2e9
    back = slow.with_parameters(dram_part=PARTS["hbm2"])
    assert back.peak_dram_bytes_per_s == 256e9


def test_fill_of_the_array_is_the_sum_of_its_axes():
    assert CHIP.fill_cycles_per_pass == 0
    assert replace(CHIP, fill_cycles=7).fill_cycles_per_pass == 7
    assert replace(CHIP, fill_cycles="array").fill_cycles_per_pass == 24


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clock_hz": 0}, "clock_hz must be a number above 0"),
        ({"clock_hz": math.nan}, "clock_hz must be a number above 0"),
        ({"clock_hz": math.inf}, "clock_hz must be a number above 0"),
        ({"array_rows": -4}, "array_rows must be an integer above 0"),
        ({"array_rows": 1.5}, "array_rows must be an integer above 0"),
        ({"array_rows": None}, "refers to 'array_rows', which is not a parameter"),
        ({"buffer_bytes": True}, "buffer_bytes must be an integer"),
        ({"parameters": {"lanes": 0}}, "lanes must be an integer above 0"),
        ({"dram_channels": 0}, "dram_channels must be an integer above 0"),
        ({"dram_part": None}, "either dram_part or dram_bytes_per_s, got neither"),
        ({"dram_bytes_per_s": 1e9}, "either dram_part or dram_bytes_per_s, got both"),
        ({"array": ()}, "array must have at least one axis"),
        ({"buffers": ()}, "exactly one buffer, input is held by none"),
        ({"transfers": "overlaped"}, "transfers must be one of overlapped"),
        ({"stationarity": ()}, "stationarity must name at least one operand"),
        ({"stationarity": ("weights",)}, "stationarity must name operands of .* got 'weights'"),
        ({"stationarity": ("weight", "weight")}, "name each operand once"),
        ({"held_in_array": "psum"}, "held_in_array must be one of input, weight, output, sum"),
        (
            {"held_in_array": "sum", "array": (Axis(size=4, dims=(("k", "c"),)),)},
            r"must not flatten loops of the output with c, fy or fx, .* got \[k,c\]",
        ),
        ({"fill_cycles": -1}, "fill_cycles must be an integer"),
        ({"fill_cycles": "rows"}, "fill_cycles must be an integer"),
        ({"halo_is_kept": "yes"}, "halo_is_kept must be true or false"),
        ({"launch_s": -1e-6}, "launch_s must be a number from 0"),
        ({"pooling_elements_per_cycle": 0}, "pooling_elements_per_cycle must be a number above 0"),
        ({"pooling_is_fused": 1}, "pooling_is_fused must be true or false"),
    ],
)
def test_wrong_accelerators_are_refused(change, message):
    with pytest.raises(DseError, match=message):
        replace(CHIP, **change)


def test_each_operand_is_held_once():
    first, second = (
        Buffer(name="first", bytes=64, holds=("input", "weight")),
        Buffer(name="second", bytes=64, holds=("weight", "output")),
    )
    with pytest.raises(DseError, match=r"weight is held by \['first', 'second'\]"):
        replace(CHIP, buffers=(first, second))
    twin = replace(second, name="first", holds=("output",))
    with pytest.raises(DseError, match="names of their own"):
        replace(CHIP, buffers=(first, twin))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Axis(size=0, dims=(("k",),)), "size must be an integer above 0, got 0"),
        (lambda: Axis(size=4, dims=()), "at least one loop"),
        (lambda: Axis(size=4, dims=(("z",),)), "loops of b g k c oy ox fy fx, got 'z'"),
        (lambda: Axis(size=4, dims=(("c", "c"),)), "not repeat a loop"),
        (lambda: Buffer(name="x", bytes=0, holds=OPERANDS), "bytes must be an integer above 0"),
        (lambda: Buffer(name="x", bytes=4, holds=()), "'x'.holds must name at least one operand"),
        (lambda: Buffer(name="x", bytes=4, holds=("psum",)), "got 'psum'"),
        (lambda: Buffer(name="x", bytes=4, holds=("input", "input")), "each operand once"),
        (lambda: Dram(efficiency=1.2), "efficiency must be a number above 0 and at most 1"),
        (lambda: Dram(efficiency=0), "efficiency must be a number above 0 and at most 1"),
        (lambda: Dram(holds=("bias",)), "dram.carries must name operands"),
        (lambda: Dram(pj_per_bit=-1), "pj_per_bit must be a number above 0"),
        (lambda: Constraints(min_tile=(("z", 1),)), "min_tile must name loops"),
        (lambda: Constraints(max_tile=(("k", 0),)), "max_tile.k must be an integer above 0"),
        (lambda: Constraints(min_tile=(("k", 4),), max_tile=(("k", 2),)), "at most"),
        (lambda: CHIP.with_parameters(lanes=4), "has no parameter 'lanes'; has"),
    ],
)
def test_wrong_parts_of_an_accelerator_are_refused(build, message):
    with pytest.raises(DseError, match=message):
        build()
