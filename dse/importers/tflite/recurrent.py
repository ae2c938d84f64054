"""Recurrent layers of .tflite: a matrix for each gate, a projection where there is one."""

from collections.abc import Sequence
from typing import Any

from dse.importers.drafts import Draft, NotUnderstood, Tensor
from dse.importers.onnx.constants import learn
from dse.importers.onnx.node import Operator, own

GATES = 4
"""Input, forget, cell and output; one whose input matrix is absent is made from another."""

SPAN = 17
"""Inputs of one direction: matrices, peepholes, biases, and the projection with its bias."""


def lstm(step: Operator, options: Any) -> None:
    """LSTM and UNIDIRECTIONAL_SEQUENCE_LSTM."""
    if len(step.inputs) < SPAN + 1:
        raise NotUnderstood("an LSTM of one joined matrix is not modelled", macs=_joined_macs(step))
    is_time_first = bool(options is not None and getattr(options, "TimeMajor", bool)())
    _finish(step, [_lstm_direction(step, 1, is_time_first=is_time_first)])


def lstm_both(step: Operator, options: Any) -> None:
    """BIDIRECTIONAL_SEQUENCE_LSTM: the matrices of one direction, then those of the other."""
    is_time_first = bool(options is not None and options.TimeMajor())
    made = [
        _lstm_direction(step, base, suffix=suffix, is_time_first=is_time_first)
        for base, suffix in ((1, ".forward"), (1 + SPAN, ".backward"))
    ]
    _finish(step, made)


def rnn(step: Operator, options: Any) -> None:
    """RNN and UNIDIRECTIONAL_SEQUENCE_RNN: an input matrix and a recurrent one."""
    is_time_first = bool(options is not None and getattr(options, "TimeMajor", bool)())
    parts = [step.input(1)], [step.input(2)]
    _finish(step, [_direction(step, *parts, extras=step.inputs[3:4], is_time_first=is_time_first)])


def _joined_macs(step: Operator) -> int:
    """Return the MACs of the old LSTM, whose third input is the matrix of all gates."""
    rows, columns = step.shape(2)
    return step.shape(0)[0] * rows * columns


def _lstm_direction(
    step: Operator, base: int, *, is_time_first: bool, suffix: str = ""
) -> tuple[Draft, ...]:
    groups = [step.inputs[base + start : base + start + GATES] for start in (0, GATES)]
    inputs, states = ([x for x in group if x is not None] for group in groups)
    extras = step.inputs[base + 2 * GATES : base + SPAN - 2]
    projection = step.inputs[base + SPAN - 2 : base + SPAN]
    return _direction(
        step,
        inputs,
        states,
        extras=extras,
        projection=projection,
        suffix=suffix,
        is_time_first=is_time_first,
    )


def _direction(
    step: Operator,
    inputs: Sequence[Tensor],
    states: Sequence[Tensor],
    *,
    extras: Sequence[Tensor | None],
    is_time_first: bool,
    projection: Sequence[Tensor | None] = (),
    suffix: str = "",
) -> tuple[Draft, ...]:
    """Add the product of all steps' inputs, and what each step does with the state."""
    rows, steps, features = _sizes(step, is_time_first=is_time_first)
    cells, width = (inputs[0].shape or (0, 0))[0], (states[0].shape or (0, 0))[1]
    if not inputs or len(inputs) != len(states) or (inputs[0].shape or ())[1:] != (features,):
        raise NotUnderstood(f"its matrices do not fit {features} features")
    data, bits = step.input(0), step.input(0).bits
    gates = Tensor(f"{step.name}.gates", (rows, steps, cells * len(inputs)), bits)
    first = step.nest(
        {"b": rows, "oy": steps, "k": cells * len(inputs), "c": features},
        data,
        _whole(inputs),
        suffix=f"{suffix}.input",
        extras=_learned(step, extras),
        output=gates,
    )
    state = Tensor(f"{step.name}.state", (rows, width), bits, sources=(first,))
    each = {"b": rows, "repeat": steps, "sequential": True}
    fields = {**each, "k": cells * len(inputs), "c": width}
    hidden = Tensor(f"{step.name}.hidden", (rows, cells), bits)
    made = step.nest(fields, state, _whole(states), suffix=f"{suffix}.recurrent", output=hidden)
    if not any(projection):
        return (made,)
    weight, bias = projection[0], projection[1:]
    if weight is None:
        raise NotUnderstood("its projection has no weights")
    fields = {**each, "k": width, "c": cells}
    return (
        step.nest(
            fields,
            hidden,
            weight,
            suffix=f"{suffix}.projection",
            extras=_learned(step, bias),
            output=Tensor(f"{step.name}.projected", (rows, width), bits),
        ),
    )


def _sizes(step: Operator, *, is_time_first: bool) -> tuple[int, int, int]:
    """Return sequences, steps and features; an input of two dimensions is one step."""
    *outer, features = step.shape(0)
    if len(outer) == 1:
        return outer[0], 1, features
    rows, steps = reversed(outer) if is_time_first else outer
    return rows, steps, features


def _whole(parts: Sequence[Tensor]) -> Tensor:
    """Return the matrices of all gates as one."""
    return Tensor(
        parts[0].name,
        parts[0].shape,
        parts[0].bits,
        is_constant=all(x.is_constant for x in parts),
        origins=frozenset(name for x in parts for name in x.origins),
    )


def _learned(step: Operator, tensors: Sequence[Tensor | None]) -> list[Tensor]:
    """Return the learned tensors among these: biases are whole numbers of 32 bits."""
    found = [x for x in tensors if x is not None and x.is_constant]
    for tensor in found:
        if not tensor.origins:
            learn(tensor, step.network)
    return found


def _finish(step: Operator, made: Sequence[tuple[Draft, ...]]) -> None:
    """Make the last layers of all directions the writers of the outputs."""
    last = [drafts[-1] for drafts in made]
    for place, tensor in enumerate(step.written):
        own(tensor, last[min(place, len(last) - 1)])
        if len(step.written) == 1:
            tensor.sources = tuple(last)
