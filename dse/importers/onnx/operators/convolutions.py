"""Convolutions, plain, transposed and quantised."""

from collections.abc import Sequence
from math import prod
from typing import Any

from dse.importers.drafts import NotUnderstood, Tensor
from dse.importers.onnx.node import Operator

AXES = ("y", "x")


def convolution(step: Operator) -> None:
    """Conv, ConvInteger, and contrib forms with the same inputs."""
    bias = step.inputs[2] if step.op == "Conv" and step.has_input(2) else None
    _convolve(step, step.input(0), step.input(1), bias)


def fused_convolution(step: Operator) -> None:
    """FusedConv of com.microsoft: a bias, and a map that is added."""
    bias = step.inputs[2] if step.has_input(2) else None
    _convolve(step, step.input(0), step.input(1), bias)
    if step.has_input(3):
        added = [step.output(), step.input(3)]
        step.pass_over("add", added, writes=[step.output()], suffix=".add")


def quantised_convolution(step: Operator) -> None:
    """QLinearConv: scales and zero points stand between the operands."""
    bias = step.inputs[8] if step.has_input(8) else None
    _convolve(step, step.input(0), step.input(3), bias)


def _convolve(step: Operator, data: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if data.shape is None or weight.shape is None:
        raise NotUnderstood("the shape of an operand is not known")
    groups = int(step.attributes.get("group", 1))
    batch, channels, *size = data.shape
    kernels, per_group, *taps = weight.shape
    out = step.out_shape()[2:]
    if groups < 1 or kernels % groups or channels != per_group * groups:
        raise NotUnderstood(f"{kernels} kernels of {per_group} channels do not fit {groups} groups")
    if len(size) > 2:
        macs = batch * kernels * per_group * prod(taps) * prod(out)
        raise _too_many(len(size), macs)
    fields = {"b": batch, "g": groups, "k": kernels // groups, "c": per_group}
    fields |= _spatial(step, size, taps, out, pads=pads_before(step, size, taps))
    step.nest(fields, data, weight, extras=[bias])


def transposed_convolution(step: Operator) -> None:
    """ConvTranspose; the lowering makes ordinary convolutions of it."""
    groups = int(step.attributes.get("group", 1))
    batch, channels, *size = step.shape(0)
    from_channels, per_group, *taps = step.shape(1)
    if groups < 1 or channels % groups or channels != from_channels:
        raise NotUnderstood(f"{channels} channels do not fit {groups} groups")
    data, weight, out = step.input(0), step.input(1), step.out_shape()[2:]
    if len(size) > 2:
        macs = batch * channels * per_group * prod(taps) * prod(size)
        raise _too_many(len(size), macs)
    fields = {"b": batch, "g": groups, "k": per_group, "c": channels // groups}
    pads = _transposed_pads(step, size, taps, out)
    fields |= _spatial(step, size, taps, out, pads=pads)
    bias = step.inputs[2] if step.has_input(2) else None
    step.nest(fields, data, weight, extras=[bias], op="conv_transpose")


def _too_many(dims: int, macs: int) -> NotUnderstood:
    return NotUnderstood(f"a convolution over {dims} dimensions is not modelled", macs=macs)


def _spatial(
    step: Operator,
    size: Sequence[int],
    taps: Sequence[int],
    out: Sequence[int],
    *,
    pads: Sequence[int],
) -> dict[str, int]:
    """Return the fields of height and width; the one dimension of a 1-D convolution is x."""
    strides, dilations = each_axis(step, "strides", size), each_axis(step, "dilations", size)
    fields: dict[str, int] = {}
    for place, axis in enumerate(AXES[2 - len(size) :]):
        fields |= {
            f"o{axis}": out[place],
            f"f{axis}": taps[place],
            f"i{axis}": size[place],
            f"stride_{axis}": strides[place],
            f"dilation_{axis}": dilations[place],
            f"pad_{axis}": pads[place],
        }
    return fields


def each_axis(step: Operator, key: str, size: Sequence[int]) -> list[int]:
    """Return the values of an attribute that has one for each axis, 1 where it is not given."""
    values: Any = step.attributes.get(key) or [1] * len(size)
    if len(values) != len(size):
        raise NotUnderstood(f"{key} must have {len(size)} values, got {list(values)}")
    return [int(x) for x in values]


def pads_before(step: Operator, size: Sequence[int], taps: Sequence[int]) -> list[int]:
    """Return the padding before the first row of each axis."""
    mode = step.attributes.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", ""):
        pads: Any = step.attributes.get("pads") or [0] * 2 * len(size)
        return [int(x) for x in pads[: len(size)]]
    if mode == "VALID":
        return [0] * len(size)
    strides, dilations = each_axis(step, "strides", size), each_axis(step, "dilations", size)
    totals = [
        max(0, (-(-n // s) - 1) * s + (f - 1) * d + 1 - n)
        for n, f, s, d in zip(size, taps, strides, dilations, strict=True)
    ]
    return _halves(totals, mode)


def _transposed_pads(
    step: Operator, size: Sequence[int], taps: Sequence[int], out: Sequence[int]
) -> list[int]:
    """Return what is cut off before the first output of each axis."""
    mode = step.attributes.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", "", "VALID") and not step.attributes.get("output_shape"):
        return pads_before(step, size, taps)
    strides, dilations = each_axis(step, "strides", size), each_axis(step, "dilations", size)
    further: Any = step.attributes.get("output_padding") or [0] * len(size)
    totals = [
        max(0, s * (n - 1) + int(p) + (f - 1) * d + 1 - o)
        for n, f, s, d, o, p in zip(size, taps, strides, dilations, out, further, strict=True)
    ]
    return _halves(totals, "SAME_UPPER" if mode == "SAME_UPPER" else "SAME_LOWER")


def _halves(totals: Sequence[int], mode: str) -> list[int]:
    """Return the part before: the smaller half, or the larger one for SAME_LOWER."""
    return [x - x // 2 if mode == "SAME_LOWER" else x // 2 for x in totals]
