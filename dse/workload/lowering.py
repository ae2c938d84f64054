"""Layers that are not one loop nest, as layers that are.

A transposed convolution is as many ordinary convolutions as its stride has phases; a recurrent
layer is a product over all steps at once and a product that the steps repeat in sequence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dse.checks import is_number
from dse.errors import DseError
from dse.workload import Layer

RECURRENT_GATES = {"rnn": 1, "gru": 3, "lstm": 4}
"""Gates of each recurrent layer: each has an input and a recurrent matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisPhase:
    """One phase of a transposed convolution along one axis, as an ordinary convolution.

    Attributes
    ----------
    outputs
        The output rows that it computes: every stride-th one. [rows of the whole output]
    taps
        The filter rows that reach them, in the order in which the ordinary one walks them.
    inputs
        The input rows from the first to the last that is read; empty if none is read.
    pad
        Padding before the first row of ``inputs``. [rows]
    dilation
        Distance in the input of neighbouring taps. [rows]
    """

    outputs: range
    taps: range
    inputs: range
    pad: int
    dilation: int


def axis_phases(
    *, out: int, taps: int, size: int, stride: int, pad: int, dilation: int
) -> list[AxisPhase]:
    """Split ``O[o] += I[i] * W[f], o = i*stride + f*dilation - pad`` by ``o mod stride``.

    Parameters
    ----------
    out, taps, size
        Rows of output, filter and input. [1..]
    stride, pad, dilation
        Rows of the output between neighbouring inputs; rows cut off before the first output;
        rows between neighbouring taps.

    Returns
    -------
    list[AxisPhase]
        At most ``stride`` phases, those with output rows, in the order of their first one.
    """
    phases = []
    for first in range(min(stride, out)):
        outputs = range(first, out, stride)
        reached = [f for f in range(taps) if (first + pad - f * dilation) % stride == 0]
        step = reached[1] - reached[0] if len(reached) > 1 else 1
        # the last tap reads the earliest input: output outputs[q] reads inputs q + offset
        offsets = [(first + pad - f * dilation) // stride for f in reversed(reached)]
        spans = [(max(0, x), min(size, x + len(outputs))) for x in offsets]
        read = [(low, high) for low, high in spans if low < high]
        inputs = range(min(read)[0], max(high for _, high in read)) if read else range(0)
        phases.append(
            AxisPhase(
                outputs=outputs,
                taps=range(reached[-1], reached[0] - 1, -step) if reached else range(0),
                inputs=inputs,
                pad=inputs.start - offsets[0] if read else 0,
                dilation=offsets[1] - offsets[0] if len(offsets) > 1 else 1,
            )
        )
    return phases


def transposed_phases(fields: Mapping[str, Any], axis: str) -> list[AxisPhase]:
    """Return the phases of a transposed convolution along ``axis``, "y" or "x".

    Parameters
    ----------
    fields
        The fields of a `Layer` with the meaning of a transposed convolution: ``iy ix`` is the
        size of what it reads, ``pad`` what is cut off before the first output, ``stride`` and
        ``dilation`` are steps in the output. Without ``iy`` the least one with an output
        padding below the stride is meant.

    Raises
    ------
    DseError
        If the padding is no integer from 0, or leaves no input.
    """
    name = fields.get("name")
    out, taps = fields.get(f"o{axis}", 1), fields.get(f"f{axis}", 1)
    stride, dilation = fields.get(f"stride_{axis}", 1), fields.get(f"dilation_{axis}", 1)
    pad, size = fields.get(f"pad_{axis}", 0), fields.get(f"i{axis}")
    if not is_number(pad, integer=True) or pad < 0:
        raise DseError(f"layer {name!r}.pad_{axis} must be an integer from 0, got {pad!r}")
    if size is None:
        size = (out + 2 * pad - dilation * (taps - 1) - 1) // stride + 1
    if size < 1:
        raise DseError(
            f"layer {name!r}.o{axis} = {out} is less than the {taps} taps make of one input: "
            f"a transposed convolution needs i{axis} of at least 1"
        )
    return axis_phases(out=out, taps=taps, size=size, stride=stride, pad=pad, dilation=dilation)


def lower_transposed(fields: Mapping[str, Any]) -> tuple[Layer, ...]:
    """Return a transposed convolution as ordinary ones that multiply by no inserted zero.

    Parameters
    ----------
    fields
        As in `transposed_phases`, with the other fields of a `Layer`.

    Returns
    -------
    tuple[Layer, ...]
        One layer for each of up to stride_y * stride_x phases, named ``NAME.y0x1`` and so on.
        A phase that no input reaches writes its outputs (the bias) and has no MACs. Parameters
        are those of the whole: the first layer carries the weights that no phase uses.

    Raises
    ------
    DseError
        If a field is out of range.

    Notes
    -----
    Source: dse/docs/model.md#layers; derived in tests/test_lowering.py by running both literally.
    """
    whole = Layer(**{**fields, "op": "mac", "pad_y": 0, "pad_x": 0})  # checks all but padding
    pairs = [(y, x) for y in transposed_phases(fields, "y") for x in transposed_phases(fields, "x")]
    layers = [_phase_layer(whole, y, x, only=len(pairs) == 1) for y, x in pairs]
    missing = whole.parameters - sum(layer.parameters for layer in layers)
    layers[0] = replace(layers[0], extra_parameters=missing)
    return tuple(layers)


def _phase_layer(whole: Layer, y: AxisPhase, x: AxisPhase, *, only: bool) -> Layer:
    name = whole.name if only else f"{whole.name}.y{y.outputs.start}x{x.outputs.start}"
    oy, ox = len(y.outputs), len(x.outputs)
    if not (y.inputs and x.inputs):
        return Layer(
            name=name,
            op="other",
            output_elements=whole.b * whole.g * whole.k * oy * ox,
            output_bits=whole.output_bits,
            repeat=whole.repeat,
            sequential=whole.sequential,
        )
    return replace(
        whole,
        name=name,
        oy=oy,
        ox=ox,
        fy=len(y.taps),
        fx=len(x.taps),
        iy=len(y.inputs),
        ix=len(x.inputs),
        stride_y=1,
        stride_x=1,
        dilation_y=y.dilation,
        dilation_x=x.dilation,
        pad_y=y.pad,
        pad_x=x.pad,
        extra_parameters=0,
    )


def lower_recurrent(op: str, fields: Mapping[str, Any]) -> tuple[Layer, Layer]:
    """Return a recurrent layer as the product of all inputs and the product of each step.

    The gates' elementwise arithmetic is done as outputs leave, like a ReLU, and is no layer.

    Parameters
    ----------
    op
        A key of `RECURRENT_GATES`.
    fields
        Fields of a `Layer`: ``k`` hidden elements, ``c`` input elements, ``oy`` steps, and ``b``,
        bits and ``extra_parameters`` (biases).

    Returns
    -------
    tuple[Layer, Layer]
        ``NAME.input``, with a row for each step of each sequence, and ``NAME.recurrent``, which
        the steps repeat in sequence with one set of weights.

    Raises
    ------
    DseError
        If a field is out of range.

    Notes
    -----
    Source: dse/docs/model.md#layers.
    """
    whole = Layer(**{**fields, "op": "mac"})
    gates, steps = RECURRENT_GATES[op] * whole.k, whole.oy
    rows = steps * whole.b
    inputs = replace(
        whole, name=f"{whole.name}.input", b=1, k=gates, oy=rows, iy=rows, batch_loop="oy"
    )
    recurrent = replace(
        whole,
        name=f"{whole.name}.recurrent",
        k=gates,
        c=whole.k,
        oy=1,
        iy=1,
        repeat=steps,
        sequential=True,
        extra_parameters=0,
    )
    return inputs, recurrent
