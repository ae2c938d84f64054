"""Pooling: its windows overlap or not, which says how many elements it compares or adds."""

from math import prod
from typing import Any

from dse.importers.drafts import NotUnderstood
from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators.convolutions import each_axis, pads_before


def pooling(step: Operator) -> None:
    """MaxPool, AveragePool and their like: windows that slide over a map, or the whole map."""
    reads = [x for x in step.given if not x.is_constant]
    draft = step.pass_over("pool", reads, writes=step.written[:1])
    elements = _window_elements(step)
    if elements and elements != draft.fields["input_elements"]:
        draft.fields["window_elements"] = elements


def _window_elements(step: Operator) -> int:
    """Return the elements that all windows read, padding not; 0 where that is not known."""
    kernel: Any = step.attributes.get("kernel_shape")
    shape, written = step.input(0).shape, step.written[0].shape
    if not kernel or shape is None or written is None or len(shape) != len(kernel) + 2:
        return 0
    size, out, taps = shape[2:], written[2:], [int(x) for x in kernel]
    try:
        pads = pads_before(step, size, taps)
        strides, dilations = each_axis(step, "strides", size), each_axis(step, "dilations", size)
    except NotUnderstood:
        return 0
    axes = zip(size, out, taps, pads, strides, dilations, strict=True)
    return prod(shape[:2]) * prod(_along(*axis) for axis in axes)


def _along(size: int, out: int, taps: int, pad: int, stride: int, dilation: int) -> int:
    """Return the real elements that the windows along one axis read."""
    starts = (place * stride - pad for place in range(out))
    return sum(0 <= start + tap * dilation < size for start in starts for tap in range(taps))
