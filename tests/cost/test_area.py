"""Area: the closed form, its laws, the published NVDLA table, and where it is extrapolated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.config.accelerators import accelerator_from, catalogue
from dse.config.files import load_group
from dse.cost.area import area_mm2, extrapolation_warnings
from dse.cost.energy import mac_scale

NODES = catalogue().technologies
NVDLA = [  # MACs, KiB, mm2 at 28 nm, mm2 at 16 nm: NVDLA primer
    (2048, 512, 5.5, 3.3),
    (512, 256, 2.3, 1.4),
    (128, 256, 1.4, 0.84),
    (32, 128, 0.85, 0.51),
]


def test_closed_form():
    node = NODES["node28"]
    assert area_mm2(1000, 2048, node) == pytest.approx(0.384 + 1.78 + 0.0065)
    assert area_mm2(1000, 2048, node, scale=4) == pytest.approx(0.384 + 7.12 + 0.0065)


@pytest.mark.parametrize(("macs", "kib", "at_28", "at_16"), NVDLA)
def test_nvdla_rows_are_within_the_worst_error_of_the_fit(macs, kib, at_28, at_16):
    assert area_mm2(macs, kib * 1024, NODES["node28"]) == pytest.approx(at_28, rel=0.076)
    assert area_mm2(macs, kib * 1024, NODES["node16"]) == pytest.approx(at_16, rel=0.0905)


def test_eyeriss_has_the_area_of_its_core():
    chip = accelerator_from(load_group("accelerator", "eyeriss"))
    area = area_mm2(
        chip.num_macs, sum(chip.buffer_sizes_bytes), chip.technology, scale=mac_scale(16, 16)
    )
    assert area == pytest.approx(12.25, rel=0.005)  # JSSC 2017: 3.5 x 3.5 mm; constants of it


def test_tpu_is_below_half_a_haswell():
    chip = accelerator_from(load_group("accelerator", "tpu_v1"))
    assert area_mm2(chip.num_macs, sum(chip.buffer_sizes_bytes), chip.technology) < 331


@given(st.integers(1, 10**6), st.integers(1, 10**9), st.integers(0, 10**6))
@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
def test_more_macs_or_bytes_never_take_less_area(node, macs, size, more):
    assert area_mm2(macs + more, size, node) >= area_mm2(macs, size, node)
    assert area_mm2(macs, size + more, node) >= area_mm2(macs, size, node)


def test_arrays_equal_a_loop_of_scalars():
    macs, sizes = np.array([64, 256, 4096]), np.array([65536, 1, 10**7])
    together = area_mm2(macs, sizes, NODES["node16"])
    alone = [area_mm2(m, s, NODES["node16"]) for m, s in zip(macs, sizes, strict=True)]
    assert together.tolist() == alone


@pytest.mark.parametrize("row", NVDLA)
def test_the_fitted_rows_give_no_warning(row):
    assert extrapolation_warnings(row[0], row[1] * 1024, NODES["node28"]) == ()


@pytest.mark.parametrize(
    ("macs", "kib", "lines"),
    [
        (4096, 256, ["area of a MAC at node28 is extrapolated: fitted from 32 to 2,048 MACs"]),
        (16, 256, ["used at 16"]),
        (256, 1024, ["area of a KiB at node28 is extrapolated: fitted from 128 to 512 KiB"]),
        (256, 64, ["used at 64"]),
        ([64, 4096], [64, 256], ["used at 64 to 4,096", "used at 64 to 256"]),
    ],
)
def test_each_extrapolated_constant_has_one_line(macs, kib, lines):
    found = extrapolation_warnings(macs, np.array(kib) * 1024, NODES["node28"])
    assert len(found) == len(lines)
    assert all(part in line for part, line in zip(lines, found, strict=True))


def test_other_bits_and_unfitted_nodes_say_so():
    (line,) = extrapolation_warnings(256, 256 * 1024, NODES["node28"], scale=4.0)
    assert "8 by 8 bits" in line
    lines = extrapolation_warnings(256, 256 * 1024, NODES["node7"])
    assert all("fitted on no chip" in line for line in lines)
    assert len(lines) == 2
