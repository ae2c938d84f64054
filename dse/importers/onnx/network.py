"""An ONNX file as a workload."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import DseError, nearest
from dse.importers.coverage import Imported, check_understood, finished
from dse.importers.drafts import Network, Tensor, mark_results
from dse.importers.onnx.batch import batch_symbols
from dse.importers.onnx.constants import initializer, learn
from dse.importers.onnx.file import STANDARD_DOMAINS, read_model, shown_name
from dse.importers.onnx.operators.row_statistics import settle_tensors
from dse.importers.onnx.operators.table import PARAMETER_PLACES
from dse.importers.onnx.types import Dimensions, input_tensor
from dse.importers.onnx.walk import Walk
from dse.importers.progress import ImportProgress


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a file is read.

    Attributes
    ----------
    is_strict
        Whether an operator that is not understood is an error.
    are_copies_charged
        Whether transposes, joins, slices and broadcasts are read and written, not only addressed.
    inputs
        The graph's real inputs, where a file without weights has them as inputs too; None for
        those that no layer takes as its weights.
    batch
        The dynamic dimension that is the batch, ``none`` if there is none; None to find it.
    """

    is_strict: bool = False
    are_copies_charged: bool = False
    inputs: tuple[str, ...] | None = None
    batch: str | None = None


def import_onnx(
    path: Path, sizes: Mapping[str, int] | None = None, options: Options | None = None
) -> Imported:
    """Import an ONNX file, at a batch of 1 if its batch is dynamic.

    Parameters
    ----------
    path
        The file. External data are read only for small shape constants, from its folder.
    sizes
        Dynamic dimension to its size, an input of one whole number to its value, a loop's name
        with ``_trips`` to its trips; other characters than letters, digits and ``_`` in its
        name are ``_``, and one without a name is INPUT_PLACE. [0..]
    options
        How to read it.

    Raises
    ------
    DseError
        If the file cannot be read, a dynamic dimension has no size, or with ``is_strict`` an
        operator is not understood.
    """
    options = options or Options()
    model = read_model(path)
    network = Network()
    walk = _walk(path, model, network, sizes or {}, options)
    scope = _scope(walk, model.graph, options)
    try:
        walk.graph(model.graph, scope)
    finally:
        walk.progress.close()
    walk.dimensions.check_all_used()
    _note_values(walk)
    results = [scope[x.name] for x in model.graph.output if x.name in scope]
    settle_tensors(results)
    mark_results(results)
    source = f"ONNX file {shown_name(path.name)}"
    if model.producer_name:
        source += (
            f", written by {shown_name(model.producer_name)} {model.producer_version}".rstrip()
        )
    imported = finished(_network_name(path), source, network)
    if options.is_strict:
        check_understood(path, imported)
    return imported


def _network_name(path: Path) -> str:
    return shown_name(path.stem) or "network"


def _walk(
    path: Path, model: Any, network: Network, sizes: Mapping[str, int], options: Options
) -> Walk:
    inputs = _graph_inputs(model.graph)
    versions = [(x.domain, x.version) for x in model.opset_import]
    opsets = {"" if name in STANDARD_DOMAINS else name: version for name, version in versions}
    return Walk(
        path=path,
        network=network,
        dimensions=Dimensions(
            path=path,
            given=dict(sizes),
            batch_symbols=batch_symbols(path, inputs, tuple(sizes), options.batch),
        ),
        functions={(x.domain, x.name): x for x in model.functions},
        opsets=opsets,
        progress=ImportProgress(total=len(model.graph.node)),
        are_copies_charged=options.are_copies_charged,
    )


def _graph_inputs(graph: Any) -> list[Any]:
    """Return the graph's inputs without those that have a value in the file."""
    given = {x.name for x in graph.initializer}
    return [x for x in graph.input if x.name not in given]


def _scope(walk: Walk, graph: Any, options: Options) -> dict[str, Tensor]:
    """Return the tensors that a graph starts with."""
    inputs = _graph_inputs(graph)
    names = [x.name for x in inputs]
    for name in options.inputs or ():
        if name not in names:
            raise DseError(
                f"{walk.path} has no input {name!r} (import.inputs){nearest(name, names)}"
            )
    scope = {x.name: input_tensor(walk.path, x, walk.dimensions) for x in inputs}
    walk.dimensions.check()
    for name in _parameter_names(graph, scope, options):
        learn(scope[name], walk.network)
    for proto in graph.initializer:
        scope[proto.name] = initializer(walk.path, proto, walk.network)
    _note_fixed_batch(walk, scope)
    return scope


def _parameter_names(graph: Any, scope: Mapping[str, Tensor], options: Options) -> set[str]:
    """Return the inputs that are weights: by what reads them, or as the user says."""
    if options.inputs is not None:
        return set(scope) - set(options.inputs)
    readers = [x for x in graph.node if x.op_type in PARAMETER_PLACES]
    weights = {name for node in readers for name in node.input[1:] if name in scope}
    return weights - {node.input[0] for node in readers if node.input}


def _note_values(walk: Walk) -> None:
    """Say which inputs may be given a value where the data decide a branch."""
    names = sorted(walk.dimensions.optional - set(walk.dimensions.given))
    values = [x for x in names if not x.endswith("_trips")]
    if walk.network.branches and values:
        example = " ".join(f"workload.{x}=..." for x in values[:3])
        walk.network.notes.append(f"An input's value may decide a branch; give {example}")


def _note_fixed_batch(walk: Walk, scope: Mapping[str, Tensor]) -> None:
    inputs = [x for x in scope.values() if not x.is_constant and x.shape and len(x.shape) > 1]
    rows = inputs[0].shape[0] if inputs and inputs[0].shape else 1
    if rows > 1 and len(inputs[0].shape or ()) == 4:
        walk.network.notes.append(
            f"Input {inputs[0].name!r} has a fixed first dimension of {rows}: one inference is "
            f"one run of the graph, so throughput counts {rows} of its rows as one"
        )
