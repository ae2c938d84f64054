"""Walk a graph and those inside it, node by node, each translated by the table of operators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dse.errors import DseError
from dse.importers.drafts import Network, NotUnderstood, Tensor
from dse.importers.onnx.bounds import bounded_shapes
from dse.importers.onnx.constants import fold, fold_constant_node, initializer
from dse.importers.onnx.contrib_shapes import BLOCKED, fill_shapes
from dse.importers.onnx.control import GRAPHS, Scope, inner_graphs
from dse.importers.onnx.file import (
    LARGEST_NODES,
    STANDARD_DOMAINS,
    attributes_of,
    producers_first,
    shown_name,
    without_references,
)
from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators.row_statistics import settle
from dse.importers.onnx.operators.sequences import HANDLERS as SEQUENCES
from dse.importers.onnx.operators.table import Handler, handler, is_view, knows_rows
from dse.importers.onnx.shapes import inferred, output_tensors, small_outputs
from dse.importers.onnx.types import Dimensions, declared_tensors
from dse.importers.progress import ImportProgress

MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a handler raises where a broken file gives it other inputs than its operator has."""

RANDOM = ("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike")


@dataclass(slots=True)
class Walk:
    """What stays the same while a file is walked.

    Attributes
    ----------
    functions
        The file's own operators, by domain and name.
    opsets
        Version of each domain; "" is ONNX's own.
    progress
        Is told of each node, those of graphs inside graphs included.
    calls
        The functions in hand, outermost first.
    """

    path: Path
    network: Network
    dimensions: Dimensions
    functions: Mapping[tuple[str, str], Any]
    opsets: Mapping[str, int]
    progress: ImportProgress
    are_copies_charged: bool = False
    calls: list[tuple[str, str]] = field(default_factory=list)

    def graph(self, graph: Any, scope: Scope, call: Mapping[str, Any] | None = None) -> None:
        """Translate every node of a graph, or of a function with the attributes of its call.

        Raises
        ------
        DseError
            If the graph is cyclic, too large, or its shapes contradict each other.
        """
        for proto in getattr(graph, "initializer", ()):
            scope.setdefault(proto.name, initializer(self.path, proto, self.network))
        if self.progress.num_done + len(graph.node) > LARGEST_NODES:
            raise DseError(f"{self.path}: a graph must have at most {LARGEST_NODES} nodes")
        declared = declared_tensors(self.path, graph, self.dimensions)
        for node in producers_first(self.path, graph.node):
            self.progress.step()
            plain = without_references(node, call or {})
            outputs = self._node(plain, scope, declared)
            for name, tensor in zip(node.output, outputs, strict=False):
                if name and tensor is not None:
                    scope[name] = tensor

    def _node(self, node: Any, scope: Scope, declared: Mapping[str, Any]) -> list[Tensor | None]:
        inputs = [self.read(name, scope, node) if name else None for name in node.input]
        if (node.domain, node.op_type) in self.functions:
            return self._call(node, inputs)
        is_outer = node.op_type in GRAPHS and node.domain in STANDARD_DOMAINS
        found = {} if is_outer else inferred(self.path, node, inputs, self.opsets)
        outputs = output_tensors(node, found, declared, inputs)
        step = Operator(
            name=node_name(node),
            op=node.op_type,
            attributes=attributes_of(node),
            inputs=inputs,
            outputs=outputs,
            network=self.network,
            are_copies_charged=self.are_copies_charged,
        )
        if is_outer:
            return self._control(step, scope)
        op = f"{BLOCKED}.{node.op_type}" if node.domain == BLOCKED else node.op_type
        fill_shapes(op, inputs, outputs, dict(step.attributes))
        _bound(step)
        if not self._is_folded(node, step):
            self._translate(node, step)
        return outputs

    def read(self, name: str, scope: Scope, node: Any) -> Tensor:
        """Return a tensor that a node reads."""
        if name not in scope:
            raise DseError(
                f"{self.path}: node {node_name(node)!r} reads tensor {shown_name(name)!r}, "
                f"which nothing writes"
            )
        return scope[name]

    def given_trips(self, name: str) -> int:
        """Return the trips that the user gives a loop, 0 if none."""
        return self.dimensions.offered(f"{name}_trips")

    def _is_folded(self, node: Any, step: Operator) -> bool:
        """Fold what does not depend on the network's inputs, its numbers as far as known."""
        if node.op_type == "Constant":
            fold_constant_node(self.path, step)
            return True
        if node.op_type in SEQUENCES:
            return False
        is_constant = all(x.is_constant for x in step.given) and node.op_type not in RANDOM
        if not is_constant and node.op_type not in ("Shape", "Size"):
            return False
        version = self.opsets.get("", 1)
        fold(step, small_outputs(node, step.inputs, step.outputs, version))
        return True

    def _translate(self, node: Any, step: Operator) -> None:
        domain = f" of {shown_name(node.domain)}" if node.domain else ""
        translate(step, handler(node.domain, node.op_type), domain)

    def _control(self, step: Operator, scope: Scope) -> list[Tensor | None]:
        before = len(self.network.drafts)
        try:
            found = inner_graphs(self, step, scope)
        except NotUnderstood as error:
            charge(step, str(error), macs=error.macs, before=before)
            return list(step.outputs)
        except (AttributeError, LookupError, TypeError) as error:
            charge(step, f"its inputs or attributes do not fit it ({error})", before=before)
            return list(step.outputs)
        self.network.counts["free"] += 1
        return found

    def _call(self, node: Any, inputs: list[Tensor | None]) -> list[Tensor | None]:
        """Walk a function of the file with the tensors and attributes of its call."""
        key = (node.domain, node.op_type)
        if key in self.calls:
            name = shown_name(node.op_type)
            raise DseError(f"{self.path}: function {name!r} must not call itself")
        function = self.functions[key]
        pairs = zip(function.input, inputs, strict=False)
        scope: Scope = {name: tensor for name, tensor in pairs if tensor is not None}
        given = {x.name: x for x in (*function.attribute_proto, *node.attribute)}
        self.calls.append(key)
        self.graph(function, scope, given)
        self.calls.pop()
        self.network.counts["free"] += 1
        return [scope.get(name) for name in function.output]


def _bound(step: Operator) -> None:
    """Give outputs whose shapes the data decide their largest ones, and note it."""
    if any(x.is_constant for x in step.given[:1]) or all(x.shape for x in step.written):
        return
    count = len(step.outputs)
    shapes = bounded_shapes(step.op, step.inputs, step.attributes, count)
    for output, shape in zip(step.outputs, shapes, strict=False):
        if output is not None and output.shape is None:
            output.shape, output.certainty = shape, "bound"
    if shapes:
        step.network.bounds.append(f"{step.name} ({step.op})")


def translate(step: Operator, known: Handler | None, domain: str = "") -> None:
    """Add what an operator becomes, or charge its bytes where it is not understood."""
    before = len(step.network.drafts)
    try:
        if known is None:
            raise NotUnderstood(f"the operator{domain} is not known")
        if not knows_rows(known):
            settle(step)
            before = len(step.network.drafts)
        known(step)
    except NotUnderstood as error:
        assume_shape(step)
        charge(step, str(error), macs=error.macs, before=before)
        return
    except MISFITS as error:
        charge(step, f"its inputs or attributes do not fit it ({error})", before=before)
        return
    is_layer = len(step.network.drafts) > before
    step.network.counts["layer" if is_layer else "free" if is_view(known) else "fused"] += 1


def charge(step: Operator, reason: str, *, macs: int = 0, before: int) -> None:
    """Charge the bytes of what is not understood, in place of what was added for it."""
    del step.network.drafts[before:]
    settle(step)
    for tensor in step.written:
        tensor.sources, tensor.root = (), tensor.name
    step.network.counts["not_understood"] += 1
    draft = step.pass_over("other", step.given)
    draft.reason, draft.macs = reason, macs


def assume_shape(step: Operator) -> None:
    """Take the shape of what is not understood as that of its first input, and note it."""
    output = step.written[0] if step.written else None
    data = next((x for x in step.given if x.shape and not x.is_constant), None)
    if output is None or output.shape is not None or data is None:
        return
    output.shape, output.certainty = data.shape, "guess"
    step.network.guesses.append(f"{step.name} ({step.op})")


def node_name(node: Any) -> str:
    """Return what a layer of this node is called."""
    return shown_name(node.name or next(filter(None, node.output), "") or node.op_type)
