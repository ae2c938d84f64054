"""Norms and softmaxes that a file spells out: statistics of rows, and what is made with them.

A mean, sum or maximum along the last axis of a map stays with the map: the rows fit on chip. What
combines it with the map again reads and writes the map once, as the operator of its own does;
a second statistic of what was just written (the variance after the mean, the sum after the
exponents) is part of the same layer.
"""

from dse.importers.drafts import Draft, Tensor
from dse.importers.onnx.node import Operator

KINDS = {"ReduceMax": "softmax"}
"""The layer that a statistic leads to; all others lead to a layer norm."""


def reduced(step: Operator) -> None:
    """Reduce: along the last axis a statistic of the rows, otherwise a layer of its own."""
    data, output = step.input(0), step.output()
    if _is_of_rows(step, data, output):
        output.statistic_of = (data, step)
        output.sources = data.sources
        return
    settle(step)
    reads = [x for x in step.given if not x.is_constant]
    step.pass_over("pool", reads, writes=[output])


def _is_of_rows(step: Operator, data: Tensor, output: Tensor) -> bool:
    if data.statistic_of is not None or not data.shape or output.shape is None:
        return False
    if step.op not in ("ReduceMean", "ReduceSum", "ReduceMax"):
        return False
    return output.shape == (*data.shape[:-1], 1) and data.shape[-1] > 1


def combined(step: Operator) -> bool:
    """Do a pointwise operator that has statistics of rows among its inputs; say if it was."""
    statistics = [x for x in step.given if x.statistic_of is not None]
    if not statistics:
        return False
    bases = {x.statistic_of[0].root for x in statistics if x.statistic_of is not None}
    maps = [x for x in step.given if not x.is_constant and x.statistic_of is None]
    maps = [x for x in maps if x.elements > 1]
    output = step.output()
    is_own = len(bases) == 1 and all(x.root in bases for x in maps)
    if is_own and not maps and output.elements == statistics[0].elements:
        output.statistic_of, output.sources = statistics[0].statistic_of, statistics[0].sources
        return True
    if not is_own or not maps or output.elements != maps[0].elements:
        settle(step)
        return False
    _apply(step, maps[0], statistics)
    return True


def _apply(step: Operator, base: Tensor, statistics: list[Tensor]) -> None:
    """Read and write the map once, unless the layer that wrote it did so for a statistic."""
    learned = [x for x in step.given if x.is_constant and x.elements > 1]
    writer = base.sources[-1] if base.sources else None
    if writer is not None and writer.rows_root == base.root:
        writer.rows_root = ""
        step.fuse(base, learned)
        return
    first = statistics[0].statistic_of
    assert first is not None  # that is what statistics are
    draft: Draft = step.pass_over(KINDS.get(first[1].op, "layer_norm"), [base], extras=learned)
    draft.rows_root = step.output().root


def settle(step: Operator) -> None:
    """Write the statistics among a step's inputs: what reads them is no norm."""
    settle_tensors(step.given)


def settle_tensors(tensors: list[Tensor]) -> None:
    """Make each statistic among these tensors the output of a layer of its own."""
    for tensor in tensors:
        if tensor.statistic_of is not None:
            (base, step), tensor.statistic_of = tensor.statistic_of, None
            step.pass_over("pool", [base], writes=[tensor])
