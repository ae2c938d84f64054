"""Machines are put in order by counting, as a sort by bucket, room and place does."""

from random import Random

import numpy as np
import pytest

from dse.evaluation.counting_sort import DIGIT, alike, sorted_by_key, sorted_by_room, starts_of
from dse.mapping.search.ratio_buckets import buckets


@pytest.mark.parametrize("most", [1, 2, 2**DIGIT, 2 ** (2 * DIGIT + 3), 2**45])
@pytest.mark.parametrize("buffers", [1, 2, 3])
def test_rooms_are_in_lexicographic_order(most: int, buffers: int) -> None:
    rng = Random(f"{most} {buffers}")
    for count in (1, 2, 7, 200):
        sizes = [rng.randrange(most) for _ in range(9)]
        bits = np.array([[rng.choice(sizes) for _ in range(buffers)] for _ in range(count)])
        order, room, rooms = sorted_by_room(bits)
        assert order.tolist() == np.lexsort(bits.T[::-1]).tolist()
        expected, place = np.unique(bits, axis=0, return_inverse=True)
        assert rooms.tolist() == expected.tolist()
        assert room.tolist() == place.ravel().tolist()


def test_values_are_dealt_by_key_and_ties_stay_in_order() -> None:
    keys, values = np.array([2, 0, 2, 0, 4]), np.array([10, 11, 12, 13, 14])
    starts = starts_of(keys, 5)
    assert starts.tolist() == [0, 2, 2, 4, 4, 5]
    assert sorted_by_key(keys, values, starts).tolist() == [11, 13, 10, 12, 14]


@pytest.mark.parametrize("ratios", [1, 2, 9, 5000])
def test_buckets_hold_ratios_in_order_and_none_is_empty(ratios: int) -> None:
    rng = np.random.default_rng(ratios)
    rate, clock = 10 ** rng.uniform(8, 12, ratios), 10 ** rng.uniform(7, 10, ratios)
    rate, clock = np.append(rate, rate[0]), np.append(clock, clock[0])
    which, ends = buckets(rate, clock)
    ratio = clock / (8 * rate)
    assert sorted(set(which.tolist())) == list(range(ends.shape[1]))
    for bucket in range(ends.shape[1]):
        inside = ratio[which == bucket]
        assert ends[:, bucket].tolist() == [inside.min(), inside.max()]
    assert (ends[0, 1:] > ends[1, :-1]).all()


@pytest.mark.parametrize("span", [3, 300, 10**6])
def test_machines_that_are_alike_are_those_of_equal_rows(span: int) -> None:
    rng = np.random.default_rng(span)
    columns = [rng.integers(-span, span, 500), np.broadcast_to(7, 500), rng.integers(0, 2, 500) / 4]
    rows = list(zip(*(x.tolist() for x in columns), strict=True))
    found = alike(columns)
    assert sorted(i for part in found for i in part.tolist()) == list(range(500))
    assert [rows[part[0]] for part in found] == sorted(set(rows))
    assert all(rows[i] == rows[part[0]] for part in found for i in part)
    assert all((np.diff(part) > 0).all() for part in found)
