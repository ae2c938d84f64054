"""The public functions: load a network and a machine, evaluate, search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from dse.columns import ENERGIES
from dse.config.accelerators import accelerator_from, catalogue
from dse.config.files import load_group
from dse.config.mappings import mapping_from
from dse.config.networks import LEAST_SHARE, check_accepted, network_values
from dse.config.spaces import space_from
from dse.config.workloads import workload_from
from dse.cost.time import DEFAULT_SLACK
from dse.errors import DseError
from dse.evaluation.model import design_costs
from dse.evaluation.model import evaluate as evaluate_model
from dse.evaluation.result import Evaluation
from dse.evaluation.space_model import SpaceModel
from dse.exploration import OBJECTIVES, Study, run_search
from dse.hardware import Accelerator
from dse.hardware.dram_rate import given_one
from dse.importers.pytorch import import_module
from dse.mapping.given import with_mapping as bound_to_mapping
from dse.mapping.nest.mapping import Mapping as FoundMapping
from dse.shown import short_repr
from dse.space import Space
from dse.workload import Workload

GivenMapping = Mapping[str, Any] | FoundMapping | str | Path | None
"""What `with_mapping` takes."""


@dataclass(frozen=True, kw_only=True)
class Result(Evaluation):
    """An evaluation of one network on one machine, with its layers as a table."""

    @property
    def layers(self) -> pd.DataFrame:
        """One row a layer, with the columns of layers.csv; units are in the names."""
        return pd.DataFrame(self.layer_rows)

    def to_frame(self) -> pd.DataFrame:
        """Return one row of totals, units in the names; those of several results join."""
        names = {"workload": self.workload.name, "accelerator": self.accelerator.name}
        found = {x.name: getattr(self, x.name) for x in fields(self)}
        totals = {key: x for key, x in found.items() if isinstance(x, int | float | str)}
        energies = {key: getattr(self, key) for key in ENERGIES}
        return pd.DataFrame([{**names, "batch": self.workload.batch, **totals, **energies}])

    __repr__ = short_repr


def load_workload(
    name_or_path: str | Path,
    *,
    batch: int | None = None,
    strict: bool = False,
    accept: float = LEAST_SHARE,
    **parameters: object,
) -> Workload:
    """Load a network.

    Parameters
    ----------
    name_or_path
        A name in conf/workload, or a YAML file, an ONNX or .tflite file, or the config.json,
        .gguf or .safetensors of a transformer.
    batch
        Inferences together; the file's own if None. [1..]
    parameters
        The workload's own, such as ``seq_len``, by their names in the file; dynamic dimensions
        of an ONNX file are among them.
    strict
        Whether an operator of an ONNX file that is not understood is an error; else
        `Workload.notes` names it.
    accept
        The least share of the MACs and of the bytes of a file that must be modelled. [0, 1]

    Raises
    ------
    DseError
        If there is no such network, less of it is modelled, or a value is wrong.
    """
    if batch is not None:
        parameters["batch"] = batch
    settings = {"strict": strict, "accept": accept}
    values = network_values(name_or_path, parameters, settings)
    check_accepted(values, accept, "accept")
    return workload_from(values)


def load_module(
    module: Any,
    inputs: Sequence[Any],
    *,
    name: str | None = None,
    batch: int | None = None,
    strict: bool = False,
    accept: float = LEAST_SHARE,
) -> Workload:
    """Load a network from a module of PyTorch, which must be installed.

    Parameters
    ----------
    module
        A `torch.nn.Module`.
    inputs
        Example inputs of one inference, as the module is called with them.
    name
        Of the workload; the module's class if None.
    batch
        Inferences together; 1 if None. [1..]
    strict
        Whether an operator that is not understood is an error; else `Workload.notes` names it.
    accept
        The least share of the MACs and of the bytes that must be modelled. [0, 1]

    Raises
    ------
    DseError
        If torch is not installed, or cannot export the module, less of it is modelled, or a
        value is wrong.
    """
    values = import_module(module, inputs, name=name, is_strict=strict).values
    check_accepted(values, accept, "accept")
    return workload_from(values if batch is None else {**values, "batch": batch})


def load_accelerator(name_or_path: str | Path, **parameters: object) -> Accelerator:
    """Load a machine.

    Parameters
    ----------
    name_or_path
        A name in conf/accelerator, or a YAML file.
    parameters
        Values of its parameters and rules, such as ``buffer_bytes``, by their names in YAML.

    Raises
    ------
    DseError
        If there is no such machine, or a value is wrong.
    """
    values = load_group("accelerator", name_or_path, **parameters)
    return accelerator_from(given_one(values, tuple(parameters)))


def load_space(name_or_path: str | Path, **changes: object) -> Space:
    """Load a design space.

    Parameters
    ----------
    name_or_path
        A name in conf/space, or a YAML file.
    changes
        Values of its top-level keys: ``accelerator`` (a name or a path), ``knobs``
        (all of them).

    Raises
    ------
    DseError
        If there is no such space, or a value is wrong.
    """
    values = load_group("space", name_or_path, **changes)
    chosen = values.get("accelerator")
    if not isinstance(chosen, str):
        raise DseError(f"space {name_or_path}.accelerator must name an accelerator, got {chosen!r}")
    return space_from(values, load_accelerator(chosen), catalogue())


def with_mapping(accelerator: Accelerator, network: Workload, mapping: GivenMapping) -> Accelerator:
    """Bind a machine to a given mapping of a network: what it fixes is costed, the rest searched.

    Parameters
    ----------
    network
        Its layers are those that `mapping` may name.
    mapping
        ``tile`` (loop to size), ``stationary`` (operand), ``order`` (all loops, outermost first),
        ``unrolled`` (for each axis of the array its loops, [] for none, None for any), and
        ``layers`` with the same keys by layer name; or a `Mapping` of a table; or a name in
        conf/mapping, or a YAML file.

    Returns
    -------
    Accelerator
        For `evaluate`, `mapping_table`, `evaluate_designs` and a `Space`.

    Raises
    ------
    DseError
        If a tile is above its bound, a layer or loop is unknown, or the machine does not allow
        what is given, or has a schedule of its own.
    """
    is_name = isinstance(mapping, str | Path)
    values = load_group("mapping", mapping) if is_name else mapping  # type: ignore[arg-type]
    return bound_to_mapping(accelerator, network, mapping_from(values))  # type: ignore[arg-type]


def evaluate(
    network: Workload,
    accelerator: Accelerator,
    *,
    objective: str = "latency_s",
    slack: float = DEFAULT_SLACK,
    mapping: GivenMapping = None,
) -> Result:
    """Cost one network on one machine, layer by layer.

    Parameters
    ----------
    objective
        What each layer's mapping minimises: latency_s, dram_bytes, energy_pj or edp.
    slack
        Share of the least latency that a mapping may lose to move fewer bits, where latency is
        asked for: of the mappings within it the one of fewest bits.
    mapping
        What is fixed of the mappings, as for `with_mapping`; nothing if None.

    Returns
    -------
    Result
        Totals, with units in their names, and ``layers``, a DataFrame.

    Raises
    ------
    DseError
        If no mapping of some layer fits.
    """
    machine = with_mapping(accelerator, network, mapping)
    found = evaluate_model(network, machine, objective=objective, slack=slack)
    return Result(**{x.name: getattr(found, x.name) for x in fields(found)})


def evaluate_designs(
    network: Workload,
    accelerator: Accelerator,
    designs: pd.DataFrame,
    *,
    objective: str = "latency_s",
    slack: float = DEFAULT_SLACK,
) -> pd.DataFrame:
    """Cost many designs in one call.

    Parameters
    ----------
    accelerator
        The machine that the columns of `designs` vary.
    designs
        One row a design; columns are named as parameters, ``batch`` or ``technology``.
    objective
        What each layer's mapping minimises.
    slack
        As for `evaluate`.

    Returns
    -------
    DataFrame
        The columns of `designs`, then its costs, units in their names; the same index.

    Raises
    ------
    DseError
        If a column is not a parameter, or a value is out of range.
    """
    columns = {str(name): designs[name].to_numpy() for name in designs.columns}
    costs = design_costs(
        network, accelerator, columns, catalogue=catalogue(), objective=objective, slack=slack
    )
    given = {name: designs[name] for name in designs.columns if name not in costs}
    return pd.DataFrame({**given, **costs}, index=designs.index, copy=False)


def search(
    network: Workload,
    space: Space,
    *,
    trials: int = 500,
    seed: int = 0,
    budget: Mapping[str, float] | None = None,
    objectives: Sequence[str] = OBJECTIVES,
    sampler: str = "ridge",
    mapper_objective: str = "latency_s",
    mapper_slack: float = DEFAULT_SLACK,
    progress: bool = False,
    **options: Any,
) -> Study:
    """Search a space for its Pareto-optimal designs.

    Parameters
    ----------
    trials
        Different designs that the sampled study costs.
    seed
        Of the sampler; the same seed gives the same study.
    budget
        Quantity to its limit: a floor for throughput_per_s, a ceiling for all others.
    objectives
        Two to four quantities.
    sampler
        A name of `dse.exploration.SAMPLERS`; ``exact`` only enumerates.
    mapper_objective
        What each layer's mapping minimises.
    mapper_slack
        The slack of `evaluate`.
    progress
        Whether to draw a progress bar on a terminal.
    options
        Those of `dse.exploration.run_search`.

    Raises
    ------
    DseError
        If an argument is wrong.
    """
    return run_search(
        SpaceModel(network=network, space=space, objective=mapper_objective, slack=mapper_slack),
        objectives=objectives,
        budget=dict(budget or {}),
        sampler=sampler,
        trials=trials,
        seed=seed,
        progress=progress,
        **options,
    )
