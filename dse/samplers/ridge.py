"""A sampler for Optuna that knows what a design space of parts is like.

Knobs are discrete and most are ordered, costs are smooth along their ranks, and every design of the
front has others of the front beside it. So it foretells costs with a surrogate, looks for
neighbours of the front on it, and asks for those designs that should improve the front most.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState
from threadpoolctl import threadpool_limits

from dse.arrays import FloatArray, IntArray
from dse.samplers.neighbours import latin_hypercube, new_rows, random_designs
from dse.samplers.proposals import History, propose
from dse.samplers.surrogate import INACTIVE, Knobs

_MOST_VALUES = 1024
"""Values of a knob; of more, so many evenly spaced ones are tried."""

_LEAST_BATCH = 10
_GROWTH = 8
"""The surrogate is fitted anew after this part of the designs is new."""


class RidgeSampler(BaseSampler):
    """Sample the designs that a surrogate of the costs foretells to improve the front most.

    For any number of objectives and for constraints (`optuna.Trial.set_constraint`), and for knobs
    that are asked for only where another one has some value. Give objectives that span orders of
    magnitude as logarithms.

    Parameters
    ----------
    seed
        Of every random choice; None draws one.
    n_startup_trials
        Designs that are spread evenly before the first fit.

    Examples
    --------
    >>> import optuna
    >>> study = optuna.create_study(sampler=RidgeSampler(seed=0, n_startup_trials=8))
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study.optimize(lambda trial: (trial.suggest_int("rows", 0, 90) - 33) ** 2, n_trials=30)
    >>> study.best_params
    {'rows': 33}
    """

    def __init__(self, *, seed: int | None = None, n_startup_trials: int = 24) -> None:
        self._rng = np.random.default_rng(seed)
        self._random = RandomSampler(seed=int(self._rng.integers(2**32)))
        self._n_startup_trials = n_startup_trials
        self._values: dict[str, _Values] = {}
        self._planned: deque[dict[str, Any]] = deque()
        self._current: dict[int, dict[str, Any]] = {}  # trial number to its plan
        self._rates: FloatArray | None = None
        self._num_told = self._num_fitted = 0
        self._is_exhausted = False  # no new design was found when plans were last made

    def reseed_rng(self) -> None:
        """Draw a new seed, as Optuna asks of samplers that are copied to other processes."""
        self._rng = np.random.default_rng()
        self._random.reseed_rng()

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return nothing: each knob is looked up in the plan of its trial when it is asked for."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return nothing, as there is no relative search space."""
        return {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Plan the trial; new plans are made if none is left or many designs were costed since."""
        step = max(_LEAST_BATCH, self._num_fitted // _GROWTH)
        is_outdated = self._num_told - self._num_fitted >= step
        if self._values and (is_outdated or not (self._planned or self._is_exhausted)):
            self._plan(study)
        if self._planned:
            self._current[trial.number] = self._planned.popleft()

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return the planned value of a knob, or a random one if it is asked for the first time."""
        known = self._values.get(param_name)
        if known is None or known.distribution != param_distribution:
            self._values[param_name] = _Values(param_distribution)
            self._rates = None
        elif param_name in self._current.get(trial.number, {}):
            return self._current[trial.number][param_name]
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Forget the plan of the trial, and count it."""
        self._current.pop(trial.number, None)
        self._num_told += state == TrialState.COMPLETE

    def _plan(self, study: Study) -> None:
        """Make plans for the next trials."""
        knobs = Knobs(
            sizes=np.array([len(one.values) for one in self._values.values()]),
            is_ordered=np.array([one.is_ordered for one in self._values.values()]),
        )
        trials = study.get_trials(deepcopy=False)
        places = np.array([self._places(trial.params) for trial in trials], np.int64)
        done = np.array([trial.state == TrialState.COMPLETE for trial in trials])
        self._num_fitted = self._num_told
        known = {row.tobytes() for row in places}
        if done.sum() < 2:
            even = latin_hypercube(knobs, self._n_startup_trials, self._rng)
            drawn = np.concatenate([even, random_designs(knobs, even, 50, self._rng)])
            rows = drawn[new_rows(drawn, known)]
        else:
            finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
            with threadpool_limits(1):  # the matrices are small: threads wait more than they work
                rows, self._rates = propose(
                    knobs,
                    _history(study, finished, places[done]),
                    known,
                    count=int(done.sum()) // _GROWTH + 4 * _LEAST_BATCH,
                    rng=self._rng,
                    rates=self._rates,
                )
        self._is_exhausted = len(rows) == 0
        self._planned = deque(self._plan_of(row) for row in rows)

    def _places(self, params: Mapping[str, Any]) -> list[int]:
        return [
            one.place(params[name]) if name in params else INACTIVE
            for name, one in self._values.items()
        ]

    def _plan_of(self, row: IntArray) -> dict[str, Any]:
        return {
            name: one.values[place]
            for (name, one), place in zip(self._values.items(), row.tolist(), strict=True)
            if place != INACTIVE
        }


class _Values:
    """The values of a knob by rank."""

    def __init__(self, distribution: BaseDistribution) -> None:
        self.distribution = distribution
        self.values: list[Any]
        if isinstance(distribution, CategoricalDistribution):
            choices = distribution.choices
            self.is_ordered = all(type(one) in (int, float) for one in choices)
            self.values = sorted(choices) if self.is_ordered else list(choices)
        else:
            self.is_ordered = True
            self.values = _spaced(distribution)
        self._place = {value: place for place, value in enumerate(self.values)}

    def place(self, value: Any) -> int:
        """Return the rank of a value, or of the nearest one."""
        if value in self._place:
            return self._place[value]
        return int(np.abs(np.array(self.values, dtype=np.float64) - value).argmin())


def _spaced(distribution: BaseDistribution) -> list[Any]:
    """Return the values of a range, or evenly spaced ones of them if they are too many."""
    if not isinstance(distribution, (IntDistribution, FloatDistribution)):
        raise TypeError(f"distributions must be ranges or categories, got {distribution!r}")
    low, high, step = distribution.low, distribution.high, distribution.step
    if step is not None and (high - low) / step < _MOST_VALUES and not distribution.log:
        grid = low + step * np.arange(round((high - low) / step) + 1)
    else:
        space = np.geomspace if distribution.log else np.linspace
        grid = np.clip(space(low, high, _MOST_VALUES), low, high)
        grid = grid if step is None else low + step * np.round((grid - low) / step)
    kind = int if isinstance(distribution, IntDistribution) else float
    return list(dict.fromkeys(kind(value) for value in grid))


def _history(study: Study, trials: Sequence[FrozenTrial], places: IntArray) -> History:
    signs = [-1.0 if one == StudyDirection.MAXIMIZE else 1.0 for one in study.directions]
    names = list(dict.fromkeys(name for trial in trials for name in trial.constraints))
    limits = [[trial.constraints.get(name, 0.0) for name in names] for trial in trials]
    return History(
        places=places,
        points=np.array([trial.values for trial in trials], np.float64) * signs,
        violations=np.array(limits, np.float64).reshape(len(trials), len(names)),
    )
