"""Energy and power: the closed form, its laws, and the published power of NVDLA."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.config.accelerators import accelerator_from, catalogue
from dse.config.files import load_group
from dse.cost.energy import (
    UNNAMED_DRAM_PJ_PER_BIT,
    dram_pj_per_bit,
    energy_pj,
    mac_scale,
    power_w,
)

CONSTANTS = {"mac_pj": 0.5, "dram_pj_per_bit": 8.0, "leakage_w": 0.01}
QUANTITY = st.floats(0, 1e12)


def test_closed_form():
    assert energy_pj(1000, 80, 2e-6, **CONSTANTS) == 500 + 640 + 20000


@given(QUANTITY, QUANTITY, st.floats(0, 1e3), QUANTITY)
def test_more_of_anything_never_takes_less_energy(macs, bits, latency, more):
    least = energy_pj(macs, bits, latency, **CONSTANTS)
    assert energy_pj(macs + more, bits, latency, **CONSTANTS) >= least
    assert energy_pj(macs, bits + more, latency, **CONSTANTS) >= least
    assert energy_pj(macs, bits, latency + more, **CONSTANTS) >= least


def test_arrays_equal_a_loop_of_scalars():
    rng = np.random.default_rng(0)
    macs, bits, latency = rng.uniform(1, 1e9, (3, 50))
    together = energy_pj(macs, bits, latency, **CONSTANTS)
    alone = [energy_pj(*row, **CONSTANTS) for row in zip(macs, bits, latency, strict=True)]
    assert together.tolist() == alone
    assert energy_pj(macs[:, None], bits[None, :], 1.0, **CONSTANTS).shape == (50, 50)


@pytest.mark.parametrize("constants", [CONSTANTS, dict.fromkeys(CONSTANTS, 0.0)])
def test_a_design_that_nothing_fits_takes_infinite_energy_and_power(constants):
    energy = energy_pj(np.array([10, 10]), [np.inf, 1], [np.inf, 1], **constants)
    assert energy[0] == np.inf
    assert np.isfinite(energy[1])
    assert power_w(energy, [np.inf, 1.0])[0] == np.inf


def test_power_is_energy_over_time():
    assert power_w(2e12, 4.0) == 0.5


def test_eight_bits_are_exactly_the_unit():
    assert mac_scale(8, 8) == 1
    assert mac_scale([8, 16, 4], [8, 16, 8]).tolist() == [1, 4, 0.5]


def test_the_rule_of_bits_holds_for_published_multipliers():
    published = 3.1 / 0.2  # Horowitz, ISSCC 2014: int32 over int8
    assert mac_scale(32, 32) == pytest.approx(published, rel=0.04)


def test_energy_of_a_bit_is_the_machines_else_the_parts_else_assumed():
    parts = catalogue().dram_parts
    flexible = accelerator_from(load_group("accelerator", "flexible"))
    assert dram_pj_per_bit(flexible) == parts["lpddr4_3200_x32"].pj_per_bit.value
    assert dram_pj_per_bit(accelerator_from(load_group("accelerator", "snowflake"))) == 40
    unnamed = flexible.with_parameters(dram_bytes_per_s=1e9)
    assert dram_pj_per_bit(unnamed) == UNNAMED_DRAM_PJ_PER_BIT.value


@pytest.mark.parametrize(
    ("frames_per_s", "area", "milliwatts"),
    [(269, 3.3, 291), (93, 1.4, 80), (20, 0.84, 31), (3.6, 0.51, 17)],
)
def test_average_power_of_nvdla_at_sixteen_nm(frames_per_s, area, milliwatts):
    """NVDLA primer, ResNet-50 of 3.8965 GMAC; 19 % is the worst row of the two-constant fit."""
    node = catalogue().technologies["node16"]
    energy = energy_pj(
        frames_per_s * 3.8965e9,
        0,
        1.0,
        mac_pj=node.mac_pj.value,
        dram_pj_per_bit=0,
        leakage_w=node.leakage_w_per_mm2.value * area,
    )
    assert power_w(energy, 1.0) * 1e3 == pytest.approx(milliwatts, rel=0.19)
