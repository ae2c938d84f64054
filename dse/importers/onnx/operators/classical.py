"""Classifiers and regressors of ai.onnx.ml, whose coefficients are attributes."""

from math import prod
from typing import Any

from dse.importers.drafts import NotUnderstood, Tensor
from dse.importers.onnx.node import Operator


def linear(step: Operator) -> None:
    """LinearClassifier and LinearRegressor: a row of coefficients for each class or target."""
    rows, features = _rows(step)
    weight = _learned(step, "coefficients", features)
    _product(step, rows, step.input(0), weight, step.written[-1])


def support_vectors(step: Operator) -> None:
    """SVMClassifier and SVMRegressor: kernels of all support vectors, then their weighted sums."""
    rows, features = _rows(step)
    if not step.attributes.get("support_vectors"):
        return linear(step)
    vectors = _learned(step, "support_vectors", features)
    count = (vectors.shape or (0, 0))[1]
    weight = _learned(step, "coefficients", count)
    kernels = Tensor("kernels", (rows, count), 32)
    _product(step, rows, step.input(0), vectors, kernels, suffix=".kernels")
    return _product(step, rows, kernels, weight, step.written[-1])


def trees(step: Operator) -> None:
    """TreeEnsemble and its forms: comparisons along one path of each tree, no MACs."""
    draft = step.pass_over("other", [step.input(0)])
    names = ("nodes_values", "nodes_splits")
    values: Any = next((step.attributes[x] for x in names if step.attributes.get(x)), [])
    count = prod(values.dims) if hasattr(values, "dims") else len(values)
    step.network.learned[f"{step.name}.nodes"] = count
    draft.extras.add(f"{step.name}.nodes")


def _rows(step: Operator) -> tuple[int, int]:
    shape = step.shape(0)
    return prod(shape[:-1]), shape[-1]


def _learned(step: Operator, key: str, rows: int) -> Tensor:
    """Return the learned matrix of an attribute, with so many rows."""
    values = step.attributes.get(key) or ()
    if not rows or not values or len(values) % rows:
        raise NotUnderstood(f"{len(values)} {key} do not fit {rows} rows")
    name = f"{step.name}.{key}"
    step.network.learned[name] = len(values)
    shape = (rows, len(values) // rows)
    return Tensor(name, shape, 32, is_constant=True, origins=frozenset({name}))


def _product(
    step: Operator, rows: int, data: Tensor, weight: Tensor, output: Tensor, *, suffix: str = ""
) -> None:
    inner, columns = weight.shape or (1, 1)
    fields = {"oy": rows, "k": columns, "c": inner}
    step.nest(fields, data, weight, output=output, suffix=suffix)
    for tensor in step.written:
        tensor.sources = output.sources
