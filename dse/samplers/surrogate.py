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

_EXPLAINED = 1e-6
"""Largest error of the linear part, over the spread of a cost, that needs no kernel."""

_RATES = (1e-3, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""How fast costs may change along a knob: inverse lengths, in its whole range; the least is not."""

_FITTED_DESIGNS = 160
"""Designs to which rates are fitted; with more a fit is slower and no better."""

_CHUNK_DESIGNS = 128
"""Designs foretold together; their kernel fits a processor's cache."""

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

    def coordinates(self, places: IntArray) -> tuple[FloatArray, IntArray]:
        """Return designs as points of a Euclidean space, as a kernel needs them.

        A knob that a design does not have lies beside the middle of its range, names lie at the
        corners of a simplex.

        Parameters
        ----------
        places : shape (designs, knobs)

        Returns
        -------
        shape (designs, dimensions)
        shape (dimensions,)
            The knob of each dimension.
        """
        columns: list[FloatArray] = []
        owners: list[int] = []
        for knob, (place, size) in enumerate(zip(places.T, self.sizes.tolist(), strict=True)):
            if self.is_ordered[knob]:
                lacks = place == INACTIVE
                columns += [np.where(lacks, 0.5, place / max(size - 1, 1)), np.sqrt(0.75) * lacks]
            else:
                columns += [np.sqrt(0.5) * (place == name) for name in range(INACTIVE, size)]
            owners += [knob] * (len(columns) - len(owners))
        return np.column_stack(columns), np.array(owners)


def _kernel(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the Matern kernel of order 3/2 (Rasmussen and Williams 2006, equation 4.17).

    Rough, as costs are: they step where a larger tile fits.

    Parameters
    ----------
    first, second : shape (designs, dimensions), shape (others, dimensions)
        Coordinates times rates.
    """
    roots: FloatArray = first @ (-6.0 * second.T)  # in place from here on: most time goes here
    roots += 3.0 * (first**2).sum(axis=1)[:, None]
    roots += 3.0 * (second**2).sum(axis=1)
    np.sqrt(np.maximum(roots, 0.0, out=roots), out=roots)
    kernel: FloatArray = np.exp(-roots)
    roots += 1.0
    kernel *= roots
    return kernel


def _with_one(coordinates: FloatArray) -> FloatArray:
    """Return the columns of the linear part."""
    return np.column_stack([np.ones(len(coordinates)), coordinates])


@dataclass(frozen=True, kw_only=True)
class _Solution:
    weights: FloatArray  # of the kernel, (designs,)
    slopes: FloatArray  # of the features
    badness: float  # negative log likelihood


def _solve(coordinates: FloatArray, values: FloatArray, rates: FloatArray) -> _Solution:
    """Fit one cost for given rates (dimensions,): a linear part, and the rest by the kernel."""
    size, features = len(values), _with_one(coordinates)
    kernel = _kernel(coordinates * rates, coordinates * rates)
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
    coordinates: FloatArray, owners: IntArray, values: FloatArray, start: FloatArray | None
) -> FloatArray:
    """Climb the likelihood one knob at a time: among all rates at first, later among fewer."""

    def badness_of(rates: FloatArray) -> float:
        return _solve(coordinates, values, rates[owners]).badness

    rates = np.ones(owners.max() + 1)
    least = badness_of(rates)
    is_first = start is None or len(values) < _WARM_DESIGNS
    if start is not None:
        badness = badness_of(start)
        if badness < least:
            least, rates = badness, start
    for knob in [*range(len(rates))] * (2 if is_first else 1):
        fewer = (rates[knob] / 3, rates[knob] * 3, _RATES[4])
        for rate in _RATES if is_first else fewer:
            tried = rates.copy()
            tried[knob] = min(max(rate, _RATES[0]), _RATES[-1])
            badness = badness_of(tried)
            if badness < least:
                least, rates = badness, tried
    return rates


def _fitted(
    coordinates: FloatArray, owners: IntArray, values: FloatArray, start: FloatArray | None
) -> tuple[_Solution, FloatArray]:
    """Fit one cost, and its rates; a cost that the linear part explains needs no kernel."""
    features = _with_one(coordinates)
    slopes = np.linalg.lstsq(features, values, rcond=None)[0].astype(np.float64)
    is_explained = np.abs(values - features @ slopes).max() < _EXPLAINED
    if is_explained and len(values) > 2 * features.shape[1]:
        rates = np.ones(owners.max() + 1) if start is None else start
        return _Solution(weights=np.zeros(len(values)), slopes=slopes, badness=-np.inf), rates
    few = slice(_FITTED_DESIGNS)
    rates = _fitted_rates(coordinates[few], owners, values[few], start)
    return _solve(coordinates, values, rates[owners]), rates


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
        fitted, owners = self.knobs.coordinates(self.places)
        others, _ = self.knobs.coordinates(places)
        foretold = np.empty((len(others), len(self.rates)))
        parts = range(0, len(others), _CHUNK_DESIGNS)
        for cost, (one, rates) in enumerate(zip(self._solutions, self.rates, strict=True)):
            foretold[:, cost] = _with_one(others) @ one.slopes
            for part in (slice(start, start + _CHUNK_DESIGNS) for start in parts):
                if one.weights.any():
                    kernel = _kernel(others[part] * rates[owners], fitted * rates[owners])
                    foretold[part, cost] += kernel @ one.weights
        return foretold * self._spread + self._centre


def fit(
    knobs: Knobs, places: IntArray, values: FloatArray, *, start: FloatArray | None = None
) -> Surrogate:
    """Fit a surrogate.

    Parameters
    ----------
    places : shape (designs, knobs)
        Those that matter most first: rates are fitted to the first of them.
    values : shape (designs, costs)
        Finite.
    start : shape (costs, knobs)
        Rates of an earlier fit, to begin from.
    """
    centre, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = (values - centre) / spread
    coordinates, owners = knobs.coordinates(places)
    fits = [
        _fitted(coordinates, owners, column, None if start is None else start[cost])
        for cost, column in enumerate(scaled.T)
    ]
    return Surrogate(
        knobs=knobs,
        places=places,
        rates=np.array([rates for _, rates in fits]),
        _solutions=tuple(solution for solution, _ in fits),
        _centre=centre,
        _spread=spread,
    )
