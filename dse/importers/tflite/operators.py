"""What each operator of .tflite becomes: one of ONNX with the same inputs, or a loop nest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from dse.importers.drafts import NotUnderstood, Tensor
from dse.importers.onnx.constants import learn
from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators.products import multiply
from dse.importers.onnx.operators.table import HANDLERS

SAME = 0
"""The padding of the schema that makes as many outputs as strides fit; the other has none."""


def _first(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape with its channels, which are last, after the batch."""
    return (shape[0], shape[-1], *shape[1:-1])


def _channels_first(
    step: Operator, op: str, attributes: Mapping[str, Any], inputs: Sequence[Tensor | None]
) -> None:
    """Translate as an operator of ONNX that has channels second."""
    output = step.output()
    seen = replace(output, shape=_first(step.out_shape()))
    inner = replace(step, op=op, attributes=attributes, inputs=inputs, outputs=[seen])
    HANDLERS[op](inner)
    output.follow(seen)


def _bias(step: Operator, place: int) -> Tensor | None:
    """Return a bias, which is learned though its elements are whole numbers of 32 bits."""
    if not step.has_input(place):
        return None
    bias = step.input(place)
    if bias.is_constant and not bias.origins:
        learn(bias, step.network)
    return bias


def _seen(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """Return a tensor's elements in another shape."""
    return replace(tensor, shape=tuple(shape))


def _strides(options: Any, axes: int) -> list[int]:
    strides = [options.StrideH(), options.StrideW()]
    return [options.StrideD(), *strides] if axes == 3 else strides


def _dilations(options: Any, axes: int) -> list[int]:
    dilations = [options.DilationHFactor(), options.DilationWFactor()]
    return [options.DilationDFactor(), *dilations] if axes == 3 else dilations


def _windows(options: Any, strides: Sequence[int], **more: Sequence[int]) -> dict[str, Any]:
    """Return strides, padding and more as attributes of ONNX."""
    if min(strides) < 1:
        raise NotUnderstood(f"strides must be at least 1, got {list(strides)}")
    padding = "SAME_UPPER" if options.Padding() == SAME else "VALID"
    return {"strides": list(strides), "auto_pad": padding, **more}


def _check_windows(
    step: Operator, attributes: Mapping[str, Any], size: Sequence[int], taps: Sequence[int]
) -> None:
    """Check that an output has the size that its windows make."""
    dilations = attributes.get("dilations") or [1] * len(size)
    out = step.out_shape()[1:-1]
    for o, n, f, s, d in zip(out, size, taps, attributes["strides"], dilations, strict=True):
        rest = n if attributes["auto_pad"] == "SAME_UPPER" else n - (f - 1) * d
        if o != -(-rest // s):
            raise NotUnderstood(f"an output of {list(out)} is not what its windows make")


def _convolve(step: Operator, options: Any, weight: Tensor, attributes: dict[str, Any]) -> None:
    data = step.input(0)
    shape, (kernels, _, *taps) = step.shape(0), weight.shape or (0, 0)
    axes = len(taps)
    windows = (
        _windows(options, _strides(options, axes), dilations=_dilations(options, axes)) | attributes
    )
    _check_windows(step, windows, shape[1:-1], taps)
    if step.out_shape()[-1] != kernels:
        raise NotUnderstood(f"{kernels} kernels do not make {step.out_shape()[-1]} channels")
    inputs = [_seen(data, _first(shape)), weight, _bias(step, 2)]
    _channels_first(step, "Conv", windows, inputs)


def convolution(step: Operator, options: Any) -> None:
    """CONV_2D: kernels first and channels last; groups by how many channels a kernel has."""
    kernels, *taps, own = step.shape(1)
    groups = step.shape(0)[-1] // own
    _convolve(step, options, _seen(step.input(1), (kernels, own, *taps)), {"group": groups})


def depthwise(step: Operator, options: Any) -> None:
    """DEPTHWISE_CONV_2D: a few kernels for each channel."""
    _, *taps, kernels = step.shape(1)
    weight = _seen(step.input(1), (kernels, 1, *taps))
    _convolve(step, options, weight, {"group": step.shape(0)[-1]})


def volume(step: Operator, options: Any) -> None:
    """CONV_3D: taps first, then channels and kernels."""
    *taps, own, kernels = step.shape(1)
    groups = step.shape(0)[-1] // own
    _convolve(step, options, _seen(step.input(1), (kernels, own, *taps)), {"group": groups})


def transposed(step: Operator, options: Any) -> None:
    """TRANSPOSE_CONV: the output's shape, the weights, the input."""
    kernels, *taps, own = step.shape(1)
    shape, out = step.shape(2), step.out_shape()
    if out[-1] != kernels or own != shape[-1] or shape[0] != out[0]:
        raise NotUnderstood(f"{kernels} kernels of {own} channels do not fit")
    attributes = _windows(options, _strides(options, len(taps)))
    attributes |= {"output_shape": list(out[1:-1])} if options.Padding() == SAME else {}
    weight = _seen(step.input(1), (own, kernels, *taps))
    inputs = [_seen(step.input(2), _first(shape)), weight, _bias(step, 3)]
    _channels_first(step, "ConvTranspose", attributes, inputs)


def pool(step: Operator, options: Any, *, op: str) -> None:
    """Pooling in two dimensions."""
    taps = [options.FilterHeight(), options.FilterWidth()]
    attributes = _windows(options, _strides(options, 2), kernel_shape=taps)
    _check_windows(step, attributes, step.shape(0)[1:-1], taps)
    data = step.input(0)
    _channels_first(step, op, attributes, [_seen(data, _first(step.shape(0)))])


def fully_connected(step: Operator, _: Any) -> None:
    """FULLY_CONNECTED: rows of as many elements as a kernel has."""
    kernels, own = step.shape(1)
    rows = prod(step.shape(0)) // max(own, 1)
    if rows * own != prod(step.shape(0)) or rows * kernels != prod(step.out_shape()):
        raise NotUnderstood(f"{kernels} kernels of {own} do not fit {list(step.shape(0))}")
    data, extras = _seen(step.input(0), (rows, own)), [_bias(step, 2)]
    multiply(step, data, step.input(1), weight_is_transposed=True, extras=extras)


def batched_product(step: Operator, options: Any) -> None:
    """BATCH_MATMUL of two maps, or of a map and weights."""
    multiply(
        step,
        step.input(0),
        step.input(1),
        data_is_transposed=bool(options and options.AdjX()),
        weight_is_transposed=bool(options and options.AdjY()),
    )


def embedding(step: Operator, _: Any) -> None:
    """EMBEDDING_LOOKUP: rows first, then their table."""
    HANDLERS["Gather"](replace(step, op="Gather", inputs=[step.input(1), step.input(0)]))


def filter_steps(step: Operator, _: Any) -> None:
    """SVDF: filters over features, then over the steps that a state remembers."""
    (rows, features), (filters, own), memory = step.shape(0), step.shape(1), step.shape(2)[1]
    if own != features or step.shape(2)[0] != filters:
        raise NotUnderstood(f"{filters} filters of {own} do not fit {features} features")
    data, bias = step.input(0), _bias(step, 3)
    state = Tensor(f"{step.name}.state", (rows, filters, memory), data.bits)
    step.nest({"b": rows, "k": filters, "c": features}, data, step.input(1),
              suffix=".features", output=state)  # fmt: skip
    fields = {"b": rows, "g": filters, "c": memory}
    step.nest(fields, state, step.input(2), suffix=".steps", extras=[bias])
