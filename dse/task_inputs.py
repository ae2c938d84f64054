"""What a task works on: the space, machine and model of a configuration, and finished runs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dse.config.accelerators import accelerator_from, catalogue
from dse.config.mappings import mapping_from
from dse.config.overrides import override_keys
from dse.config.runs import Settings
from dse.config.spaces import space_from
from dse.errors import DseError
from dse.evaluation.space_model import SpaceModel
from dse.hardware import Accelerator
from dse.hardware.dram_rate import given_one
from dse.job import Job
from dse.mapping.given import with_mapping
from dse.report.finished import FinishedRun, read_run
from dse.space import Space
from dse.workload import Workload


def finished_runs(job: Job) -> list[FinishedRun]:
    """Read the run folders of a task, and tell what a reader should know of them."""
    runs = [read_run(folder) for folder in job.settings.runs]
    job.tell([f"Note         run {run.folder}: {text}" for run in runs for text in run.notes])
    return runs


def merged(run: FinishedRun, job: Job) -> dict[str, Any]:
    """Return the run's configuration with what the command line says of budget and choice."""
    values = {**run.config, "task": job.values["task"], "run": job.values["run"]}
    values["report"] = job.values["report"]
    for key in override_keys(job.composed.overrides):
        node, _, rest = key.partition(".")
        if node in ("task", "run", "report"):
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


def model_of(network: Workload, space: Space, settings: Settings) -> SpaceModel:
    """Return the cost model of a space under the settings of a run."""
    return SpaceModel(
        network=network,
        space=space,
        objective=settings.mapper_objective,
        slack=settings.mapper_slack,
    )


def space_of(values: Mapping[str, Any], network: Workload) -> Space:
    """Return the space of a configuration, its machine bound to the given mapping."""
    space = space_from(values["space"], accelerator_from(values["accelerator"]), catalogue())
    bound = machine_of(values, values["accelerator"], at_most(network, space))
    first = {name: options[0] for name, options in space.knobs.items() if name != "batch"}
    own = values["accelerator"]
    accelerator_from(given_one({**own, **first}, tuple(first)))  # the knobs fit it
    return replace(space, accelerator=bound)


def at_most(network: Workload, space: Space) -> Workload:
    """Return a network at the largest batch of a space, whose bounds limit given tiles."""
    return network.with_batch(max(int(x) for x in space.knobs.get("batch", (network.batch,))))


def machine_of(
    values: Mapping[str, Any], accelerator: Mapping[str, Any], network: Workload
) -> Accelerator:
    """Return an accelerator bound to the given mapping of the configuration, if it has one."""
    given = mapping_from(values.get("mapping"))
    return with_mapping(accelerator_from(accelerator), network, given)
