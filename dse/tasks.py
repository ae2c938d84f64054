"""What the command line runs: build from the configuration, search or evaluate, write files."""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from dse.config.accelerators import accelerator_from
from dse.config.mappings import mapping_from
from dse.config.networks import workload_yaml
from dse.config.resolved import Composed, resolved
from dse.config.runs import settings_from
from dse.config.spaces import search_from
from dse.config.workloads import workload_from
from dse.errors import DseError
from dse.evaluation.model import evaluate
from dse.evaluation.result import Evaluation
from dse.exploration import Study, run_search, study_from_designs
from dse.hardware.dram_rate import given_one
from dse.job import Job
from dse.mapping.given import with_mapping
from dse.pick import Pick
from dse.report.csv_files import write_csv
from dse.report.files import write_text
from dse.report.finished import record_report
from dse.report.given import given_table, write_given
from dse.report.levels import write_level
from dse.report.results import (
    network_summary,
    write_evaluation,
    write_front,
    write_json,
    write_pick,
    write_study,
)
from dse.report.run_files import fitting_together
from dse.report.run_folder import Stage
from dse.report.words import (
    evaluation_lines,
    given_lines,
    infeasible_lines,
    network_lines,
    pick_lines,
    study_lines,
)
from dse.task_inputs import at_most, finished_runs, machine_of, merged, model_of, space_of
from dse.workload import Workload

NOTHING_PICKED = 3
"""Exit status of a search in which no design meets the budget."""


@dataclass(frozen=True)
class Outcome:
    """What is left to tell the user when a task ends, and the exit status."""

    lines: list[str]
    status: int = 0


def run_task(
    composed: Composed, stage: Stage, command: list[str], tell: Callable[[list[str]], None]
) -> Outcome:
    """Run the task of a configuration, write its files, and return what is left to tell the user.

    Raises
    ------
    DseError
        If the configuration is wrong.
    """
    started = time.perf_counter()
    values = resolved(composed)
    job = Job(
        composed=composed,
        values=values,
        settings=settings_from(values),
        stage=stage,
        command=command,
        tell=tell,
        started_s=started,
    )
    if job.settings.task != "report":
        tell(job.shadow_lines())
    folders = ", ".join(map(str, job.settings.runs))
    with fitting_together(folders) if folders else nullcontext():
        outcome = RUNNERS[job.settings.task](job)
    return outcome if isinstance(outcome, Outcome) else Outcome(outcome)


def _search(job: Job) -> list[str] | Outcome:
    """Search the space, pick a design, and write the run folder."""
    values, settings = job.values, job.settings
    network = workload_from(values["workload"])
    space = space_of(values, network)
    decisions: list[Decision] = []
    study = run_search(
        model_of(network, space, settings),
        objectives=settings.objectives,
        budget=settings.budget,
        seed=settings.seed,
        known=lambda exact: decisions.extend(_decisions(job, network, exact)),
        **search_from(values["search"]),
    )
    return _finish(job, network, study, decisions)


def _pick(job: Job) -> list[str] | Outcome:
    """Pick again from a finished search, whose designs are not costed again."""
    (run,) = finished_runs(job)
    designs = run.designs
    if designs is None:
        raise DseError(f"run must be the folder of a finished search, got {str(run.folder)!r}")
    values = merged(run, job)
    job = replace(job, values=values, settings=settings_from(values))
    settings = job.settings
    network = workload_from(values["workload"])
    space = space_of(values, network)
    study = study_from_designs(
        designs,
        space=space,
        objectives=settings.objectives,
        budget=settings.budget,
        exact=run.is_exact and len(designs) == space.size,
        costs_of=model_of(network, space, settings).costs,
        notes=tuple(run.notes),
    )
    return _finish(job, network, study, [])


@dataclass(frozen=True)
class Decision:
    """A pick, and the picked machine layer by layer."""

    pick: Pick
    evaluation: Evaluation


def _decisions(job: Job, network: Workload, study: Study) -> list[Decision]:
    """Pick from a study, tell it and write it; empty if nothing is feasible."""
    if study.front.empty:
        return []
    values, folder, settings = job.values, job.stage.folder, job.settings
    pick = study.pick(settings.pick.rule, **settings.pick.options)
    machine = picked_accelerator(values["accelerator"], pick, study)
    write_front(folder, study)
    write_pick(folder, pick, machine)
    job.write_manifest(study)  # what is told is there, whatever comes
    job.tell(pick_lines(pick, study.space.knobs))
    batch = pick.design.get("batch", network.batch)
    evaluation = evaluate(
        network.with_batch(int(batch)),
        machine_of(values, machine, at_most(network, study.space)),
        objective=settings.mapper_objective,
        slack=settings.mapper_slack,
    )
    write_study(folder, study)
    write_evaluation(folder, evaluation, values["workload"].get("coverage"))
    return [Decision(pick, evaluation)]


def _finish(
    job: Job, network: Workload, study: Study, decisions: list[Decision]
) -> list[str] | Outcome:
    """Decide unless that is done, write what is left, and return what is left to tell."""
    folder = job.stage.folder
    decisions = decisions or _decisions(job, network, study)
    job.tell(study_lines(study))
    write_study(folder, study)
    job.write_manifest(study)
    if not decisions:
        write_csv(folder / "nearest.csv", study.nearest)
        write_level(folder, None, job.settings.report)
        status = NOTHING_PICKED if job.settings.pick.is_required else 0
        return Outcome([*infeasible_lines(study), *_closing(job)], status)
    (decision,) = decisions
    write_level(folder, decision.evaluation, job.settings.report)
    warnings = [f"Warning      {text}" for text in decision.evaluation.warnings]
    return [*warnings, *_closing(job)]


def picked_accelerator(values: Mapping[str, Any], pick: Pick, study: Study) -> dict[str, Any]:
    """Return the picked machine as the values of a conf/accelerator YAML."""
    knobs = {name: pick.design[name] for name in study.space.knobs if name != "batch"}
    picked = given_one({**values, **knobs}, tuple(knobs))
    picked["name"] = f"{values.get('name', 'design')}_pick"
    picked["source"] = f"picked by dse ({pick.rule}) from space {study.space.name}"
    return picked


def _evaluate(job: Job) -> list[str]:
    """Cost one machine, layer by layer."""
    network = workload_from(job.values["workload"])
    free = accelerator_from(job.values["accelerator"])
    bound = with_mapping(free, network, mapping_from(job.values.get("mapping")))
    objective, folder = job.settings.mapper_objective, job.stage.folder
    slack = job.settings.mapper_slack
    evaluation = evaluate(network, bound, objective=objective, slack=slack)
    write_evaluation(folder, evaluation, job.values["workload"].get("coverage"))
    beside = []
    if bound != free:
        best = evaluate(network, free, objective=objective, slack=slack)
        table = given_table(evaluation, best)
        write_given(folder, table)
        beside = given_lines(evaluation, best, table)
    job.write_manifest()
    write_level(folder, evaluation, job.settings.report)
    return [*evaluation_lines(evaluation, beside), *_closing(job)]


def _import(job: Job) -> list[str]:
    """Write the network as the YAML of a workload, and what of it was understood."""
    values, folder = job.values["workload"], job.stage.folder
    network = workload_from(values)
    write_text(folder / "workload.yaml", workload_yaml(values))
    write_json(folder / "summary.json", network_summary(network, values.get("coverage")))
    job.write_manifest()
    return [*network_lines(network, values.get("coverage")), *_closing(job)]


def _report(job: Job) -> list[str]:
    """Draw the plots and write the report of a finished run again, in its own folder."""
    from dse.report.page import write_report  # matplotlib loads when something is drawn

    (run,) = finished_runs(job)
    write_report(run.folder)
    record_report(run)
    return [f"Files        {run.folder / 'report.html'}"]


def _compare(job: Job) -> list[str]:
    """Lay finished runs side by side in a table and a plot."""
    from dse.report.compare import compare_runs

    runs = finished_runs(job)
    lines = compare_runs(job.stage.folder, runs)
    job.write_manifest()
    return [*lines, *_closing(job)]


def _closing(job: Job) -> list[str]:
    return [f"Time         {job.wall_s:.1f} s"]


RUNNERS: dict[str, Callable[[Job], list[str] | Outcome]] = {
    "search": _search,
    "evaluate": _evaluate,
    "import": _import,
    "pick": _pick,
    "report": _report,
    "compare": _compare,
}
