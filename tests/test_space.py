"""The grid of a space against itertools.product, and what a space refuses."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import DseError
from dse.space import Space
from tests.exploration.fake import ACCELERATOR, CATALOGUE, KNOBS, space


def test_order_is_that_of_product_and_index_inverts_it():
    grid = space(array_rows=(8, 16), dram_part=("lpddr4_3200_x16",), clock_hz=(1e9, 2e9, 3e9))
    designs = [grid.design(index) for index in range(grid.size)]
    assert [tuple(design.values()) for design in designs] == list(product(*grid.knobs.values()))
    assert [grid.index(design) for design in designs] == list(range(6))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 7))
def test_chunks_cover_the_grid_in_order(lengths, chunk):
    names = ("array_rows", "array_columns", "buffer_bytes", "batch")
    knobs = {name: tuple(range(1, n + 1)) for name, n in zip(names, lengths, strict=False)}
    grid = space(**knobs)
    parts = [grid.columns(indices) for indices in grid.chunks(chunk)]
    rows = list(
        zip(*(np.concatenate([part[name] for part in parts]) for name in knobs), strict=True)
    )
    assert rows == list(product(*knobs.values()))
    assert all(len(next(iter(part.values()))) <= chunk for part in parts)


def test_columns_have_the_kind_of_their_knob():
    columns = space(batch=(1, 2), clock_hz=(1e9, 2), technology=("node28",)).columns(np.arange(4))
    assert [str(column.dtype) for column in columns.values()] == ["int64", "float64", "object"]
    assert type(space(batch=(1, 2)).design(0)["batch"]) is int


def test_a_large_space_has_its_exact_size_and_its_last_design():
    names = ("array_rows", "array_columns", "buffer_bytes", "batch", "dram_channels")
    grid = space(**{name: tuple(range(1, 1001)) for name in names})
    assert grid.size == 10**15
    assert set(grid.design(grid.size - 1).values()) == {1000}
    assert grid.index(grid.design(123_456_789_012_345)) == 123_456_789_012_345


def test_default_knobs_make_5096_designs():
    assert space(**KNOBS).size == 7 * 7 * 13 * 4 * 2


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({}, "at least one knob"),
        ({"array_row": (8,)}, "did you mean 'array_rows'"),
        ({"array_rows": ()}, "at least one value"),
        ({"array_rows": (8, 16, 8)}, "8 twice"),
        ({"array_rows": (8.0,)}, "must be an integer above 0, got 8.0"),
        ({"array_rows": (0,)}, "above 0, got 0"),
        ({"array_rows": (True,)}, "got True"),
        ({"array_rows": ("8",)}, "got '8'"),
        ({"clock_hz": (float("nan"),)}, "got nan"),
        ({"clock_hz": (float("inf"),)}, "got inf"),
        ({"clock_hz": (-1e9,)}, "got -1000000000.0"),
        ({"dram_part": ("lpddr4_3200_x33",)}, "did you mean 'lpddr4_3200_x32'"),
        ({"dram_part": (3,)}, "got 3"),
        ({"technology": ("node29",)}, "did you mean 'node28'"),
        ({"dram_bytes_per_s": (1e9,), "dram_channels": (1,)}, "got both"),
    ],
)
def test_refused(knobs, message):
    with pytest.raises(DseError) as error:
        Space(name="x", accelerator=ACCELERATOR, knobs=knobs, catalogue=CATALOGUE)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("design", [{"array_rows": 8}, {"array_rows": 9, "batch": 1}])
def test_a_design_off_the_grid_has_no_index(design):
    with pytest.raises(DseError):
        space(array_rows=(8, 16), batch=(1,)).index(design)


@pytest.mark.parametrize("index", [-1, 2])
def test_an_index_off_the_grid_has_no_design(index):
    with pytest.raises(IndexError):
        space(array_rows=(8, 16)).design(index)
