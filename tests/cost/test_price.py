"""Price: the closed forms of a wafer, their laws, and the DRAM."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.config.accelerators import accelerator_from, catalogue
from dse.config.files import load_group
from dse.cost.price import die_usd, die_yield, dies_per_wafer, dram_usd

NODE = catalogue().technologies["node28"]


def test_dies_of_a_wafer():
    assert dies_per_wafer(100.0) == pytest.approx(math.pi * 225 - math.pi * 300 / math.sqrt(200))
    assert dies_per_wafer(1e5) == 0


def test_yield_of_a_die():
    assert die_yield(0.0, NODE) == 1
    assert die_yield(100.0, NODE) == pytest.approx((1 + 0.05 / 3) ** -3)


def test_price_of_a_die():
    good = dies_per_wafer(8.0) * die_yield(8.0, NODE)
    assert die_usd(8.0, NODE) == pytest.approx(2891 / good)
    assert die_usd(8.0, NODE) == pytest.approx(0.34, rel=0.02)  # about 8,600 good dies
    assert die_usd(1e5, NODE) == np.inf


@given(st.floats(0.01, 2000), st.floats(1.001, 2))
def test_a_larger_die_never_yields_better_or_costs_less(area, factor):
    assert dies_per_wafer(area * factor) < dies_per_wafer(area)
    assert die_yield(area * factor, NODE) < die_yield(area, NODE)
    assert die_usd(area * factor, NODE) > die_usd(area, NODE)


def test_arrays_equal_a_loop_of_scalars():
    areas = np.array([0.5, 8.0, 300.0])
    assert die_usd(areas, NODE).tolist() == [die_usd(area, NODE) for area in areas]


def test_dram_is_bought_by_the_channel():
    chip = accelerator_from(load_group("accelerator", "flexible"))
    assert dram_usd(chip) == 4.8
    assert dram_usd(chip.with_parameters(dram_channels=2)) == 9.6


def test_a_rate_without_a_part_costs_as_the_part_it_was_taken_from():
    chip = accelerator_from(load_group("accelerator", "flexible"))
    assert dram_usd(chip.with_parameters(dram_bytes_per_s=12.8e9)) == pytest.approx(4.8)
