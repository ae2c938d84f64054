"""Recurrent layers: each direction is a layer of its own, lowered where the YAML is read."""

from dse.importers.drafts import Draft, NotUnderstood
from dse.importers.onnx.node import Operator, own
from dse.workload.lowering import RECURRENT_GATES

DIRECTIONS = ("forward", "backward")


def recurrent(step: Operator) -> None:
    """LSTM, GRU and RNN, in one direction or both; the quantised LSTM of com.microsoft."""
    steps, batch, features = step.shape(0)
    if step.attributes.get("layout", 0):
        steps, batch = batch, steps
    directions, *sides = step.shape(2)
    is_quantised = step.op == "DynamicQuantizeLSTM"  # its matrices are the other way round
    hidden = sides[0] if is_quantised else sides[1]
    fields = {"b": batch, "k": hidden, "c": features, "oy": steps}
    made: list[Draft] = []
    if step.network.repeat > 1:
        gates = 4 if is_quantised else RECURRENT_GATES[step.op.lower()]
        macs = directions * gates * hidden * (features + hidden) * steps * batch
        raise NotUnderstood("a recurrent layer inside a loop is not modelled", macs=macs)
    output = step.written[0]
    for direction in DIRECTIONS[:directions]:
        suffix = f".{direction}" if directions > 1 else ""
        made.append(
            step.nest(
                fields,
                step.input(0),
                step.input(1),
                op="lstm" if is_quantised else step.op.lower(),
                suffix=suffix,
                output=output,
            )
        )
    parts = [*step.inputs[1:4], *step.inputs[7:8]]  # matrices, biases, peepholes
    learned = frozenset(name for x in parts if x is not None for name in x.origins)
    for draft in made:
        draft.weights = learned
    for tensor in step.written:
        own(tensor, made[0])
        tensor.sources = tuple(made)
