"""Dominance against the definition, hypervolume against closed forms and counted boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dse.pareto import hypervolume, log_minimised, minimised, non_dominated, scale


def by_definition(points):
    """Compare every pair of points, one number at a time."""
    return [
        not any(
            all(a <= b for a, b in zip(other, point, strict=True))
            and any(a < b for a, b in zip(other, point, strict=True))
            for other in points
        )
        for point in points
    ]


small_points = st.integers(1, 4).flatmap(
    lambda d: st.integers(0, 40).flatmap(
        lambda n: arrays(np.float64, (n, d), elements=st.sampled_from([0, 1, 2, 3, 4, np.inf]))
    )
)


@given(small_points)
@settings(max_examples=300, deadline=None)
def test_mask_is_the_definition(points):
    assert non_dominated(points).tolist() == by_definition(points.tolist())


def dominated(points):
    """Compare each point with all others at once."""
    return [((points <= p).all(axis=1) & (points < p).any(axis=1)).any() for p in points]


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("levels", [6, 1000, 0])
def test_mask_of_many_points_is_the_definition(objectives, levels):
    points = np.random.default_rng(objectives).random((3000, objectives))
    if levels:
        points = np.floor(points * levels)
    np.testing.assert_array_equal(~non_dominated(points), dominated(points))


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_mask_when_nothing_is_dominated(objectives):
    points = np.random.default_rng(0).random((4000, objectives))
    points /= np.linalg.norm(points, axis=1)[:, None]
    assert non_dominated(-points).all()


def test_equal_points_are_all_kept_and_all_dropped():
    points = np.array([[1, 2, 3], [1, 2, 3], [1, 2, 4], [1, 2, 4], [0, 9, 9]], float)
    assert non_dominated(points).tolist() == [True, True, False, False, True]


def test_infinite_points_among_many():
    points = np.random.default_rng(0).random((5000, 3))
    points[::7, 0] = np.inf
    points[::11, 1] = np.inf
    np.testing.assert_array_equal(~non_dominated(points), dominated(points))


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        non_dominated(np.array([[1.0, np.nan]]))


@pytest.mark.parametrize(
    ("points", "reference", "volume"),
    [
        ([[0.25]], [1.0], 0.75),
        ([[0, 0]], [1.1, 1.1], 1.21),
        ([[0, 1], [1, 0]], [2, 2], 3.0),
        ([[0, 1], [1, 0], [1, 1], [0, 1]], [2, 2], 3.0),
        ([[0, 0, 1], [0, 1, 0], [1, 0, 0]], [2, 2, 2], 7.0),
        ([[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]], [2] * 4, 15.0),
        ([[0, 0, 5]], [1, 1, 5], 0.0),
        ([[0, 0, 5], [0, 0, 4]], [1, 1, 5], 1.0),
    ],
)
def test_hypervolume_closed_forms(points, reference, volume):
    assert hypervolume(np.array(points, float), np.array(reference)) == pytest.approx(volume)


def test_hypervolume_of_a_staircase_is_a_sum():
    n = 50
    x = np.arange(n) / n
    points = np.column_stack([x, x[::-1]])
    expected = sum(1 - x[n - 1 - i] for i in range(n)) / n
    assert hypervolume(points, np.ones(2)) == pytest.approx(expected)


@given(small_points.filter(lambda p: len(p) > 0 and p.shape[1] > 1))
@settings(max_examples=200, deadline=None)
def test_hypervolume_is_the_number_of_unit_boxes(points):
    sides = [np.arange(5)] * points.shape[1]
    corners = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, points.shape[1])
    boxes = sum((points <= corner).all(axis=1).any() for corner in corners)
    assert hypervolume(points, np.full(points.shape[1], 5.0)) == pytest.approx(boxes)


@given(small_points.filter(lambda p: len(p) > 1))
@settings(max_examples=100, deadline=None)
def test_hypervolume_counts_only_the_front_and_grows_with_points(points):
    reference = np.full(points.shape[1], 4.5)
    whole = hypervolume(points, reference)
    assert whole == pytest.approx(hypervolume(points[non_dominated(points)], reference))
    assert whole >= hypervolume(points[1:], reference) - 1e-12


def test_throughput_is_negated_after_the_logarithm():
    costs = {"throughput_per_s": np.array([10.0, 1000.0]), "area_mm2": np.array([1.0, 100.0])}
    names = ("throughput_per_s", "area_mm2")
    assert minimised(costs, names).tolist() == [[-10, 1], [-1000, 100]]
    np.testing.assert_allclose(log_minimised(costs, names), [[-1, 0], [-3, 2]])


def test_scale_spans_the_front_and_leaves_a_constant_objective_at_zero():
    front = np.array([[-3.0, 0, 7], [-1, 2, 7]])
    assert scale(front, front).tolist() == [[0, 0, 0], [1, 1, 0]]
    assert scale(np.array([[-5.0, 1, 8]]), front).tolist() == [[-1, 0.5, 1]]
