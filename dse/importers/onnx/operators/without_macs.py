"""Operators without MACs: pointwise, pooling, normalisation, look-ups, views and copies."""

from collections.abc import Callable, Sequence
from math import prod

from dse.importers.drafts import NotUnderstood, Tensor
from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators.row_statistics import combined


def layer(op: str, *, learned: Sequence[int] = ()) -> Callable[[Operator], None]:
    """Return the handler of an operator that reads its activations once and writes its outputs.

    Parameters
    ----------
    op
        A name of `dse.workload.MACLESS_OPS`.
    learned
        The places of inputs with learned elements, which are not counted as traffic.
    """

    def handle(step: Operator) -> None:
        extras = [x for place, x in enumerate(step.inputs) if place in learned]
        reads = [x for x in step.given if not x.is_constant]
        step.pass_over(op, reads, writes=step.written[:1], extras=extras)

    return handle


def pointwise(op: str) -> Callable[[Operator], None]:
    """Return the handler of an operator that works element by element.

    What is a function of one element of a layer's output, and of constants that are one number
    or one for each channel, is done as that output leaves (dse/docs/model.md#layers).
    """

    def handle(step: Operator) -> None:
        output = step.output()
        if output.shape is None:
            raise NotUnderstood("the shape of its output is not known")
        if combined(step):
            return
        constants = [x for x in step.given if x.is_constant]
        maps = [x for x in constants if not x.is_vector]
        learned = [x for x in constants if x.elements > 1 or step.op == "PRelu"]
        activations = [x for x in step.given if not x.is_constant]
        large = [x for x in activations if x.elements > 1] or activations[:1]
        same = {x.root for x in large}
        is_function = len(same) == 1 and not maps and large[0].elements == output.elements
        if is_function and (large[0].sources or output.elements <= 1):
            step.fuse(large[0], learned if large[0].sources else ())
            return
        reads = [*{x.root: x for x in large}.values(), *maps]
        step.pass_over(op, reads, extras=learned)

    return handle


def converted(step: Operator) -> None:
    """Quantise, dequantise or cast: done as the data leave their writer, or where they are read."""
    bits = [x.bits for x in step.written]
    step.see(step.input(0))
    if step.op != "DequantizeLinear":  # after it, numbers still lie in the narrow form
        for output, own_bits in zip(step.written, bits, strict=True):
            output.bits = own_bits


def view(step: Operator) -> None:
    """Show the same elements in the same order, in another shape."""
    data = step.input(0)
    for output in step.written[1:]:  # the mask of a Dropout, which inference does not use
        output.is_constant = True
    step.written[0].follow(data)
    if data.is_constant:
        step.written[0].value = None


def addressed(step: Operator) -> None:
    """Transpose, slice, join or broadcast: other addresses of the same elements, or a copy."""
    activations = [x for x in step.given if not x.is_constant]
    if step.are_copies_charged and step.output().elements:
        reads = [x for x in activations if x.elements] or step.given[:1]
        moved = sum(x.elements for x in step.written)
        step.pass_over("copy", reads, extras=step.given, input_elements=moved)
        return
    sources = {id(x): x for tensor in activations for x in tensor.sources}
    names = frozenset(name for x in step.given for name in x.origins)
    for output in step.written:
        output.sources, output.root = tuple(sources.values()), output.name
        output.bits = max((x.bits for x in activations), default=output.bits)
        output.is_constant, output.origins = False, names if not sources else frozenset()
    if sources and names:
        next(reversed(sources.values())).extras |= names


def copied(step: Operator) -> None:
    """Move elements: read and written once."""
    reads = [x for x in step.given if not x.is_constant][:1] or [step.input(0)]
    moved = min(sum(x.elements for x in reads), prod(step.out_shape()))
    step.pass_over("copy", reads, extras=step.given, input_elements=moved)


def gathered(step: Operator) -> None:
    """Look up rows: of a table (only those that are used), or of an activation."""
    data, rows = step.input(0), prod(step.out_shape())
    if data.is_constant:
        step.pass_over("embedding", [data], input_elements=rows)
    elif step.input(1).is_constant:
        addressed(step)
    else:
        step.pass_over("copy", [data], input_elements=rows)


def embedded(step: Operator) -> None:
    """EmbedLayerNormalization of com.microsoft: rows of up to three tables, then their norm."""
    tables = [x for x in step.inputs[2:5] if x is not None]
    rows = step.output().elements
    total = Tensor("sum", step.output().shape, step.output().bits)
    step.pass_over(
        "embedding", tables, writes=[total], input_elements=len(tables) * rows, suffix=".rows"
    )
    extras = list(step.inputs[5:7])
    step.pass_over("layer_norm", [total], writes=[step.output()], extras=extras, suffix=".norm")


def skip_norm(step: Operator) -> None:
    """SkipLayerNormalization of com.microsoft: reads two maps; the sum is an output if wanted."""
    reads = [x for x in step.given[:2] if not x.is_constant]
    writes = [x for x in (step.outputs[0], *step.outputs[3:4]) if x is not None]
    step.pass_over("layer_norm", reads, writes=writes, extras=step.inputs[2:])


def batch_norm(step: Operator) -> None:
    """BatchNormalization: a scale and a shift for each channel, done as the map leaves."""
    data, learned = step.input(0), list(step.inputs[1:3])
    if data.sources:
        step.fuse(data, learned)
    else:
        step.pass_over("batch_norm", [data], writes=step.written[:1], extras=learned)
