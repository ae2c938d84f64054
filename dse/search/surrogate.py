"""A Gaussian process over the places of knobs: it foretells costs from the designs costed so far.

A design is a row of places: the rank of each knob's value, or `INACTIVE` where a knob that hangs on
another one is not asked for.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from dse.arrays import BoolArray, FloatArray, IntArray

INACTIVE = -1
"""The place of a knob that a design does not have."""

_NUGGET = 1e-6
"""Variance of what the kernel cannot explain, over that of the process."""

_RATES = (1e-3, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""How fast costs may change along a knob: inverse lengths, in its whole range; the least is not."""

_FITTED_DESIGNS = 160
"""Designs from which rates are fitted; with more a fit is slower and no better."""

_WARM_DESIGNS = 100
"""Designs from which on a fit may begin from an earlier one."""


@dataclass(frozen=True, kw_only=True)
class Knobs:
    """What is known of the knobs.

    Attributes
    ----------
    sizes : shape (knobs,)
        Number of values of each.
    is_ordered : shape (knobs,)
        Whether near ranks cost alike; else the values are names.
    """

    sizes: IntArray
    is_ordered: BoolArray

    def squares(self, first: IntArray, second: IntArray) -> FloatArray:
        """Return how far designs are apart along each knob, squared.

        A knob that a design does not have lies beside the middle of its range, names lie at the
        corners of a simplex: distances of points in some space, as a kernel needs them.

        Parameters
        ----------
        first, second : shape (designs, knobs), shape (others, knobs)

        Returns
        -------
        shape (knobs, designs, others)
        """
        one, other = self._coordinates(first), self._coordinates(second)
        squares = np.empty((len(self.sizes), len(first), len(second)))
        for knob, is_ordered in enumerate(self.is_ordered):
            if is_ordered:
                np.square(one[knob][:, None] - other[knob], out=squares[knob])
                lacks, lack = (x[:, knob] == INACTIVE for x in (first, second))
                if lacks.any() or lack.any():
                    squares[knob] += 0.75 * (lacks[:, None] != lack)
            else:
                np.not_equal(first[:, None, knob], second[:, knob], out=squares[knob])
        return squares

    def _coordinates(self, places: IntArray) -> FloatArray:
        ranks = places / np.maximum(self.sizes - 1, 1)
        return np.where(places == INACTIVE, 0.5, ranks).T

    def features(self, places: IntArray) -> FloatArray:
        """Return the columns of the linear part: one, ranks, and which name it is.

        Parameters
        ----------
        places : shape (designs, knobs)

        Returns
        -------
        shape (designs, features)
        """
        columns = [np.ones(len(places))]
        for place, size, is_ordered in zip(places.T, self.sizes, self.is_ordered, strict=True):
            if is_ordered:
                columns += [np.maximum(place, 0) / max(size - 1, 1), place == INACTIVE]
            else:
                columns += [place == value for value in range(INACTIVE, size)]
        return np.column_stack(columns).astype(np.float64)


def _kernel(squares: FloatArray, rates: FloatArray) -> FloatArray:
    """Return the Matern kernel of order 5/2 (Rasmussen and Williams 2006, equation 4.17)."""
    total: FloatArray = np.einsum("k,kij->ij", 5.0 * rates**2, squares)
    roots = np.sqrt(total)
    kernel: FloatArray = (1.0 + roots + total / 3.0) * np.exp(-roots)
    return kernel


@dataclass(frozen=True, kw_only=True)
class _Solution:
    weights: FloatArray  # of the kernel, (designs,)
    slopes: FloatArray  # of the features
    badness: float  # negative log likelihood


def _solve(
    squares: FloatArray, features: FloatArray, values: FloatArray, rates: FloatArray
) -> _Solution:
    """Fit one cost for given rates: the linear part by least squares, the rest by the kernel."""
    size = len(values)
    kernel = _kernel(squares, rates)
    kernel[np.diag_indices(size)] += _NUGGET
    factor = cholesky(kernel, lower=True, overwrite_a=True, check_finite=False)
    white = solve_triangular(
        factor, np.column_stack([values, features]), lower=True, check_finite=False
    )
    gram = white[:, 1:].T @ white[:, 1:]
    gram[np.diag_indices(len(gram))] += 1e-6
    slopes = np.linalg.solve(gram, white[:, 1:].T @ white[:, 0])
    rest = white[:, 0] - white[:, 1:] @ slopes
    badness = 0.5 * size * np.log(rest @ rest / size + 1e-12) + np.log(np.diag(factor)).sum()
    weights = cho_solve((factor, True), values - features @ slopes, check_finite=False)
    return _Solution(weights=weights, slopes=slopes, badness=float(badness))


def _fitted_rates(
    squares: FloatArray, features: FloatArray, values: FloatArray, start: FloatArray | None
) -> FloatArray:
    """Climb the likelihood one knob at a time: among all rates at first, later among fewer."""
    rates = np.ones(len(squares))
    least = _solve(squares, features, values, rates).badness
    is_first = start is None or len(values) < _WARM_DESIGNS
    if start is not None:
        badness = _solve(squares, features, values, start).badness
        if badness < least:
            least, rates = badness, start
    for knob in [*range(len(rates))] * (2 if is_first else 1):
        fewer = (rates[knob] / 3, rates[knob] * 3, _RATES[-3])
        for rate in _RATES if is_first else fewer:
            tried = rates.copy()
            tried[knob] = min(max(rate, _RATES[0]), _RATES[-1])
            badness = _solve(squares, features, values, tried).badness
            if badness < least:
                least, rates = badness, tried
    return rates


@dataclass(frozen=True, kw_only=True)
class Surrogate:
    """Costs as they are foretold.

    Attributes
    ----------
    knobs
        What the places mean.
    places : shape (designs, knobs)
        The designs that it was fitted to.
    rates : shape (costs, knobs)
        How fast each cost changes along each knob.
    """

    knobs: Knobs
    places: IntArray
    rates: FloatArray
    _solutions: tuple[_Solution, ...]
    _centre: FloatArray
    _spread: FloatArray

    def __call__(self, places: IntArray) -> FloatArray:
        """Foretell costs; places are of shape (others, knobs), costs of shape (others, costs)."""
        squares = self.knobs.squares(places, self.places)
        features = self.knobs.features(places)
        columns = [
            features @ one.slopes + _kernel(squares, rates) @ one.weights
            for one, rates in zip(self._solutions, self.rates, strict=True)
        ]
        return np.column_stack(columns) * self._spread + self._centre


def fit(
    knobs: Knobs, places: IntArray, values: FloatArray, *, start: FloatArray | None = None
) -> Surrogate:
    """Fit a surrogate.

    Parameters
    ----------
    places : shape (designs, knobs)
    values : shape (designs, costs)
        Finite.
    start : shape (costs, knobs)
        Rates of an earlier fit, to begin from.
    """
    centre, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = (values - centre) / spread
    squares, features = knobs.squares(places, places), knobs.features(places)
    few = slice(None, None, -(-len(places) // _FITTED_DESIGNS))
    rates = np.array(
        [
            _fitted_rates(
                squares[:, few, few],
                features[few],
                column[few],
                None if start is None else start[cost],
            )
            for cost, column in enumerate(scaled.T)
        ]
    )
    solutions = tuple(
        _solve(squares, features, column, rate)
        for column, rate in zip(scaled.T, rates, strict=True)
    )
    return Surrogate(
        knobs=knobs,
        places=places,
        rates=rates,
        _solutions=solutions,
        _centre=centre,
        _spread=spread,
    )
