"""The labels of the interactive plot: each beside its own mark."""

import pytest

from dse.report.explorer import label_places


@pytest.mark.parametrize(
    ("points", "places"),
    [
        ([(1.59, 93.5)], ["top center"]),
        # A runner-up just left of the pick and below it, one further right and below.
        ([(1.59, 93.5), (1.71, 60.6), (1.5, 89.5)], ["top center", "bottom right", "bottom left"]),
        ([(2.0, 50.0), (2.1, 60.0)], ["bottom center", "top right"]),
        ([(2.0, 50.0), (2.1, 60.0), (2.2, 70.0)], ["bottom center", "top right", "middle right"]),
    ],
)
def test_a_label_stands_away_from_the_other_chosen_marks(points, places):
    assert label_places(points) == places
