"""The oracle itself, against numbers worked out by hand from dse/docs/model.md."""

from random import Random

import pytest

from dse.hardware import Accelerator, Axis, Buffer, Constraints, Dram
from dse.workload import Layer
from tests.oracle.brute import (
    Traffic,
    all_mappings,
    all_tiles,
    all_unrollings,
    allowed_orders,
    best,
    brute_force_front,
    latency,
    non_dominated,
)
from tests.oracle.cases import (
    TECHNOLOGY,
    as_code,
    random_chip,
    random_layer,
    random_mapping,
    work,
)
from tests.oracle.walk import LOOPS, compulsory_bits, walk

ALL = ("input", "weight", "output")
UNUSED = ((),)


def chip(**changes: object) -> Accelerator:
    """One axis of two MACs for any loop, one buffer, halos fetched again."""
    values: dict[str, object] = {
        "name": "hand",
        "clock_hz": 1.0,
        "array": (Axis(size=2, dims=tuple((loop,) for loop in LOOPS)),),
        "buffers": (Buffer(name="all", bytes=1000, holds=ALL),),
        "technology": TECHNOLOGY,
        "dram_bytes_per_s": 1.0,
        "halo_is_kept": False,
    }
    return Accelerator(**values | changes)  # type: ignore[arg-type]


def counts(layer: Layer, machine: Accelerator, order: str, **tile: int) -> dict[str, object]:
    """Walk a mapping; loops not named in `order` go outside, tiles not given are whole."""
    inner = order.split()
    loops = [loop for loop in LOOPS if loop not in inner] + inner
    unused = tuple(() for _ in machine.array)
    return walk(layer, machine, layer.bounds | tile, loops, unused)


def elements(layer: Layer, machine: Accelerator, order: str, **tile: int) -> tuple[int, ...]:
    """Elements of input, weight, output, written and read partial sums."""
    return tuple(counts(layer, machine, order, **tile)["elements"].values())  # type: ignore[attr-defined]


def cycles(layer: Layer, machine: Accelerator, *axes: tuple[str, ...], **tile: int) -> int:
    """Compute cycles with the given loops on the axes."""
    found = walk(layer, machine, layer.bounds | tile, LOOPS, axes)["compute_cycles"]
    assert isinstance(found, int)
    return found


PRODUCT = Layer(name="product", oy=4, k=4, c=4)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("oy k c", (32, 32, 16, 0, 0)),  # each of 8 steps brings another 2x2 of both operands
        ("k oy c", (32, 32, 16, 0, 0)),
        ("k c oy", (32, 16, 16, 16, 16)),  # outputs leave after c = 0 and come back at c = 1
        ("c k oy", (32, 16, 16, 16, 16)),
        ("oy c k", (16, 32, 16, 16, 16)),
        ("c oy k", (16, 32, 16, 16, 16)),
    ],
)
def test_matrix_product_in_every_order(order: str, expected: tuple[int, ...]) -> None:
    assert elements(PRODUCT, chip(), order, oy=2, k=2, c=2) == expected


def test_loops_with_one_tile_do_not_count() -> None:
    # k is whole, so the input never returns; c whole, so outputs are complete at once.
    assert elements(PRODUCT, chip(), "oy k", oy=2, k=2) == (16, 32, 16, 0, 0)
    assert elements(PRODUCT, chip(), "k oy", oy=2, k=2) == (32, 16, 16, 0, 0)
    # only c is cut: the one output tile stays until it is complete.
    assert elements(PRODUCT, chip(), "c", c=1) == (16, 16, 16, 0, 0)


def test_edge_tiles_count_their_real_size() -> None:
    layer = Layer(name="edge", oy=5, k=3)
    # oy tiles of 2, 2, 1 for each of the k tiles of 2, 1: 5 inputs twice, 3 weights once.
    assert elements(layer, chip(), "k oy", oy=2, k=2) == (10, 3, 15, 0, 0)
    assert cycles(layer, chip(), ("oy",), oy=2, k=2) == (1 + 1 + 1) * 3
    assert cycles(layer, chip(), ("oy",), oy=3, k=3) == (2 + 1) * 3
    assert cycles(layer, chip(), ("k",), oy=5, k=2) == 5 * (1 + 1)


ROWS = Layer(name="rows", oy=4, fy=3, pad_y=1, c=2)  # real rows 0..3


def test_halo_is_fetched_again_or_kept_along_oy() -> None:
    # rows -1..2 then 1..4, of which 0..2 and 1..3 are real; rows 1 and 2 are in both.
    assert ROWS.iy == 4
    assert elements(ROWS, chip(), "oy", oy=2)[0] == 2 * (3 + 3)
    assert elements(ROWS, chip(halo_is_kept=True), "oy", oy=2)[0] == 2 * (3 + 1)


def test_halo_is_kept_only_when_oy_alone_moves_by_one() -> None:
    keeps = chip(halo_is_kept=True)
    assert elements(ROWS, keeps, "c oy", oy=2, c=1)[0] == 2 * (3 + 1)  # not at the wrap-around
    assert elements(ROWS, keeps, "oy c", oy=2, c=1)[0] == 2 * (3 + 3)
    # two k tiles inside: the input stays meanwhile, and its next tile still follows it.
    layer = Layer(name="rows", oy=4, fy=3, pad_y=1, k=2)
    assert elements(layer, keeps, "oy k", oy=2, k=1)[0] == 3 + 1
    assert elements(layer, keeps, "k oy", oy=2, k=1)[0] == 2 * (3 + 1)


def test_halo_is_not_kept_along_the_filter() -> None:
    layer = Layer(name="taps", oy=2, fy=2)  # rows 0..2, one row for each tile of 1 by 1
    for order in ("oy fy", "fy oy"):
        assert elements(layer, chip(halo_is_kept=True), order, oy=1, fy=1)[0] == 4
    # whole oy: tiles hold rows 0 1, then 1 2; the step is along fy, so row 1 comes twice.
    assert elements(layer, chip(halo_is_kept=True), "fy", fy=1)[0] == 4


def test_halo_is_kept_along_ox_but_not_around_the_corner() -> None:
    layer = Layer(name="corner", oy=2, ox=3, fy=2, fx=2)  # 3 rows, 4 columns
    tile = {"oy": 1, "ox": 1}
    assert elements(layer, chip(), "oy ox", **tile)[0] == 6 * 4
    # each row of tiles: 2x2, then one new column of 2 twice; nothing from the row above.
    assert elements(layer, chip(halo_is_kept=True), "oy ox", **tile)[0] == 2 * (4 + 2 + 2)
    assert elements(layer, chip(halo_is_kept=True), "ox oy", **tile)[0] == 3 * (4 + 2)


def test_halo_with_stride() -> None:
    layer = Layer(name="stride", oy=3, fy=3, stride_y=2)  # rows 0..2, 2..4, 4..6
    assert elements(layer, chip(), "oy", oy=1)[0] == 9
    assert elements(layer, chip(halo_is_kept=True), "oy", oy=1)[0] == 3 + 2 + 2
    # edge: tiles of 2 and 1 outputs, rows 0..4 and 4..6
    assert elements(layer, chip(halo_is_kept=True), "oy", oy=2)[0] == 5 + 2


def test_dilation_leaves_holes() -> None:
    layer = Layer(name="dilated", oy=2, fy=2, dilation_y=3)  # rows 0 1 3 4, not 2
    assert counts(layer, chip(), "")["footprint_bits"] == ((4 + 2) * 8 + 2 * 32,)
    assert elements(layer, chip(), "")[0] == 4
    runs = chip(partial_rows_are_fetched=True)
    assert counts(layer, runs, "")["footprint_bits"] == ((5 + 2) * 8 + 2 * 32,)
    assert elements(layer, runs, "")[0] == 5


def test_stride_above_the_filter_skips_rows_and_columns() -> None:
    layer = Layer(name="pointwise", oy=3, ox=2, stride_y=2, stride_x=3)  # rows 0 2 4, columns 0 3
    assert elements(layer, chip(), "")[0] == 3 * 2
    assert elements(layer, chip(partial_rows_are_fetched=True), "")[0] == 5 * 4
    assert elements(layer, chip(partial_rows_are_fetched=True), "oy", oy=1)[0] == 3 * 4


def test_padding_takes_room_but_is_never_fetched() -> None:
    # the nominal tile has rows -1..2: four rows of room, three of them fetched
    found = counts(ROWS, chip(), "oy", oy=2)
    assert found["footprint_bits"] == (2 * 4 * 8 + 2 * 3 * 8 + 2 * 32,)
    assert found["first_last_bits"] == 2 * 4 * 8 + 2 * 3 * 8 + 2 * 8
    # rows -2 0 2 4 with holes, whole runs: -2..4, of which 0..4 are real
    layer = Layer(name="holes", fy=4, dilation_y=2, pad_y=2, iy=5)
    assert elements(layer, chip(), "")[0] == 3
    assert elements(layer, chip(partial_rows_are_fetched=True), "")[0] == 5


def test_rows_beyond_the_real_input_are_padding_and_unused_rows_stay_away() -> None:
    short = Layer(name="short", oy=4, fy=3, iy=4)  # rows 0..5 touched, 0..3 real
    assert elements(short, chip(), "")[0] == 4
    assert elements(short, chip(), "oy", oy=1)[0] == 3 + 3 + 2 + 1
    long = Layer(name="long", oy=2, fy=1, stride_y=2, iy=9)
    assert elements(long, chip(), "")[0] == 2


def test_more_rows_with_a_smaller_filter_tile() -> None:
    """With padding 3, t_fy = 4 fetches 610 rows where t_fy = 6 fetches 553."""
    layer = Layer(name="conv1", oy=112, fy=7, stride_y=2, pad_y=3)
    assert elements(layer, chip(), "oy fy", oy=2, fy=4)[0] == 610
    assert elements(layer, chip(), "oy fy", oy=2, fy=6)[0] == 553


def test_bits_of_each_kind_of_traffic_and_what_the_dram_carries() -> None:
    bits = {"input_bits": 4, "weight_bits": 16, "output_bits": 8, "psum_bits": 24}
    layer = Layer(name="product", oy=4, k=4, c=4, **bits)  # type: ignore[arg-type]
    tile = {"oy": 2, "k": 2, "c": 2}
    found = counts(layer, chip(), "k c oy", **tile)
    assert list(found["bits"].values()) == [32 * 4, 16 * 16, 16 * 8, 16 * 24, 16 * 24]  # type: ignore[attr-defined]
    assert found["dram_bits"] == 128 + 256 + 128 + 768
    assert found["footprint_bits"] == (4 * 4 + 4 * 16 + 4 * 24,)
    assert found["first_last_bits"] == 4 * 4 + 4 * 16 + 4 * 8
    some = counts(layer, chip(dram=Dram(holds=("output",))), "k c oy", **tile)
    assert some["dram_bits"] == 128 + 768
    assert some["first_last_bits"] == 4 * 8
    assert some["footprint_bits"] == found["footprint_bits"]
    assert found["macs"] == layer.macs


def test_buffers_hold_their_operands() -> None:
    split = (
        Buffer(name="maps", bytes=9, holds=("input", "output")),
        Buffer(name="weights", bytes=9, holds=("weight",)),
    )
    found = counts(PRODUCT, chip(buffers=split), "", oy=3, c=2)
    assert found["footprint_bits"] == (3 * 2 * 8 + 3 * 4 * 32, 2 * 4 * 8)


def test_flattened_and_repeated_axes() -> None:
    layer = Layer(name="conv", k=7, c=3, fy=2, fx=2)
    assert cycles(layer, chip(array=(Axis(size=5, dims=(("c", "fy", "fx"),)),)), *UNUSED) == 84
    flat = chip(array=(Axis(size=5, dims=(("c", "fy", "fx"),)),))
    assert cycles(layer, flat, ("c", "fy", "fx")) == 7 * 3  # 12 taps in threes of 5
    assert cycles(layer, flat, ("c", "fy", "fx"), c=2) == 7 * (2 + 1)
    twice = chip(array=(Axis(size=2, dims=(("k",),)), Axis(size=3, dims=(("k",), ("c",)))))
    assert cycles(layer, twice, ("k",), ("k",)) == 2 * 12  # 7 over 6
    assert cycles(layer, twice, ("k",), ("c",)) == 4 * 4
    assert cycles(layer, twice, (), ("c",)) == 7 * 4


def test_a_loop_of_a_flattened_axis_is_on_no_other_axis() -> None:
    both = (("k",), ("c", "k"))
    machine = chip(array=(Axis(size=2, dims=both), Axis(size=3, dims=both)))
    assert set(all_unrollings(machine)) == {
        ((), ()),
        ((), ("k",)),
        ((), ("c", "k")),
        (("k",), ()),
        (("k",), ("k",)),
        (("c", "k"), ()),
    }


def test_padding_that_is_not_computed() -> None:
    skips = chip(padding_is_computed=False)
    assert cycles(ROWS, chip(), ()) == 2 * 12
    assert cycles(ROWS, skips, ()) == 2 * (12 - 2)  # rows -1 and 4
    assert cycles(ROWS, skips, ("c",)) == 12 - 2
    assert cycles(ROWS, skips, ("oy",)) == 2 * 2 * 3  # oy is on an axis: rows are all computed
    assert cycles(ROWS, skips, ("fy",)) == 2 * 4 * 2
    assert cycles(ROWS, skips, ("c",), oy=3) == 12 - 2
    across = Layer(name="columns", ox=4, fx=3, pad_x=1, oy=2)
    assert cycles(across, skips, ("oy",)) == 10  # y is on the axis, x still skips
    assert walk(ROWS, skips, ROWS.bounds, LOOPS, UNUSED)["macs"] == ROWS.macs


@pytest.mark.parametrize(
    ("held", "passes"), [("weight", 4), ("output", 8), ("sum", 8), ("input", 8)]
)
def test_fill_cycles_of_each_pass(held: str, passes: int) -> None:
    layer = Layer(name="product", oy=4, k=3, c=2)
    machine = chip(held_in_array=held, fill_cycles=5)
    assert cycles(layer, machine, ("k",)) == 4 * 2 * 2 + 5 * passes
    assert cycles(layer, chip(held_in_array=held, fill_cycles="array"), ("k",)) == 16 + 2 * passes


@pytest.mark.parametrize(
    ("held", "passes"), [("weight", 6), ("output", 4), ("sum", 4), ("input", 20)]
)
def test_passes_where_padding_is_not_computed(held: str, passes: int) -> None:
    # only the input has both loops of a pair: its passes are the pairs on real rows
    machine = chip(held_in_array=held, fill_cycles=5, padding_is_computed=False)
    assert cycles(ROWS, machine, ()) == 20 + 5 * passes


def test_a_sum_is_finished_once_whatever_is_cut() -> None:
    layer = Layer(name="product", oy=4, k=3, c=4)
    for held, passes in (("output", 2 * 8), ("sum", 8)):
        machine = chip(held_in_array=held, fill_cycles=5)
        assert cycles(layer, machine, ("k",), c=2) == 4 * 2 * 4 + 5 * passes


def test_orders_that_a_fixed_dataflow_allows() -> None:
    loops = ("k", "c", "oy")
    assert set(allowed_orders(loops, ("output",))) == {("k", "oy", "c"), ("oy", "k", "c")}
    assert set(allowed_orders(loops, ("weight",))) == {("k", "c", "oy"), ("c", "k", "oy")}
    assert len(allowed_orders(loops, ALL)) == 6
    assert len(allowed_orders(("k", "oy"), ("output",))) == 2  # c has one tile: it does not count


def test_constraints_are_cut_to_the_bounds() -> None:
    limits = Constraints(min_tile=(("oy", 99), ("k", 2)), max_tile=(("c", 1), ("k", 3)))
    tiles = list(all_tiles(PRODUCT, chip(constraints=limits)))
    assert {(t["oy"], t["k"], t["c"]) for t in tiles} == {(4, 2, 1), (4, 3, 1)}


def test_time() -> None:
    criteria = (800, 240, 10, 64)  # bits, DRAM bits, cycles, first and last
    slow = {"clock_hz": 2.0, "dram_bytes_per_s": 10.0, "dram": Dram(efficiency=0.5)}
    assert latency(criteria, chip(transfers="overlapped", **slow)) == max(5, 6)
    assert latency(criteria, chip(transfers="serial", **slow)) == 5 + 6
    assert latency(criteria, chip(transfers="double_buffered", **slow)) == 5 + 1.6
    # first and last take at most the transfer
    assert latency((8, 40, 10, 64), chip(transfers="double_buffered", **slow)) == 5 + 1
    small = (Buffer(name="all", bytes=100, holds=ALL),)
    assert latency(criteria, chip(transfers="serial", buffers=small, **slow)) == 11
    assert latency(criteria, chip(transfers="double_buffered", buffers=small, **slow)) == float(
        "inf"
    )


def test_compulsory() -> None:
    assert compulsory_bits(ROWS, chip()) == 8 * (2 * 4 + 2 * 3 + 4)
    pointwise = Layer(name="pointwise", oy=3, stride_y=2, iy=6)
    assert compulsory_bits(pointwise, chip(partial_rows_are_fetched=True)) == 8 * (3 + 1 + 3)


@pytest.mark.parametrize("seed", range(12))
def test_brute_force_is_the_front_of_all_mappings_walked(seed: int) -> None:
    rng = Random(seed)
    layer, machine = random_layer(rng, most_work=150), random_chip(rng)
    points = set()
    for tile, order, unrolled in all_mappings(layer, machine):
        found = walk(layer, machine, tile, order, unrolled)
        points.add(
            (
                *found["footprint_bits"],  # type: ignore[misc]
                found["dram_bits"],
                found["compute_cycles"],
                found["first_last_bits"],
            )
        )
    front = {
        p
        for p in points
        if not any(q != p and all(x <= y for x, y in zip(q, p, strict=True)) for q in points)
    }
    assert brute_force_front(layer, machine) == front, f"{as_code(layer)}\n{as_code(machine)}"


def test_remembered_traffic_equals_the_walk() -> None:
    for seed in range(200):
        rng = Random(seed)
        layer, machine = random_layer(rng, most_work=3000), random_chip(rng)
        tile, order, axes = random_mapping(rng, layer, machine)
        rng.shuffle(loops := list(order))
        found = walk(layer, machine, tile, loops, axes)
        assert Traffic(layer, machine, tile).bits(tuple(loops)) == found["dram_bits"]
        assert found["macs"] == layer.macs
        assert found["dram_bits"] >= compulsory_bits(layer, machine)  # type: ignore[operator]


def test_the_front_of_points() -> None:
    assert non_dominated([(1, 2), (2, 1), (2, 2), (1, 2), (0, 5)]) == {(1, 2), (2, 1), (0, 5)}
    assert best([(8, 80, 10, 8)], chip(dram=Dram(pj_per_bit=1.0)), "dram_bytes") == 10


def test_random_layers_and_machines_are_of_every_kind() -> None:
    drawn = [(random_layer(rng), random_chip(rng)) for rng in map(Random, range(1500))]
    layers, chips = zip(*drawn, strict=True)
    wanted = {
        "5x5 pad 2": lambda x: 5 in (x.fy, x.fx) and 2 in (x.pad_y, x.pad_x),
        "7x7 stride 2": lambda x: x.fy == x.fx == 7 and x.stride_y == 2 and x.pad_y == 3,
        "dilation": lambda x: x.dilation_y == 2 and x.fy > 1 and x.oy > 1,
        "wide stride": lambda x: x.stride_y > x.fy * x.dilation_y and x.oy > 1,
        "grouped": lambda x: x.g > 1 and x.c > 1 and x.k > 1,
        "depthwise": lambda x: x.g > 1 and x.c == x.k == 1 and x.fy > 1,
        "product": lambda x: x.oy > 1 and x.k > 1 and x.c > 1 and x.fy == x.ox == 1,
        "batch": lambda x: x.b > 1,
        "narrow": lambda x: 4 in (x.input_bits, x.weight_bits, x.output_bits),
        "wide sums": lambda x: x.psum_bits > x.output_bits,
        "attention": lambda x: x.weight_is_activation,
        "unequal padding": lambda x: x.pad_y and (x.oy - 1) * x.stride_y
        + (x.fy - 1) * x.dilation_y + 1 - x.iy not in (2 * x.pad_y,),
    }  # fmt: skip
    for kind, matches in wanted.items():
        assert sum(map(bool, map(matches, layers))) >= 8, kind
    assert {len(c.array) for c in chips} == {1, 2, 3}
    assert {len(c.buffers) for c in chips} == {1, 2, 3}
    assert {c.transfers for c in chips} == {"overlapped", "double_buffered", "serial"}
    assert max(map(work, layers)) <= 20_000


def test_code_of_a_case_builds_it_again() -> None:
    names = {c.__name__: c for c in (Layer, Accelerator, Axis, Buffer, Constraints, Dram)}
    for seed in range(50):
        rng = Random(seed)
        layer, machine = random_layer(rng), random_chip(rng)
        built = [eval(as_code(x), names | {"TECHNOLOGY": TECHNOLOGY}) for x in (layer, machine)]
        assert built == [layer, machine]
