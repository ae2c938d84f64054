"""Convolutions, plain, transposed and quantised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from dse.importers.drafts import NotUnderstood, Tensor
from dse.importers.onnx.node import Operator
from dse.workload.lowering import axis_phases

AXES = ("y", "x")

FOLDED = (
    "Convolutions over three dimensions read a plane once for each output plane that it reaches "
    "(dse/docs/model.md#layers)"
)
FILLED = (
    "ONNX Runtime wrote this file for one processor: channels filled up to whole blocks are "
    "counted as the file has them"
)


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


def blocked_convolution(step: Operator) -> None:
    """Conv of onnxruntime's blocked form: channels filled up to whole blocks, a map added."""
    data, weight = step.input(0), step.input(1)
    kernels, per_group, *_ = step.shape(1)
    groups = int(step.attributes.get("group", 1))
    groups = kernels if groups > 1 and per_group == 1 else groups
    step.network.note(FILLED)
    filled = replace(data, shape=(step.shape(0)[0], per_group * groups, *step.shape(0)[2:]))
    inner = replace(step, attributes={**step.attributes, "group": groups})
    _convolve(inner, filled, weight, step.inputs[2] if step.has_input(2) else None)
    if step.has_input(3):
        added = [step.output(), step.input(3)]
        step.pass_over("add", added, writes=[step.output()], suffix=".add")


def quantised_convolution(step: Operator) -> None:
    """QLinearConv: scales and zero points stand between the operands."""
    bias = step.inputs[8] if step.has_input(8) else None
    _convolve(step, step.input(0), step.input(3), bias)


def deformable_convolution(step: Operator) -> None:
    """DeformConv: the products of a convolution, at places that a map of offsets says."""
    bias = step.inputs[3] if step.has_input(3) else None
    _convolve(step, step.input(0), step.input(1), bias)
    maps = [step.input(place) for place in (2, 4) if step.has_input(place)]
    before = step.output().sources
    step.pass_over("other", [x for x in maps if not x.is_constant], writes=[], suffix=".offsets")
    step.output().sources = before


def causal_convolution(step: Operator) -> None:
    """CausalConvWithState: each channel with its own taps, over what came before."""
    batch, channels, length = step.shape(0)
    taps = step.shape(1)[-1]
    axis = WindowAxis(size=length, taps=taps, out=length, stride=1, dilation=1, pad=taps - 1)
    fields = {"b": batch, "g": channels, "k": 1, "c": 1, **_spatial([axis])}
    step.nest(fields, step.input(0), step.input(1), extras=list(step.inputs[2:3]))
    for tensor in step.written[1:]:
        tensor.sources = step.output().sources


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowAxis:
    """One axis of a convolution. [elements]."""

    size: int
    taps: int
    out: int
    stride: int
    dilation: int
    pad: int

    @property
    def reads(self) -> float:
        """How often each of its rows is read if each output reads its own."""
        return self.out * self.taps / max(self.size, 1)


def _convolve(step: Operator, data: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if data.shape is None or weight.shape is None:
        raise NotUnderstood("the shape of an operand is not known")
    groups = int(step.attributes.get("group", 1))
    is_last = step.op == "NhwcFusedConv" or bool(step.attributes.get("channels_last", 0))
    batch, channels, *size = _channels_first(data.shape) if is_last else data.shape
    kernels, per_group, *taps = weight.shape
    out = (_channels_first(step.out_shape()) if is_last else step.out_shape())[2:]
    if groups < 1 or kernels % groups or channels != per_group * groups:
        raise NotUnderstood(f"{kernels} kernels of {per_group} channels do not fit {groups} groups")
    if len(size) > len(AXES) + 1:
        macs = batch * kernels * per_group * prod(taps) * prod(out)
        raise _too_many(len(size), macs)
    axes = _axes(step, size, taps, out, pads=pads_before(step, size, taps))
    fields = {"b": batch, "g": groups, "k": kernels // groups, "c": per_group}
    if len(axes) > len(AXES):  # the axis whose windows overlap least, as further channels
        folded = min(axes, key=lambda x: x.reads)
        axes.remove(folded)
        fields |= {"b": batch * folded.out, "c": per_group * folded.taps}
        if folded.reads > 1:
            step.network.note(FOLDED)
    step.nest(fields | _spatial(axes), data, weight, extras=[bias])


def _channels_first(shape: Sequence[int]) -> tuple[int, ...]:
    return (shape[0], shape[-1], *shape[1:-1])


def transposed_convolution(step: Operator) -> None:
    """ConvTranspose; the lowering makes ordinary convolutions of it."""
    groups = int(step.attributes.get("group", 1))
    batch, channels, *size = step.shape(0)
    from_channels, per_group, *taps = step.shape(1)
    if groups < 1 or channels % groups or channels != from_channels:
        raise NotUnderstood(f"{channels} channels do not fit {groups} groups")
    out = step.out_shape()[2:]
    if len(size) > len(AXES) + 1:
        macs = batch * channels * per_group * prod(taps) * prod(size)
        raise _too_many(len(size), macs)
    fields = {"b": batch, "g": groups, "k": per_group, "c": channels // groups}
    axes = _axes(step, size, taps, out, pads=_transposed_pads(step, size, taps, out))
    if len(axes) > len(AXES):
        return _transposed_volume(step, fields, axes)
    bias = step.inputs[2] if step.has_input(2) else None
    fields |= _spatial(axes)
    step.nest(fields, step.input(0), step.input(1), extras=[bias], op="conv_transpose")
    return None


def _transposed_volume(step: Operator, fields: Mapping[str, int], axes: list[WindowAxis]) -> None:
    """Add a transposed convolution over planes for each phase of the third axis."""
    folded = min(axes, key=lambda x: x.taps / x.stride)
    rest = [x for x in axes if x is not folded]
    phases = axis_phases(
        out=folded.out,
        taps=folded.taps,
        size=folded.size,
        stride=folded.stride,
        pad=folded.pad,
        dilation=folded.dilation,
    )
    bias = step.inputs[2] if step.has_input(2) else None
    made = []
    for phase in phases:
        own = {"b": fields["b"] * len(phase.outputs), "c": fields["c"] * len(phase.taps)}
        if not phase.inputs:  # the bias alone
            continue
        made.append(
            step.nest(
                {**fields, **own, **_spatial(rest)},
                step.input(0),
                step.input(1),
                extras=[bias],
                op="conv_transpose",
                suffix=f".z{phase.outputs.start}",
            )
        )
    step.output().sources = tuple(made)


def _too_many(dims: int, macs: int) -> NotUnderstood:
    return NotUnderstood(f"a convolution over {dims} dimensions is not modelled", macs=macs)


def _axes(
    step: Operator,
    size: Sequence[int],
    taps: Sequence[int],
    out: Sequence[int],
    *,
    pads: Sequence[int],
) -> list[WindowAxis]:
    strides, dilations = each_axis(step, "strides", size), each_axis(step, "dilations", size)
    parts = zip(size, taps, out, strides, dilations, pads, strict=True)
    return [
        WindowAxis(size=n, taps=f, out=o, stride=s, dilation=d, pad=p) for n, f, o, s, d, p in parts
    ]


def _spatial(axes: Sequence[WindowAxis]) -> dict[str, int]:
    """Return the fields of height and width; the one dimension of a 1-D convolution is x."""
    fields: dict[str, int] = {}
    for axis, name in zip(axes, AXES[2 - len(axes) :], strict=True):
        fields |= {
            f"o{name}": axis.out,
            f"f{name}": axis.taps,
            f"i{name}": axis.size,
            f"stride_{name}": axis.stride,
            f"dilation_{name}": axis.dilation,
            f"pad_{name}": axis.pad,
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
