"""Arrays that give a layer the same choice share a table, and keep the axes of their own."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

import dse
from dse.mapping import store
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.nest.mapping import evaluate_mapping
from dse.mapping.question import Question
from dse.mapping.search.find import find
from dse.mapping.table import mapping_table
from tests.oracle.cases import random_chip, random_layer


def turned(chip):
    """Return a machine whose axes have changed places."""
    return replace(chip, array=chip.array[::-1])


@pytest.mark.parametrize("seed", range(24))
def test_an_array_that_is_turned_has_the_mappings_of_its_own_search(seed):
    rng = Random(seed)
    layer, chip = random_layer(rng, most=10), random_chip(rng)
    mapping_table(layer, chip)
    other = turned(chip)
    found = mapping_table(layer, other)
    own = find(LayerOnArray(layer, other), Question())
    for criterion, expected in zip(found.points.criteria, own.criteria, strict=True):
        assert np.array_equal(criterion, expected)
    assert np.array_equal(found.points.variant, own.variant)
    for row in range(0, len(own.variant), 5):
        mapping = found.mapping(row)
        assert mapping.compute_cycles == found.compute_cycles[row]
        assert mapping == evaluate_mapping(
            layer, other, tile=mapping.tile, order=mapping.order, axes=mapping.axes
        )


def test_arrays_that_are_larger_than_a_layer_are_searched_once(monkeypatch):
    layer, chip = random_layer(Random(1), most=10), dse.load_accelerator("flexible")
    small, large = (
        replace(chip, array=tuple(replace(axis, size=size) for axis in chip.array))
        for size in (2**14, 2**15)
    )
    first = mapping_table(layer, small)
    monkeypatch.setattr(store, "find", None)
    assert mapping_table(layer, large).points is first.points
    assert mapping_table(layer, large).mapping(0).axis_sizes == (2**15, 2**15)
