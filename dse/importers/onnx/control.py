"""If with a known condition, Loop and Scan with a known number of trips."""

from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from typing import Any, Protocol

from dse.importers.drafts import Network, NotUnderstood, Tensor
from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators.sequences import holds

Scope = MutableMapping[str, Tensor]
"""Tensors of a graph and of those around it, by name."""

GRAPHS = ("If", "Loop", "Scan")


class GraphWalk(Protocol):
    """What walks a graph: `dse.importers.onnx.walk.Walk`."""

    network: Network

    def graph(self, graph: Any, scope: Scope) -> None:
        """Walk a graph; its tensors join the scope."""


def inner_graphs(walk: GraphWalk, step: Operator, scope: Scope) -> list[Tensor | None]:
    """Walk the graphs inside a node and return its outputs.

    Raises
    ------
    NotUnderstood
        If the branch, or the number of trips, depends on the data.
    """
    return {"If": _branch, "Loop": _loop, "Scan": _scan}[step.op](walk, step, scope)


def _branch(walk: GraphWalk, step: Operator, scope: Scope) -> list[Tensor | None]:
    condition = step.input(0).value
    if condition is None:
        raise NotUnderstood("its condition depends on the data")
    branch = step.attributes["then_branch" if condition.any() else "else_branch"]
    inner: Scope = ChainMap({}, scope)
    walk.graph(branch, inner)
    return [inner[x.name] for x in branch.output]


def _loop(walk: GraphWalk, step: Operator, scope: Scope) -> list[Tensor | None]:
    trips = step.input(0).value if step.has_input(0) else None
    condition = step.inputs[1] if step.has_input(1) else None
    is_endless = condition is None or (condition.value is not None and condition.value.all())
    if trips is None or not is_endless or int(trips.reshape(-1)[0]) < 1:
        raise NotUnderstood("its number of trips depends on the data")
    body, count = step.attributes["body"], int(trips.reshape(-1)[0])
    state = [_fresh(x) for x in step.inputs[2:]]
    counter, going = Tensor("trip", (), 64, 7), Tensor("going", (), 8, 9)
    if condition is not None:
        going.is_constant, going.value = True, condition.value
    made = _body(walk, body, [counter, going, *state], scope, count)
    stays = made[0]
    if condition is not None and (stays is None or stays.value is None or not stays.value.all()):
        raise NotUnderstood("its number of trips depends on the data")
    return _results(state, made[1:], count, axis=0)


def _scan(walk: GraphWalk, step: Operator, scope: Scope) -> list[Tensor | None]:
    body, num_scanned = step.attributes["body"], int(step.attributes["num_scan_inputs"])
    state = [_fresh(x) for x in step.inputs[: len(step.inputs) - num_scanned]]
    axes = step.attributes.get("scan_input_axes") or [0] * num_scanned
    scanned, count = [], 0
    for place, axis in enumerate(axes, start=len(state)):
        shape = list(step.shape(place))
        count = shape.pop(axis)
        part = _fresh(step.input(place))
        assert part is not None  # the input is there
        part.shape = tuple(shape)
        scanned.append(part)
    if count < 1:
        raise NotUnderstood("it has no trips")
    made = _body(walk, body, [*state, *scanned], scope, count)
    return _results(state, made, count, axis=0)


def _fresh(tensor: Tensor | None) -> Tensor | None:
    """Return a tensor of the same shape whose elements differ from trip to trip."""
    if tensor is None:
        return None
    kind = tensor.element_type
    fresh = Tensor(tensor.name, tensor.shape, tensor.bits, kind, sources=tensor.sources)
    fresh.items, fresh.certainty = tensor.items, tensor.certainty
    return fresh


def _body(
    walk: GraphWalk, body: Any, given: Sequence[Tensor | None], scope: Scope, count: int
) -> list[Tensor | None]:
    """Walk the body once, every layer in it repeated for each trip."""
    names = [x.name for x in body.input]
    pairs = zip(names, given, strict=False)
    inner: Scope = ChainMap(
        {name: tensor for name, tensor in pairs if tensor is not None},
        scope,
    )
    network = walk.network
    outside, network.repeat = network.repeat, network.repeat * count
    try:
        walk.graph(body, inner)
    finally:
        network.repeat = outside
    return [inner.get(x.name) for x in body.output]


def _results(
    state: Sequence[Tensor | None], made: Sequence[Tensor | None], count: int, *, axis: int
) -> list[Tensor | None]:
    """Return the last state, and the stacked outputs of all trips."""
    for before, after in zip(state, made, strict=False):
        if before is None or after is None or before.shape != after.shape:
            raise NotUnderstood("its shapes change from trip to trip")
        if before.items is not None and after.items is not None:
            added = after.items[len(before.items) :]
            holds(after, [*before.items, *added * count])
    stacked = []
    for part in made[len(state) :]:
        tensor = _fresh(part)
        if tensor is not None and tensor.shape is not None:
            tensor.shape = (*tensor.shape[:axis], count, *tensor.shape[axis:])
        stacked.append(tensor)
    return [*made[: len(state)], *stacked]
