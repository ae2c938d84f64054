"""A .tflite file as a workload."""

import struct
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from dse.errors import DseError
from dse.importers.coverage import Imported, check_understood, finished
from dse.importers.drafts import Network, NotUnderstood, Tensor, mark_results
from dse.importers.onnx.constants import fold, learn
from dse.importers.onnx.file import shown_name
from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators.row_statistics import settle_tensors
from dse.importers.onnx.operators.table import HANDLERS
from dse.importers.onnx.types import BITS, FLOATS
from dse.importers.onnx.walk import translate
from dse.importers.progress import ImportProgress
from dse.importers.tflite.file import ABSENT, Graph, Node, TensorEntry, read_graph
from dse.importers.tflite.table import (
    FIRST_INPUT,
    FREE,
    NESTS,
    SAME_INPUTS,
    SECOND_INPUT,
    SHAPES,
)

NARROW = frozenset({2, 3, 4, 5, 21, 22, 25, 26})
"""ONNX's numbers of the whole types that quantised weights have; wider ones are biases."""

COMPILED = "edgetpu-custom-op"
"""What the compiler of the Edge TPU puts in the place of all that it maps."""


def import_tflite(
    path: Path,
    sizes: Mapping[str, int] | None = None,
    *,
    is_strict: bool = False,
    are_copies_charged: bool = False,
) -> Imported:
    """Import a .tflite file, at the sizes that it was written with.

    Parameters
    ----------
    path
        The file.
    sizes
        None are known: a file has no dimensions to set.
    is_strict
        Whether an operator that is not understood is an error.
    are_copies_charged
        Whether transposes, joins and slices are read and written, not only addressed.

    Raises
    ------
    DseError
        If the file cannot be read, was compiled for one chip, has an input of a size that is
        known only as it runs, or with ``is_strict`` an operator is not understood.
    """
    for key in sizes or {}:
        raise DseError(f"workload of {path} has no key {key!r}: a .tflite file's sizes are fixed")
    graph, network = read_graph(path), Network()
    _check(path, graph)
    tensors = [_tensor(place, entry, network) for place, entry in enumerate(graph.tensors)]
    progress = ImportProgress(total=len(graph.nodes))
    for node in graph.nodes:
        progress.step()
        _translate(node, tensors, network, are_copies_charged=are_copies_charged)
    progress.close()
    results = [tensors[place] for place in graph.outputs if place != ABSENT]
    settle_tensors(results)
    mark_results(results)
    if graph.further:
        names = ", ".join(graph.further[:3])
        network.notes.append(f"Signatures that are not imported, the first graph is: {names}")
    name = shown_name(path.name)
    imported = finished(shown_name(path.stem) or "network", f"LiteRT file {name}", network)
    if is_strict:
        check_understood(path, imported)
    return imported


def _check(path: Path, graph: Graph) -> None:
    """Check that a file says what runs, and at which sizes."""
    if any(node.kind == COMPILED for node in graph.nodes):
        raise DseError(
            f"{path}: is compiled for the Edge TPU, and no longer says what runs; "
            f"import the file that the compiler was given"
        )
    for place in graph.inputs:
        entry = graph.tensors[place]
        if any(entry.is_dynamic[1:]):
            dims = [-1 if x else n for x, n in zip(entry.is_dynamic, entry.shape, strict=False)]
            raise DseError(
                f"{path}: input {entry.name!r} has sizes that are known only as it runs, {dims}; "
                f"write the file with fixed ones"
            )


def _tensor(place: int, entry: TensorEntry, network: Network) -> Tensor:
    tensor = Tensor(
        f"{entry.name}#{place}", entry.shape, BITS.get(entry.element_type, 8), entry.element_type
    )
    tensor.is_constant = entry.has_data
    if entry.has_data and entry.shape and entry.element_type in FLOATS | NARROW:
        learn(tensor, network)
    return tensor


def _translate(
    node: Node, tensors: list[Tensor], network: Network, *, are_copies_charged: bool
) -> None:
    inputs = [None if place == ABSENT else tensors[place] for place in node.inputs]
    outputs = [None if place == ABSENT else tensors[place] for place in node.outputs]
    written = next((x.name for x in outputs if x is not None), "")
    step = Operator(
        name=written.rpartition("#")[0].split(";")[0] or node.kind.lower(),
        op=_op(node),
        attributes={},
        inputs=_chosen(node, inputs),
        outputs=outputs,
        network=network,
        are_copies_charged=are_copies_charged,
    )
    given = [x for x in inputs if x is not None]
    is_constant = bool(given) and all(x.is_constant for x in given) and "RANDOM" not in node.kind
    if is_constant or node.kind in (*SHAPES, "RANGE"):
        fold(step, None)
    elif node.kind in FREE:
        network.counts["free"] += 1
    elif node.kind in NESTS:
        translate(step, partial(_nest, node=node))
    else:
        translate(step, HANDLERS.get(step.op))


def _op(node: Node) -> str:
    """Return ONNX's name of an operator, its own where there is none."""
    tables = (SAME_INPUTS, FIRST_INPUT, SECOND_INPUT)
    return next((table[node.kind] for table in tables if node.kind in table), node.kind)


def _chosen(node: Node, inputs: list[Tensor | None]) -> list[Tensor | None]:
    """Return the inputs that are maps, not sizes."""
    if node.kind in FIRST_INPUT:
        return inputs[:1]
    return inputs[1:2] if node.kind in SECOND_INPUT else inputs


def _nest(step: Operator, *, node: Node) -> None:
    try:
        NESTS[node.kind](step, node.options)
    except struct.error as error:
        raise NotUnderstood("its options lie outside the file") from error
