"""Shapes that depend on the data, at their largest."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from dse.importers.drafts import Tensor

BOUNDED = frozenset({"NonZero", "NonMaxSuppression", "Compress", "Unique"})
"""Operators that write as many elements as the data say."""


def bounded_shapes(
    op: str, inputs: Sequence[Tensor | None], attributes: Mapping[str, Any], count: int
) -> list[tuple[int, ...]]:
    """Return the largest shapes of an operator's outputs; empty where an input's is not known.

    Parameters
    ----------
    count
        Outputs that the operator has.
    """
    data = inputs[0] if inputs else None
    if op not in BOUNDED or data is None or data.shape is None:
        return []
    axis = attributes.get("axis")
    if op == "NonZero":
        return [(max(len(data.shape), 1), data.elements)]
    if op == "NonMaxSuppression":
        return _kept(inputs)
    if op == "Compress":
        return [data.shape if axis is not None else (data.elements,)]
    rows = data.elements if axis is None else data.shape[int(axis)]
    return [(rows,) if axis is None else data.shape, *[(rows,)] * (count - 1)]


def _kept(inputs: Sequence[Tensor | None]) -> list[tuple[int, ...]]:
    """Return the rows of non-maximum suppression: each class may keep so many boxes."""
    scores, most = inputs[1], inputs[2] if len(inputs) > 2 else None
    if scores is None or scores.shape is None:
        return []
    kept = scores.shape[-1]
    if most is not None and most.value is not None:
        kept = min(kept, max(int(most.value.reshape(-1)[0]), 0))
    return [(prod(scores.shape[:-1]) * kept, 3)]
