import math

import pytest

from dse.plots.units import (
    design_text,
    number,
    percent,
    prefix,
    show,
    signed_percent,
)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("dram_bytes_per_s", 12.8e9, "12.8 GB/s"),
        ("buffer_bytes", 524288, "512 KiB"),
        ("buffer_bytes", 4 * 2**20, "4 MiB"),
        ("latency_s", 0.0123, "12.3 ms"),
        ("energy_pj_per_inference", 3e9, "3 mJ"),
        ("dram_bytes", 84.1e6, "84.1 MB"),
        ("dram_bytes", 0.5, "0.5 B"),
        ("area_mm2", 2.345, "2.35 mm²"),
        ("clock_hz", 1e9, "1 GHz"),
        ("latency_s", math.inf, "∞"),
        ("latency_s", 0, "0 s"),
        ("dram_part", "lpddr4", "lpddr4"),
        ("area_mm2", None, "\N{EN DASH}"),
        ("feasible", True, "yes"),
        ("a_knob_of_mine", 3, "3"),
    ],
)
def test_values_are_shown_with_their_unit(name, value, text):
    assert show(name, value) == text


@pytest.mark.parametrize("exponent", range(-12, 16))
def test_prefix_keeps_the_value_between_one_and_a_thousand(exponent):
    factor, _ = prefix("latency_s", 10.0**exponent)
    assert 1 <= 10.0**exponent * factor * (1 + 1e-9) < 1000


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567.0, "1,234,567"), (0.00012, "0.00012"), (1.5, "1.5"), (-0.25, "-0.25"), (100, "100")],
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100 %"), (0.9999, "over 99 %"), (0.0001, "under 1 %"), (0.0, "0 %"), (0.41, "41 %")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share, text):
    assert percent(share) == text


def test_a_design_is_told_in_words():
    design = {"array_rows": 32, "array_columns": 16, "buffer_bytes": 2**19, "dram_channels": 2,
              "dram_part": "lpddr4_3200_x32", "batch": 8, "area_mm2": 3.0}  # fmt: skip
    assert design_text(design) == (
        "32 \N{MULTIPLICATION SIGN} 16 MACs, 512 KiB buffer, "
        "2 \N{MULTIPLICATION SIGN} lpddr4_3200_x32, batch 8"
    )


def test_a_change_that_rounds_to_nothing_has_no_sign() -> None:
    assert [signed_percent(x) for x in (-1e-6, 0.1529, -0.02)] == ["0 %", "+15.3 %", "-2.0 %"]
