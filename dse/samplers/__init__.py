"""Samplers for Optuna studies, of use without the rest of the package.

A search of a design space is a study of discrete knobs with costly neighbours; so are many others.
`RidgeSampler` takes any Optuna study, of one objective or several, with constraints or without:

>>> import optuna
>>> from dse.samplers import RidgeSampler
>>> optuna.logging.set_verbosity(optuna.logging.WARNING)
>>> def area_and_time(trial):
...     rows = trial.suggest_int("rows", 1, 64)
...     columns = trial.suggest_int("columns", 1, 64)
...     return rows * columns, 1e6 / (rows * min(columns, 48))
>>> study = optuna.create_study(
...     directions=["minimize", "minimize"], sampler=RidgeSampler(seed=0)
... )
>>> study.optimize(area_and_time, n_trials=60)
>>> len(study.best_trials) > 10, min(trial.values[0] for trial in study.best_trials)
(True, 1.0)
"""

from dse.samplers.ridge import RidgeSampler

__all__ = ["RidgeSampler"]
