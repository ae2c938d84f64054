"""Graphs inside a node: branches, loops, and maps over a sequence.

What the data decide is bounded: by the larger branch, by the most trips that the file names.
"""

from collections import ChainMap, Counter
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dse.errors import DseError
from dse.importers.coverage import work_of
from dse.importers.drafts import Draft, Network, NotUnderstood, Tensor
from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators.sequences import holds

Scope = MutableMapping[str, Tensor]
"""Tensors of a graph and of those around it, by name."""

GRAPHS = ("If", "Loop", "Scan", "SequenceMap")

ENDLESS = 2**31 - 1
"""Trips from which a loop is one that only its condition ends."""


class GraphWalk(Protocol):
    """What walks a graph: `dse.importers.onnx.walk.Walk`."""

    network: Network

    def graph(self, graph: Any, scope: Scope) -> None:
        """Walk a graph; its tensors join the scope."""

    def given_trips(self, name: str) -> int:
        """Return the trips that the user gives a loop, 0 if none."""


def inner_graphs(walk: GraphWalk, step: Operator, scope: Scope) -> list[Tensor | None]:
    """Walk the graphs inside a node and return its outputs.

    Raises
    ------
    NotUnderstood
        If shapes change from trip to trip, or nothing is known of a sequence.
    """
    kinds = {"If": _branch, "Loop": _loop, "Scan": _scan, "SequenceMap": _mapped}
    return kinds[step.op](walk, step, scope)


def _branch(walk: GraphWalk, step: Operator, scope: Scope) -> list[Tensor | None]:
    condition = step.input(0).value
    if condition is None:
        return _larger_branch(walk, step, scope)
    branch = step.attributes["then_branch" if condition.any() else "else_branch"]
    inner: Scope = ChainMap({}, scope)
    walk.graph(branch, inner)
    return [inner[x.name] for x in branch.output]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A branch that was walked: its outputs, layers, operators by fate, and (MACs, bytes)."""

    outputs: list[Tensor | None]
    drafts: list[Draft]
    counts: Counter[str]
    work: tuple[int, float]


def _larger_branch(walk: GraphWalk, step: Operator, scope: Scope) -> list[Tensor | None]:
    """Walk both branches and keep the one with more MACs, or else bytes; it is a bound."""
    found: list[Trial] = []
    faults: list[DseError] = []
    for key in ("then_branch", "else_branch"):
        before = len(walk.network.drafts)
        try:
            found.append(_tried(walk, step.attributes[key], scope))
        except DseError as error:  # shapes that only the other branch fits
            del walk.network.drafts[before:]
            faults.append(error)
    if not found:
        raise faults[0]
    network, larger = walk.network, max(found, key=lambda x: x.work)
    network.drafts += larger.drafts
    network.counts += larger.counts
    network.branches.append(f"{step.name} ({step.op})")
    for trial in found:
        for kept, other in zip(larger.outputs, trial.outputs, strict=False):
            if kept is not None and other is not None and kept.shape != other.shape:
                kept.shape, kept.certainty = kept.shape or other.shape, "bound"
    return larger.outputs


def _tried(walk: GraphWalk, branch: Any, scope: Scope) -> Trial:
    """Walk a branch and take what it added out of the network again."""
    network, before = walk.network, len(walk.network.drafts)
    outside, network.counts = network.counts, Counter()
    inner: Scope = ChainMap({}, scope)
    try:
        walk.graph(branch, inner)
    finally:
        counts, network.counts = network.counts, outside
    drafts = network.drafts[before:]
    del network.drafts[before:]
    outputs = [inner.get(x.name) for x in branch.output]
    return Trial(outputs=outputs, drafts=drafts, counts=counts, work=work_of(drafts))


def _loop(walk: GraphWalk, step: Operator, scope: Scope) -> list[Tensor | None]:
    body, state = step.attributes["body"], [_fresh(x) for x in step.inputs[2:]]
    condition = step.inputs[1] if step.has_input(1) else None
    counter, going = Tensor("trip", (), 64, 7), Tensor("going", (), 8, 9)
    if condition is not None and condition.value is not None:
        going.is_constant, going.value = True, condition.value
    most = _most_trips(step)
    if (most is not None and most < 1) or (condition is not None and _is_false(condition)):
        raise NotUnderstood("it has no trips")
    given = walk.given_trips(step.name)
    count = given or (1 if most is None else most)
    before = len(walk.network.drafts)
    made = _body(walk, body, [counter, going, *state], scope, count)
    is_open = condition is not None and not _is_true(made[0])
    if not given and most is None:
        walk.network.loops.append(step.name)
        for draft in walk.network.drafts[before:]:
            draft.is_guess = True
    elif not given and is_open:
        walk.network.bounds.append(f"{step.name} ({step.op})")
    return _results(state, made[1:], count, work_of(walk.network.drafts[before:])[0])


def _most_trips(step: Operator) -> int | None:
    """Return the most trips that a file names for a loop, None if it names none."""
    value = step.input(0).value if step.has_input(0) else None
    if value is None or not value.size:
        return None
    most = int(value.reshape(-1)[0])
    return most if most < ENDLESS else None


def _is_true(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.value is not None and bool(tensor.value.all())


def _is_false(tensor: Tensor) -> bool:
    return tensor.value is not None and not tensor.value.any()


def _mapped(walk: GraphWalk, step: Operator, scope: Scope) -> list[Tensor | None]:
    """SequenceMap: the body once for each tensor of the sequence."""
    items = step.input(0).items
    if not items:
        raise NotUnderstood("what its sequence holds is not known")
    given = [_fresh(x.items[0] if x is not None and x.items else x) for x in step.inputs]
    made = _body(walk, step.attributes["body"], given, scope, len(items))
    for output, part in zip(step.outputs, made, strict=False):
        if output is not None and part is not None:
            holds(output, [part] * len(items))
    return list(step.outputs)


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
    return _results(state, made, count, 0)


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
    state: Sequence[Tensor | None], made: Sequence[Tensor | None], count: int, macs: int
) -> list[Tensor | None]:
    """Return the last state, and the outputs of all trips, stacked along a new first axis."""
    for before, after in zip(state, made, strict=False):
        is_same = before is not None and after is not None and before.shape == after.shape
        if count > 1 and not is_same:
            raise NotUnderstood("its shapes change from trip to trip", macs=macs)
        if before is not None and after is not None and before.items is not None:
            added = (after.items or ())[len(before.items) :]
            holds(after, [*before.items, *added * count])
    stacked = []
    for part in made[len(state) :]:
        tensor = _fresh(part)
        if tensor is not None and tensor.shape is not None:
            tensor.shape = (count, *tensor.shape)
        stacked.append(tensor)
    return [*made[: len(state)], *stacked]
