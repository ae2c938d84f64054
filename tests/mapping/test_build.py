"""The search for the mappings worth having does not depend on the room that it starts with."""

from random import Random

import numpy as np
import pytest

from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.search import build
from tests.oracle.cases import random_chip, random_layer


@pytest.mark.parametrize("room", [(4, 4), (5, 64), (640, 5)])
def test_a_search_that_lacks_room_starts_again_with_more(monkeypatch, room):
    for seed in range(8):
        rng = Random(seed)
        layer, chip = random_layer(rng, most=8), random_chip(rng)
        counter = CycleCounter(layer, chip)
        with monkeypatch.context() as patch:
            patch.setattr(build, "ROOM", room)
            small = build.worth_having(layer, chip, counter)
        whole = build.worth_having(layer, chip, counter)
        assert np.array_equal(small.criteria, whole.criteria)
        for loop, tile in whole.tile.items():
            assert np.array_equal(small.tile[loop], tile)
