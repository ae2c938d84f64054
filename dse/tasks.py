"""What the command line runs: build from the configuration, search or evaluate, write files."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from dse.config.accelerators import accelerator_from, catalogue
from dse.config.files import conf_dir, group_file, group_names
from dse.config.mappings import mapping_from
from dse.config.networks import workload_yaml
from dse.config.overrides import override_keys
from dse.config.resolved import Composed, one_dram_rate, resolved
from dse.config.runs import Settings, settings_from
from dse.config.spaces import search_from, space_from
from dse.config.workloads import workload_from
from dse.cost.model import chip_costs, costs_of_space, evaluate, lines_of_space
from dse.cost.result import Evaluation
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.given import with_mapping
from dse.pick import Pick
from dse.report.finished import FinishedRun, read_run
from dse.report.manifest import manifest
from dse.report.results import (
    network_summary,
    write_evaluation,
    write_json,
    write_pick,
    write_study,
)
from dse.report.run_folder import MANIFEST, Stage
from dse.report.words import (
    evaluation_lines,
    infeasible_lines,
    network_lines,
    pick_lines,
    study_lines,
)
from dse.search import Study, run_search, study_from_designs
from dse.space import Space, Value
from dse.technology import Catalogue
from dse.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Job:
    """One task to run.

    Attributes
    ----------
    composed, values, settings
        The configuration: as Hydra has it, resolved, and the settings in it.
    stage
        Where results are written.
    command
        The command line.
    tell
        Tells the user what is known before the task ends.
    started_s
        `time.perf_counter` at its start.
    """

    composed: Composed
    values: dict[str, Any]
    settings: Settings
    stage: Stage
    command: list[str]
    tell: Callable[[list[str]], None]
    started_s: float

    @property
    def wall_s(self) -> float:
        """Wall time so far. [s]."""
        return time.perf_counter() - self.started_s


def run_task(
    composed: Composed, stage: Stage, command: list[str], tell: Callable[[list[str]], None]
) -> list[str]:
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
    return RUNNERS[job.settings.task](job)


def _write_report(folder: Path) -> None:
    """Draw the plots of a run folder and write its page."""
    from dse.report.page import write_report  # matplotlib and seaborn load when something is drawn

    write_report(folder)


def _write_traffic(folder: Path, evaluation: Evaluation) -> None:
    """Write what every buffer size would do."""
    from dse.report.traffic import write_traffic

    write_traffic(folder, evaluation)


def _search(job: Job) -> list[str]:
    """Search the space, pick a design, and write the run folder."""
    # loads while designs are costed, as compiled code does not hold Python's lock
    Thread(target=import_module, args=("dse.report.page",)).start()
    values, settings = job.values, job.settings
    network = workload_from(values["workload"])
    machine = _machine(values, values["accelerator"], network)
    space = space_from(values["space"], machine, catalogue())
    study = run_search(
        network,
        space,
        objectives=settings.objectives,
        budget=settings.budget,
        seed=settings.seed,
        evaluate=costs_of_space(*_varied(space, settings)),
        lines=lines_of_space(*_varied(space, settings)),
        chip_costs=chip_costs if settings.mapper_objective == "latency_s" else None,
        **search_from(values["search"]),
    )
    return _finish(job, network, study)


def _pick(job: Job) -> list[str]:
    """Pick again from a finished search, whose designs are not costed again."""
    run = read_run(job.settings.runs[0])
    if not run.has("designs.parquet"):
        raise DseError(f"run must be the folder of a finished search, got {str(run.folder)!r}")
    values = _merged(run, job)
    job = replace(job, values=values, settings=settings_from(values))
    settings = job.settings
    network = workload_from(values["workload"])
    machine = _machine(values, values["accelerator"], network)
    space = space_from(values["space"], machine, catalogue())
    designs = run.designs()
    study = study_from_designs(
        designs,
        space=space,
        objectives=settings.objectives,
        budget=settings.budget,
        exact=run.manifest["front"] == "exact" and len(designs) == space.size,
        costs_of=partial(
            costs_of_space(*_varied(space, settings)),
            network,
            space.accelerator,
            catalogue=space.catalogue,
        ),
    )
    return _finish(job, network, study)


def _varied(
    space: Space, settings: Settings
) -> tuple[Accelerator, Mapping[str, Sequence[Value]], Catalogue, str]:
    """Return what the cost model of a space is made from."""
    return space.accelerator, space.knobs, space.catalogue, settings.mapper_objective


def _merged(run: FinishedRun, job: Job) -> dict[str, Any]:
    """Return the run's configuration with what the command line says of budget and choice."""
    values = {**run.config, "task": job.values["task"], "run": job.values["run"]}
    for key in override_keys(job.composed.overrides):
        node, _, rest = key.partition(".")
        if node in ("task", "run"):
            continue
        if node not in ("budget", "objectives", "pick"):
            raise DseError(
                f"task=pick takes {node} from its run; it can change budget, objectives and "
                f"pick, got {key}"
            )
        if rest and node in values and key != node:
            name = rest.partition(".")[0]
            values[node] = {**(values[node] or {}), name: job.values[node].get(name)}
        else:
            values[node] = job.values[node]
    return values


def _finish(job: Job, network: Workload, study: Study) -> list[str]:
    """Pick from a study, tell it, write everything, and return what else to tell."""
    values, folder, settings = job.values, job.stage.folder, job.settings
    write_study(folder, study)
    if study.front.empty:
        study.nearest.to_csv(folder / "nearest.csv", index=False, lineterminator="\n")
        _write_manifest(job, study)
        _write_report(folder)
        return [*study_lines(study), *infeasible_lines(study), *_closing(job)]
    pick = study.pick(settings.pick.rule, **settings.pick.options)
    job.tell([*pick_lines(pick, study.space.knobs), *study_lines(study)])
    machine = picked_accelerator(values["accelerator"], pick, study)
    batch = pick.design.get("batch", network.batch)
    evaluation = evaluate(
        network.with_batch(int(batch)),
        _machine(values, machine, network),
        objective=settings.mapper_objective,
    )
    write_pick(folder, pick, machine)
    write_evaluation(folder, evaluation, values["workload"].get("coverage"))
    _write_traffic(folder, evaluation)
    _write_manifest(job, study)
    _write_report(folder)
    warnings = [f"Warning      {text}" for text in evaluation.warnings]
    return [*warnings, *_closing(job)]


def picked_accelerator(values: Mapping[str, Any], pick: Pick, study: Study) -> dict[str, Any]:
    """Return the picked machine as the values of a conf/accelerator YAML."""
    knobs = {name: pick.design[name] for name in study.space.knobs if name != "batch"}
    picked = one_dram_rate({**values, **knobs}, knobs)
    picked["name"] = f"{values.get('name', 'design')}_pick"
    picked["source"] = f"picked by dse ({pick.rule}) from space {study.space.name}"
    return picked


def _machine(
    values: Mapping[str, Any], accelerator: Mapping[str, Any], network: Workload
) -> Accelerator:
    """Return an accelerator bound to the given mapping of the configuration, if it has one."""
    given = mapping_from(values.get("mapping"))
    return with_mapping(accelerator_from(accelerator), network, given)


def _evaluate(job: Job) -> list[str]:
    """Cost one machine, layer by layer."""
    network = workload_from(job.values["workload"])
    evaluation = evaluate(
        network,
        _machine(job.values, job.values["accelerator"], network),
        objective=job.settings.mapper_objective,
    )
    write_evaluation(job.stage.folder, evaluation, job.values["workload"].get("coverage"))
    _write_traffic(job.stage.folder, evaluation)
    _write_manifest(job, None)
    _write_report(job.stage.folder)
    return [*evaluation_lines(evaluation), *_closing(job)]


def _import(job: Job) -> list[str]:
    """Write the network as the YAML of a workload, and what of it was understood."""
    values, folder = job.values["workload"], job.stage.folder
    network = workload_from(values)
    (folder / "workload.yaml").write_text(workload_yaml(values), encoding="utf-8")
    write_json(folder / "summary.json", network_summary(network, values.get("coverage")))
    _write_manifest(job, None)
    return [*network_lines(network, values.get("coverage")), *_closing(job)]


def _report(job: Job) -> list[str]:
    """Draw the plots and write the report of a finished run again, in its own folder."""
    run = read_run(job.settings.runs[0])
    _write_report(run.folder)
    return [f"Files        {run.folder / 'report.html'}"]


def _compare(job: Job) -> list[str]:
    """Lay finished runs side by side in a table and a plot."""
    from dse.report.compare import compare_runs

    runs = [read_run(folder) for folder in job.settings.runs]
    lines = compare_runs(job.stage.folder, runs)
    _write_manifest(job, None)
    return [*lines, *_closing(job)]


def _write_manifest(job: Job, study: Study | None) -> None:
    values = manifest(job.values, _inputs(job), command=job.command, wall_s=job.wall_s)
    if study is not None:
        values["front"] = "exact" if study.exact else "sampled"
        values["hypervolume_share"] = study.hypervolume_share
        values["num_costed"] = study.num_costed
        values["num_designs"] = len(study.designs)
        values["notes"] = study.notes
    write_json(job.stage.folder / MANIFEST, values)


def _inputs(job: Job) -> dict[str, Path]:
    """Return the files that the run was made from, by the names that the user knows them by."""
    chosen = {group: name for group, name in job.composed.choices.items() if "/" not in group}
    accelerator = job.values["space"].get("accelerator") if "space" in job.values else None
    if not chosen.get("accelerator") and isinstance(accelerator, str):
        chosen["accelerator"] = accelerator
    files = {
        f"conf/{group}/{name}": group_file(group, name) for group, name in chosen.items() if name
    }
    for group in ("dram", "technology"):
        files |= {f"conf/{group}/{name}": group_file(group, name) for name in group_names(group)}
    files["conf/config"] = conf_dir() / "config.yaml"
    for group in ("workload", "accelerator"):
        node = job.composed.config.get(group) or {}
        if node.get("path"):
            files[f"{group}.path"] = Path(node["path"]).expanduser()
            files.pop(f"conf/{group}/{chosen.get(group)}", None)
    return files


def _closing(job: Job) -> list[str]:
    return [f"Time         {job.wall_s:.1f} s"]


RUNNERS: dict[str, Callable[[Job], list[str]]] = {
    "search": _search,
    "evaluate": _evaluate,
    "import": _import,
    "pick": _pick,
    "report": _report,
    "compare": _compare,
}
