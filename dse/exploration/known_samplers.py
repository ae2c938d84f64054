"""The samplers, by name. A configuration names one; it never names code to run.

Optuna loads when a sampler is built: a space that is enumerated has its pick before that.
"""

import importlib.util
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dse.checks import check_between
from dse.errors import DseError, nearest

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

EXACT = "exact"
"""No sampler: the space is enumerated, nothing else."""

DEFAULT_BATCH = 50


@dataclass(frozen=True, kw_only=True)
class _Kind:
    build: Callable[..., "BaseSampler"]
    options: Mapping[str, tuple[float, float]]  # name to least and most value
    packages: tuple[str, ...] = ()
    batch: int = DEFAULT_BATCH
    learns_from_repeats: bool = False


@dataclass(frozen=True, kw_only=True)
class BatchSampler:
    """A sampler and how it is asked.

    Attributes
    ----------
    sampler
        Optuna's.
    batch
        Trials asked for before they are costed together.
    learns_from_repeats
        Whether a design that is asked for again is told again with its known values. Samplers that
        fit a density need this, or they ask for it for ever; in a population copies crowd out
        others, so there a repeat is told as failed.
    """

    sampler: "BaseSampler"
    batch: int
    learns_from_repeats: bool = False


def _ridge(seed: int, **options: Any) -> "BaseSampler":
    from dse.samplers import RidgeSampler

    return RidgeSampler(seed=seed, **options)


def _random(seed: int) -> "BaseSampler":
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)


def _qmc(seed: int) -> "BaseSampler":
    from optuna.samplers import QMCSampler

    return QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)


def _nsga2(seed: int, **options: Any) -> "BaseSampler":
    from optuna.samplers import NSGAIISampler
    from optuna.samplers.nsgaii import PolynomialMutation

    return NSGAIISampler(seed=seed, mutation=PolynomialMutation(), **options)


def _nsga3(seed: int, **options: Any) -> "BaseSampler":
    from optuna.samplers import NSGAIIISampler
    from optuna.samplers.nsgaii import PolynomialMutation

    return NSGAIIISampler(seed=seed, mutation=PolynomialMutation(), **options)


def _tpe(seed: int, **options: Any) -> "BaseSampler":
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed, **options)


def _gp(seed: int, **options: Any) -> "BaseSampler":
    from optuna.samplers import GPSampler

    return GPSampler(seed=seed, warn_independent_sampling=False, **options)


LARGEST_BATCH = 10_000
"""Designs that are asked for at once: each is drawn by itself, and none is costed before."""

_GENETIC = {
    "population_size": (2, LARGEST_BATCH),
    "crossover_prob": (0, 1),
    "mutation_prob": (0, 1),
    "swapping_prob": (0, 1),
}
_KINDS = {
    "ridge": _Kind(build=_ridge, options={"n_startup_trials": (1, 1e6)}, batch=20),
    "random": _Kind(build=_random, options={}),
    "qmc": _Kind(build=_qmc, options={}, packages=("scipy",)),
    "nsga2": _Kind(build=_nsga2, options=_GENETIC),
    "nsga3": _Kind(build=_nsga3, options={**_GENETIC, "dividing_parameter": (1, 100)}),
    "tpe": _Kind(
        build=_tpe,
        options={"n_startup_trials": (1, 1e6), "n_ei_candidates": (1, 1e6)},
        batch=10,
        learns_from_repeats=True,
    ),
    "gp": _Kind(
        build=_gp,
        options={"n_startup_trials": (1, 1e6)},
        packages=("torch", "scipy"),
        batch=5,
        learns_from_repeats=True,
    ),
}
_WHOLE_NUMBERS = {
    "population_size",
    "dividing_parameter",
    "n_startup_trials",
    "n_ei_candidates",
    "batch_size",
}
SAMPLERS = (*_KINDS, EXACT)


def check_sampler(name: str, options: Mapping[str, Any] | None = None) -> None:
    """Check a sampler and its options; see `build_sampler`.

    Raises
    ------
    DseError
        If the sampler or an option is unknown, a value is out of range, or a package is missing.
    """
    if name not in SAMPLERS:
        raise DseError(f"search.sampler must be a known sampler, got {name!r}{_hint(name)}")
    packages = _KINDS[name].packages if name in _KINDS else ()
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise DseError(
            f"search.sampler = {name!r} needs the packages {', '.join(missing)}: "
            f"install chipfront[gp], or choose another sampler"
        )
    if name == EXACT:
        return
    known = {**_KINDS[name].options, "batch_size": (1, LARGEST_BATCH)}
    for key, value in (options or {}).items():
        if key not in known:
            raise DseError(
                f"search.options.{key} is not an option of sampler {name!r}"
                f"{nearest(str(key), known)}"
            )
        if value is not None:
            _check_option(key, value, *known[key])


def _hint(name: object) -> str:
    return nearest(str(name), SAMPLERS)


def build_sampler(name: str, *, seed: int, options: Mapping[str, Any]) -> BatchSampler:
    """Return a sampler and how it is asked.

    Parameters
    ----------
    name
        One of `SAMPLERS`, less `EXACT`.
    options
        The sampler's own, and ``batch_size``; None keeps the default.

    Raises
    ------
    DseError
        If the sampler or an option is unknown, a value is out of range, or a package is missing.
    """
    from optuna.exceptions import ExperimentalWarning

    check_sampler(name, options)
    kind = _KINDS[name]
    chosen = {key: value for key, value in options.items() if value is not None}
    batch = chosen.pop("batch_size", chosen.get("population_size", kind.batch))
    with warnings.catch_warnings():  # our range of Optuna versions is the stable interface
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = kind.build(seed, **chosen)
    return BatchSampler(
        sampler=sampler, batch=int(batch), learns_from_repeats=kind.learns_from_repeats
    )


def _check_option(key: str, value: object, least: float, most: float) -> None:
    what = f"search.options.{key}"
    check_between(what, value, least, most, integer=key in _WHOLE_NUMBERS)
