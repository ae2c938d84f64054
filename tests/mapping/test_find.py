"""The search for the mappings worth having does not depend on the sizes of its arrays."""

from random import Random

import numpy as np
import pytest

from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.question import Question
from dse.mapping.search import find as search
from tests.oracle.cases import random_chip, random_layer


@pytest.mark.parametrize("sizes", [(4, 4), (5, 64), (640, 5)])
def test_a_search_whose_arrays_are_too_short_starts_again_with_longer_ones(monkeypatch, sizes):
    for seed in range(8):
        rng = Random(seed)
        layer, chip = random_layer(rng, most=8), random_chip(rng)
        one = LayerOnArray(layer, chip)
        with monkeypatch.context() as patch:
            patch.setattr(search, "SIZES", sizes)
            small = search.find(one, Question())
        whole = search.find(one, Question())
        for found, expected in zip(small.criteria, whole.criteria, strict=True):
            assert np.array_equal(found, expected)
        assert np.array_equal(small.tiles, whole.tiles)
