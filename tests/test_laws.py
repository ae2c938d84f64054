"""Laws 1, 2 and 6 of dse/docs/model.md#laws for the tables of random small layers."""

from collections.abc import Callable
from dataclasses import replace
from math import inf, isfinite, sqrt
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InfeasibleError
from dse.hardware import TRANSFERS, Accelerator, Axis, Constraints
from dse.mapping import Mapping
from dse.mapping.table import mapping_table
from dse.workload import LOOPS, OPERANDS, Layer
from tests.oracle.brute import Criteria, value
from tests.oracle.cases import TECHNOLOGY, ZERO, is_mixed, random_chip, random_layer, with_buffers
from tests.oracle.walk import compulsory_bits, walk

OBJECTIVES = ("latency_s", "dram_bytes", "energy_pj", "edp")
# The static power of a larger chip is higher, so that only without it energy cannot get worse.
NO_LEAKAGE = replace(TECHNOLOGY, leakage_w_per_mm2=ZERO)
HUGE = 10**6

randoms = st.randoms(use_true_random=False)
layers = st.builds(random_layer, randoms, most_work=st.just(3_000))
chips = st.builds(random_chip, randoms)


def criteria_of(mapping: Mapping, layer: Layer, chip: Accelerator) -> Criteria:
    """Return the criteria of a mapping, walked."""
    found = walk(layer, chip, mapping.tile, mapping.order, mapping.axes)
    ends = found["first_last_bits"]
    return (*found["footprint_bits"], found["dram_bits"], found["compute_cycles"], ends)  # type: ignore[misc,return-value]


def least(layer: Layer, chip: Accelerator, objective: str) -> float:
    """Return what the mapper reaches; infinite where no mapping fits."""
    chip = replace(chip, technology=NO_LEAKAGE)
    try:
        mapping = mapping_table(layer, chip).best(objective, chip, slack=0)
    except InfeasibleError:
        return inf
    return value(criteria_of(mapping, layer, chip), chip, objective, mac_pj=0.0, leakage_w=0.0)


def no_worse(layer: Layer, better: Accelerator, worse: Accelerator) -> bool:
    """Hold every objective on two machines against each other; return whether the worse fits."""
    for objective in OBJECTIVES:
        reached, bound = least(layer, better, objective), least(layer, worse, objective)
        assert reached <= bound * (1 + 1e-12), objective
    return isfinite(bound)


def number_fitting(
    law: Callable[..., bool], draws: int, *strategies: st.SearchStrategy[Any]
) -> int:
    """Hold a law for random draws; return how many of them fit the worse machine."""
    fits = []

    @settings(max_examples=draws, deadline=None)
    @given(st.tuples(*strategies))
    def holds(drawn: tuple[Any, ...]) -> None:
        fits.append(law(*drawn))

    holds()
    return sum(fits)


@settings(max_examples=30, deadline=None)
@given(layers, chips)
def test_traffic_is_at_least_compulsory(layer: Layer, chip: Accelerator) -> None:
    table = mapping_table(layer, chip)
    assert (table.dram_bits >= compulsory_bits(layer, chip)).all()
    # With all of the layer on chip, and every operand carried, nothing is moved twice.
    if chip.constraints == Constraints() and not chip.partial_rows_are_fetched:
        assert table.dram_bits.min() == compulsory_bits(layer, chip)


@settings(max_examples=20, deadline=None)
@given(layers, chips)
def test_mappings_do_all_macs(layer: Layer, chip: Accelerator) -> None:
    chip = with_buffers(chip, (HUGE,) * len(chip.buffers))
    mapping = mapping_table(layer, chip).best("latency_s", chip, slack=0)
    found = walk(layer, chip, mapping.tile, mapping.order, mapping.axes)
    assert found["macs"] == layer.macs


@settings(max_examples=30, deadline=None)
@given(
    bounds=st.fixed_dictionaries({x: st.integers(1, 40) for x in ("oy", "k", "c")}),
    bits=st.sampled_from((4, 8, 16)),
    chip=chips,
)
def test_no_matrix_product_is_below_its_lower_bound(
    bounds: dict[str, int], bits: int, chip: Accelerator
) -> None:
    widths = {"input_bits": bits, "weight_bits": 8, "output_bits": 8, "psum_bits": 8}
    layer = Layer(name="product", **bounds, **widths)  # type: ignore[arg-type]
    chip = replace(chip, dram=replace(chip.dram, holds=OPERANDS))
    table = mapping_table(layer, chip)
    narrowest = min(bits, 8)
    for row in range(len(table.dram_bits)):
        held = int(table.footprint_bits[row].sum()) / narrowest
        bound = 2 * layer.macs / sqrt(held) - 2 * held
        assert table.dram_bits[row] >= bound * narrowest * (1 - 1e-12)


def larger_buffer(layer: Layer, chip: Accelerator, more: int) -> bool:
    larger = tuple(size + more for size in chip.buffer_sizes_bytes)
    return no_worse(layer, with_buffers(chip, larger), chip)


def roomy(chip: Accelerator, **changes: Any) -> Accelerator:
    """Return a machine with fifty times the buffers, so that most layers fit."""
    return with_buffers(chip, tuple(50 * size for size in chip.buffer_sizes_bytes), **changes)


def higher_rate(layer: Layer, chip: Accelerator, more: int, transfers: str) -> bool:
    chip = replace(roomy(chip), transfers=transfers)
    faster = chip.peak_dram_bytes_per_s * (1 + more / 7)
    return no_worse(layer, replace(chip, dram_bytes_per_s=faster), chip)


def faster_clock(layer: Layer, chip: Accelerator, more: int, transfers: str) -> bool:
    chip = replace(roomy(chip), transfers=transfers)
    return no_worse(layer, replace(chip, clock_hz=chip.clock_hz * (1 + more / 7)), chip)


def longer_axis(layer: Layer, chip: Accelerator, rng: Random) -> bool:
    chip = roomy(chip, fill_cycles=0)
    which = rng.randrange(len(chip.array))
    longer = replace(chip.array[which], size=chip.axis_sizes[which] + rng.randint(1, 4))
    array = (*chip.array[:which], longer, *chip.array[which + 1 :])
    return no_worse(layer, replace(chip, array=array), chip)


def further_choice(layer: Layer, chip: Accelerator, rng: Random) -> bool:
    chip = roomy(chip)
    first, choice = chip.array[0], tuple(rng.sample(LOOPS, rng.randint(1, 3)))
    if chip.held_in_array != "sum" or not is_mixed(choice):  # such a choice is refused
        more = Axis(size=first.size, dims=(*first.dims, choice))
        no_worse(layer, replace(chip, array=(more, *chip.array[1:])), chip)
    no_worse(layer, replace(chip, stationarity=OPERANDS), chip)
    return no_worse(layer, replace(chip, constraints=Constraints()), chip)


more = st.integers(1, 40)
kinds = st.sampled_from(TRANSFERS)


def test_a_larger_buffer_never_harms() -> None:
    assert number_fitting(larger_buffer, 60, layers, chips, more) > 10


@pytest.mark.parametrize("law", [higher_rate, faster_clock])
def test_a_higher_rate_and_a_faster_clock_never_harm(law: Callable[..., bool]) -> None:
    assert number_fitting(law, 20, layers, chips, more, kinds) > 10


def test_a_longer_axis_never_harms() -> None:
    assert number_fitting(longer_axis, 30, layers, chips, randoms) > 15


def test_a_further_choice_never_harms() -> None:
    assert number_fitting(further_choice, 30, layers, chips, randoms) > 15


@settings(max_examples=20, deadline=None)
@given(layers, chips)
def test_bytes_are_eight_bits(layer: Layer, chip: Accelerator) -> None:
    table = mapping_table(layer, chip)
    mapping = table.mapping(0)
    bits = dict(mapping.dram_bits_by_operand)
    assert mapping.dram_bytes == {operand: count / 8 for operand, count in bits.items()}
    assert mapping.footprint_bytes == pytest.approx(int(table.footprint_bits[0].sum()) / 8)
    assert sum(bits.values()) == table.dram_bits[0]
