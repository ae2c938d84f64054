"""Which share of the exact front's hypervolume each sampler finds, against designs costed.

Every space of search_spaces.py is costed whole once, so that a study only looks costs up; what is
looked up counts as costed. Samplers are those of conf/search with their options there; each runs
through Optuna alone, with knobs asked for one by one. Slow (an hour), so not among the experiments
that ``python -m experiments`` runs:

    python -m experiments.search_quality [SAMPLER ...]

writes search_quality.csv (every study), .md (medians) and .png. Studies that the CSV already has
are not run again: a run that was stopped goes on where it was; delete the CSV to begin anew.
"""

import sys
from collections.abc import Mapping

import numpy as np
import optuna
import pandas as pd
from matplotlib.figure import Figure
from optuna.trial import Trial, TrialState
from tqdm import tqdm

from dse.arrays import FloatArray
from dse.config.files import load_group
from dse.plots.style import MARKERS, SERIES, look, new_figure, title
from dse.search.result import hypervolume
from dse.search.samplers import Asked, build_sampler
from dse.space import NAME_KNOBS
from experiments.comparison import FOLDER
from experiments.search_spaces import CASES, Case, exact_front, size

PATH = FOLDER / "search_quality.csv"
CHECKPOINTS = (50, 100, 200, 500, 1000, 2000, 5000)
"""Designs costed; the last is at most 5 % of every space."""

SEEDS = {"ridge": 20, "nsga2": 5, "nsga3": 5, "qmc": 5, "random": 5, "tpe": 3}
"""Studies of each sampler on each space."""

MOST_DESIGNS = {"tpe": 1000}
"""Of samplers that are too slow for more."""

COLUMNS = ["space", "designs", "sampler", "seed", "num_costed", "hypervolume_share"]
SHOWN = (200, 1000, 5000)
GOALS = {200: 0.90, 1000: 0.97, 5000: 0.998}

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


def studied(case: Case, told: Told, asked: Asked, designs: int) -> FloatArray:
    """Run a study until it has costed so many designs.

    Returns
    -------
    shape (designs, objectives)
        What was told of each, in order; infinite where a design is over budget.
    """
    study = optuna.create_study(
        directions=["minimize"] * len(case.objectives), sampler=asked.sampler
    )
    points: dict[tuple[str, int], list[float]] = {}
    attempts = 0
    while len(points) < designs and attempts < 10 * designs:
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
    return np.array(list(points.values()))[:designs]


def shares(points: FloatArray, front: FloatArray) -> dict[int, float]:
    """Return number of designs costed to the share of the hypervolume that they have."""
    whole = hypervolume(front, front)
    return {
        count: hypervolume(points[:count], front) / whole
        for count in CHECKPOINTS
        if count <= len(points)
    }


def run(samplers: list[str]) -> pd.DataFrame:
    """Run the studies that the table lacks, one row a study and checkpoint, and store each."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    table = pd.read_csv(PATH) if PATH.exists() else pd.DataFrame(columns=COLUMNS)
    done = set(table[["space", "sampler", "seed"]].itertuples(index=False, name=None))
    for case in CASES:
        todo = [
            (sampler, seed)
            for sampler in samplers
            for seed in range(SEEDS[sampler])
            if (case.name, sampler, seed) not in done
        ]
        if not todo:
            continue
        told = case.told()
        front = exact_front(told)
        for sampler, seed in tqdm(todo, desc=case.name, disable=None):
            options = load_group("search", sampler)["options"]
            asked = build_sampler(sampler, seed=seed, options=options)
            most = MOST_DESIGNS.get(sampler, CHECKPOINTS[-1])
            found = shares(studied(case, told, asked, most), front)
            rows = [
                (case.name, size(case), sampler, seed, count, share)
                for count, share in found.items()
            ]
            fresh = pd.DataFrame(rows, columns=COLUMNS)
            table = pd.concat([table, fresh]) if len(table) else fresh
            table.to_csv(PATH, index=False, float_format="%.6f", lineterminator="\n")
    return table


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


def medians(table: pd.DataFrame) -> pd.DataFrame:
    """Return the median share of each sampler, space (rows) and number of designs (columns)."""
    shown = table[table["num_costed"].isin(SHOWN)]
    keys = ["space", "designs", "sampler", "num_costed"]
    return shown.groupby(keys, sort=False)["hypervolume_share"].median().unstack("num_costed")


def markdown(table: pd.DataFrame) -> str:
    """Return the medians as a table."""
    found = medians(table)
    lines = [
        f"| space | designs | sampler | {' | '.join(f'{x:,} costed' for x in found.columns)} |",
        f"| --- {'| --- ' * (2 + len(found.columns))}|",
    ]
    for (space, designs, sampler), row in found.iterrows():
        cells = ["" if np.isnan(value) else f"{value:.4f}" for value in row]
        lines.append(f"| {space} | {designs:,} | {sampler} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(table: pd.DataFrame) -> Figure:
    """Draw what each sampler lacks against designs costed, one panel a space."""
    samplers = [name for name in SEEDS if name in set(table["sampler"])]
    with look():
        drawn = new_figure(11.0, 7.0)
        finding = "A surrogate and neighbours of the front find in 200 designs what others miss"
        title(
            drawn,
            finding,
            "Share of the exact front's hypervolume that is lacking; medians of studies.",
        )
        panels = drawn.subplots(2, -(-len(CASES) // 2), sharex=True, sharey=True)
        for ax in panels.flat[len(CASES) :]:
            ax.set_visible(False)
        for case, ax in zip(CASES, panels.flat, strict=False):
            here = table[table["space"] == case.name]
            for place, name in enumerate(samplers):
                rows = here[here["sampler"] == name].groupby("num_costed")["hypervolume_share"]
                lacking = (1 - rows.median()).clip(lower=1e-5)
                ax.plot(
                    lacking,
                    marker=MARKERS[place % len(MARKERS)],
                    color=SERIES[place % len(SERIES)],
                    label=name,
                )
            ax.plot(GOALS.keys(), [1 - x for x in GOALS.values()], "k_", ms=14, label="goal")
            ax.set(xscale="log", yscale="log", title=f"{case.name} ({case.network})")
        drawn.supxlabel("Designs costed")
        drawn.supylabel("Hypervolume lacking")
        handles, labels = panels.flat[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return drawn


def main(samplers: list[str]) -> None:
    """Run what is lacking of these samplers, or of all; write the table, the medians, the plot."""
    table = in_order(run(samplers or list(SEEDS)))
    table.to_csv(PATH, index=False, float_format="%.6f", lineterminator="\n")
    text = markdown(table)
    PATH.with_suffix(".md").write_text(text, encoding="utf-8")
    figure(table).savefig(PATH.with_suffix(".png"), dpi=150, metadata={"Software": None})
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
