"""The Optuna study: ask for a batch, cost it as arrays, tell."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import Trial, TrialState

from dse.exploration.known_samplers import BatchSampler
from dse.exploration.ledger import Ledger
from dse.exploration.problem import Problem
from dse.exploration.progress import Progress
from dse.space import NAME_KNOBS, Space

ATTEMPTS_PER_TRIAL, FURTHER_ATTEMPTS = 4, 500
"""Asks for each trial, and beyond that, after which the study ends if repeats kept it from more."""


@dataclass(frozen=True)
class _Coordinates:
    """The knobs as Optuna sees them: places on the grid for numbers, names for names."""

    space: Space

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        return {
            name: CategoricalDistribution(values)
            if name in NAME_KNOBS
            else IntDistribution(0, len(values) - 1)
            for name, values in self.space.knobs.items()
        }

    def index(self, params: Mapping[str, object]) -> int:
        index = 0
        for name, values in self.space.knobs.items():
            asked = params[name]
            place = values.index(asked) if isinstance(asked, str) else asked
            index = index * len(values) + int(place)  # type: ignore[call-overload]
        return index


def sample(ledger: Ledger, asked: BatchSampler, *, trials: int, label: str, progress: bool) -> None:
    """Run an Optuna study until it has costed so many different designs.

    A design that is asked for again is never costed again. The study ends early if it keeps asking
    for known designs.

    Parameters
    ----------
    ledger
        Where the designs are costed.
    asked
        The sampler and how it is asked.
    trials
        Different designs to cost; at most those of the space.
    label
        Name on the progress bar, which is drawn on a terminal only.
    """
    problem = ledger.problem
    coordinates = _Coordinates(problem.space)
    target = min(trials, problem.space.size)
    with _quiet_optuna(), Progress(target, label=label, is_shown=progress) as bar:
        study = optuna.create_study(
            directions=["minimize"] * len(problem.objectives), sampler=asked.sampler
        )
        most, attempts = ATTEMPTS_PER_TRIAL * target + FURTHER_ATTEMPTS, 0
        while len(ledger) < target and attempts < most:
            batch = [study.ask(coordinates.distributions) for _ in range(asked.batch)]
            indices = [coordinates.index(trial.params) for trial in batch]
            repeats = {index for index in indices if index in ledger}
            new = ledger.cost(indices, most=target - len(ledger))
            for trial, index in zip(batch, indices, strict=True):
                if index not in ledger or (index in repeats and not asked.learns_from_repeats):
                    study.tell(trial, state=TrialState.FAIL)
                    continue
                repeats.add(index)
                _tell(study, trial, problem, *ledger.told(index))
            bar.update(new)
            attempts += asked.batch


def _tell(
    study: optuna.Study,
    trial: Trial,
    problem: Problem,
    values: list[float],
    constraints: list[float],
) -> None:
    for name, value in zip((*problem.budget, "mapping"), constraints, strict=True):
        trial.set_constraint(name, value)
    study.tell(trial, values)


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
