"""Which share of the exact front's hypervolume each sampler finds, against designs costed.

Every space of search_spaces.py is costed whole once, so that a study only looks costs up; what is
looked up counts as costed. Samplers are those of conf/search with their options there; each runs
through Optuna alone, with knobs asked for one by one. Slow (two hours), so not among the
experiments that ``python -m experiments`` runs:

    python -m experiments.search_quality [SAMPLER ...]

writes search_quality.csv (every study), .md (medians) and .png. Studies that the CSV already has
are not run again: a run that was stopped goes on where it was; delete rows to have them anew. With
names of samplers it appends their studies and writes nothing else, so several may run at once.
"""

import sys
import time
from collections.abc import Mapping

import numpy as np
import optuna
import pandas as pd
from optuna.trial import Trial, TrialState
from tqdm import tqdm

from dse.arrays import FloatArray
from dse.config.files import load_group
from dse.exploration.known_samplers import BatchSampler, build_sampler
from dse.exploration.result import hypervolume
from dse.space import NAME_KNOBS
from experiments.comparison import FOLDER
from experiments.search_report import by_sampler, by_space, figure, verdict
from experiments.search_spaces import CASES, Case, exact_front, size

PATH = FOLDER / "search_quality.csv"
CHECKPOINTS = (50, 100, 200, 500, 1000, 2000, 5000)
"""Designs costed; the last is at most 5 % of every space, and 5 % may follow."""

SEEDS = {"ridge": 20, "nsga2": 5, "nsga3": 5, "qmc": 5, "random": 5, "tpe": 3}
"""Studies of each sampler on each space."""

FIRST_SEED = 2
"""Sampler ridge was tuned with seeds 0 and 1, so they are left out."""

MOST_DESIGNS = {"ridge": 6000, "tpe": 1000}
"""Other than the last checkpoint: ours goes on to 5 % of a space; TPE is too slow for more."""

ATTEMPTS_PER_DESIGN = 2
"""Asks after which a study ends, if it has asked for known designs for so long."""

COLUMNS = ["space", "designs", "sampler", "seed", "num_costed", "hypervolume_share", "cpu_s"]
Told = Mapping[str, tuple[FloatArray, FloatArray]]


def suggested(trial: Trial, case: Case) -> tuple[str, int]:
    """Ask a trial for the knobs of one design: its machine and its index in that grid."""
    machines = list(case.machines)
    several = len(machines) > 1
    machine = str(trial.suggest_categorical("machine", machines)) if several else machines[0]
    index = 0
    for name, values in case.problems[machine].space.knobs.items():
        if name in NAME_KNOBS:
            place = values.index(trial.suggest_categorical(name, values))
        else:
            place = trial.suggest_int(name, 0, len(values) - 1)
        index = index * len(values) + place
    return machine, index


def studied(
    case: Case, told: Told, asked: BatchSampler, designs: int
) -> tuple[FloatArray, FloatArray]:
    """Run a study until it has costed so many designs.

    Returns
    -------
    shape (designs, objectives)
        What was told of each, in order; infinite where a design is over budget.
    shape (designs,)
        Processor time of the study when each was told, the cost model's not among it. [s]
    """
    study = optuna.create_study(
        directions=["minimize"] * len(case.objectives), sampler=asked.sampler
    )
    points: dict[tuple[str, int], list[float]] = {}
    seconds: list[float] = []
    attempts, start = 0, time.process_time()
    while len(points) < designs and attempts < ATTEMPTS_PER_DESIGN * designs:
        batch = [study.ask() for _ in range(asked.batch)]
        attempts += len(batch)
        for trial, design in [(trial, suggested(trial, case)) for trial in batch]:
            if design in points and not asked.learns_from_repeats:
                study.tell(trial, state=TrialState.FAIL)
                continue
            values, limits = (column[design[1]].tolist() for column in told[design[0]])
            for place, limit in enumerate(limits):
                trial.set_constraint(str(place), limit)
            study.tell(trial, values)
            is_feasible = max(limits) <= 0
            points.setdefault(design, values if is_feasible else [np.inf] * len(values))
        seconds += [time.process_time() - start] * (len(points) - len(seconds))
    return np.array(list(points.values()))[:designs], np.array(seconds)[:designs]


def checkpoints(case: Case, sampler: str) -> list[int]:
    """Return the numbers of designs after which a study is measured, rising."""
    most = MOST_DESIGNS.get(sampler, CHECKPOINTS[-1])
    five_percent = size(case) // 20
    last = [five_percent] if CHECKPOINTS[-1] < five_percent <= most else []
    return [count for count in CHECKPOINTS if count <= most] + last


def measured(case: Case, sampler: str, seed: int, told: Told, front: FloatArray) -> pd.DataFrame:
    """Run one study; one row a checkpoint that it reached."""
    asked = build_sampler(sampler, seed=seed, options=load_group("search", sampler)["options"])
    counts = checkpoints(case, sampler)
    points, seconds = studied(case, told, asked, counts[-1])
    whole = hypervolume(front, front)
    rows = [
        (
            case.name,
            size(case),
            sampler,
            seed,
            count,
            round(hypervolume(points[:count], front) / whole, 6),
            round(seconds[count - 1], 2),
        )
        for count in counts
        if count <= len(points)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def stored() -> pd.DataFrame:
    """Return the studies so far."""
    return pd.read_csv(PATH) if PATH.exists() else pd.DataFrame(columns=COLUMNS)


def run(samplers: list[str]) -> None:
    """Run the studies that the table lacks, seed by seed, and append each when it is done."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    done = set(stored()[["space", "sampler", "seed"]].itertuples(index=False, name=None))
    todo = [
        (case, sampler, FIRST_SEED + place)
        for place in range(max(SEEDS.values()))
        for case in CASES
        for sampler in samplers
        if place < SEEDS[sampler] and (case.name, sampler, FIRST_SEED + place) not in done
    ]
    costed: dict[str, tuple[Told, FloatArray]] = {}
    for case, sampler, seed in tqdm(todo, disable=None):
        if case.name not in costed:
            told = case.told()
            costed[case.name] = told, exact_front(told)
        rows = measured(case, sampler, seed, *costed[case.name])
        rows.to_csv(PATH, mode="a", header=not PATH.exists(), index=False, lineterminator="\n")


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sort the rows as spaces and samplers are listed."""
    ranks = {
        "space": {case.name: place for place, case in enumerate(CASES)},
        "sampler": {name: place for place, name in enumerate(SEEDS)},
    }
    return table.sort_values(
        ["space", "sampler", "seed", "num_costed"],
        key=lambda column: column.map(ranks[column.name]) if column.name in ranks else column,
    )


def main(samplers: list[str]) -> None:
    """Run what is lacking of these samplers; of all, and write table, medians and plot, if none."""
    run(samplers or list(SEEDS))
    if samplers:
        return
    table = in_order(stored())
    table.to_csv(PATH, index=False, lineterminator="\n")
    text = "\n".join([by_sampler(table), verdict(table), "", by_space(table)])
    PATH.with_suffix(".md").write_text(text, encoding="utf-8")
    figure(table).savefig(PATH.with_suffix(".png"), dpi=150, metadata={"Software": None})
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
