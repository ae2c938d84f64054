"""Rows of all tiles of a spatial axis equal a literal count; many sizes are thinned in parts."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

import dse
from dse.mapping.nest import tile_sizes
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.input_rows import SpatialAxis
from dse.mapping.nest.pair_rows import pair_sizes
from dse.mapping.nest.tile_sizes import groups_of, sizes_worth_trying
from dse.workload import Layer, Workload
from tests.oracle.cases import random_chip, random_layer


def rows_of(axis: SpatialAxis, outs: range, taps: range) -> set[int]:
    """Return the real rows that a tile needs."""
    rows = {o * axis.stride + f * axis.dilation - axis.pad for o in outs for f in taps}
    if axis.whole_runs:
        rows = set(range(min(rows), max(rows) + 1))
    return {row for row in rows if 0 <= row < axis.size}


def counted(axis: SpatialAxis, out: int, taps: int) -> tuple[int, int]:
    """Count the rows that all tiles fetch, halos fetched again, and kept from tile to tile."""
    fetched = kept = 0
    for first in range(0, axis.taps, taps):
        held: set[int] = set()
        for start in range(0, axis.out, out):
            tap_range = range(first, min(first + taps, axis.taps))
            rows = rows_of(axis, range(start, min(start + out, axis.out)), tap_range)
            fetched, kept, held = fetched + len(rows), kept + len(rows - held), rows
    return fetched, kept


def random_axis(rng: Random) -> SpatialAxis:
    out, taps, stride, dilation = (rng.randint(1, most) for most in (24, 9, 5, 4))
    span = (out - 1) * stride + (taps - 1) * dilation + 1
    pad = rng.randint(0, min(span - 1, 9))
    return SpatialAxis(
        out=out,
        taps=taps,
        stride=stride,
        dilation=dilation,
        pad=pad,
        size=max(1, span - pad - rng.randint(-3, 9)),
        whole_runs=rng.random() < 0.3,
    )


def bare_axis(rng: Random) -> SpatialAxis:
    """Return an axis without padding and often without dilation, as long filters have it."""
    axis = random_axis(rng)
    dilation = rng.choice((1, 1, axis.dilation))
    size = (axis.out - 1) * axis.stride + (axis.taps - 1) * dilation + 1 + rng.randint(0, 2)
    return replace(axis, dilation=dilation, pad=0, size=size)


def plain_axis(rng: Random) -> SpatialAxis:
    """Return an axis without dilation, its runs cut by borders on both sides."""
    axis = random_axis(rng)
    return replace(axis, dilation=1, size=rng.randint(1, axis.size), whole_runs=False)


@pytest.mark.parametrize("make", [random_axis, bare_axis, plain_axis])
def test_rows_equal_a_literal_count(make) -> None:
    rng = Random(21)
    for _ in range(150):
        axis = make(rng)
        outs, taps = np.meshgrid(
            np.arange(1, axis.out + 1), np.arange(1, axis.taps + 1), indexing="ij"
        )
        pairs = pair_sizes(axis, outs.ravel(), taps.ravel())
        for place, size in enumerate(zip(outs.ravel(), taps.ravel(), strict=True)):
            expected = counted(axis, *map(int, size))
            assert (pairs.fetched[place], pairs.kept[place]) == expected, (axis, size)


def test_sizes_thinned_in_parts_are_those_thinned_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(80):
        rng = Random(seed)
        layer, chip = random_layer(rng, most_work=30_000, most=12), random_chip(rng)
        for group in groups_of(layer, chip, CycleCounter(layer, chip)):
            whole = sizes_worth_trying(group)
            with monkeypatch.context() as patch:
                patch.setattr(tile_sizes, "PAIRS_AT_ONCE", 7)
                parts = sizes_worth_trying(group)
            for name, column in whole.items():
                np.testing.assert_array_equal(parts[name], column)


@pytest.mark.slow
def test_a_long_filter_moves_each_operand_once() -> None:
    """An audio front end: 44,098 samples, 256 taps, every second one an output."""
    layer = Layer(name="fir", ox=21_922, ix=44_098, fx=256, stride_x=2)
    result = dse.evaluate(
        Workload(name="filter", layers=(layer,)), dse.load_accelerator("flexible")
    )
    assert layer.macs == 5_612_032
    assert result.dram_bytes == 44_098 + 256 + 21_922
