"""Fourier transforms, as the products with cosines and sines that they are for an array of MACs."""

from math import prod

from dse.importers.drafts import Draft, NotUnderstood, Tensor
from dse.importers.onnx.node import Operator


def transform(step: Operator) -> None:
    """DFT: each row of a signal by a matrix of two columns a bin."""
    *_, parts = step.shape(0)
    *_, out_parts = step.out_shape()
    axis = step.attributes.get("axis", 1)
    if step.has_input(2):
        value = step.input(2).value
        if value is None:
            raise NotUnderstood("its axis depends on the data")
        axis = int(value.reshape(-1)[0])
    length, bins = step.shape(0)[axis], step.out_shape()[axis]
    rows = prod(step.shape(0)) // (length * parts)
    _product(step, rows, length * parts, bins * out_parts)


def short_time_transform(step: Operator) -> None:
    """STFT: each frame of a signal, as for DFT."""
    batch, frames, bins, out_parts = step.out_shape()
    shape = step.shape(0)
    parts = shape[2] if len(shape) > 2 else 1
    if step.has_input(3) and step.input(3).value is not None:
        length = int(step.input(3).value.reshape(-1)[0])  # type: ignore[union-attr]
    elif step.has_input(2):
        length = step.shape(2)[0]
    else:
        raise NotUnderstood("the length of its frames depends on the data")
    _product(step, batch * frames, length * parts, bins * out_parts)


def _product(step: Operator, rows: int, inner: int, columns: int) -> Draft:
    data = step.input(0)
    matrix = Tensor("transform", (inner, columns), data.bits, is_constant=True)
    return step.nest({"oy": rows, "k": columns, "c": inner}, data, matrix)
