"""Sequences of tensors: what goes in and what comes out are the same elements, addressed."""

from collections.abc import Callable, Sequence

import numpy as np

from dse.importers.drafts import NotUnderstood, Tensor, least_certain
from dse.importers.onnx.node import Operator
from dse.importers.onnx.operators.without_macs import addressed


def holds(tensor: Tensor, items: Sequence[Tensor]) -> None:
    """Make a tensor the sequence of these; who reads it reads them all."""
    tensor.items, tensor.is_constant, tensor.shape = tuple(items), False, None
    tensor.certainty = least_certain(items)
    tensor.bits = max((x.bits for x in items), default=tensor.bits)
    tensor.sources = tuple({id(x): x for item in items for x in item.sources}.values())
    tensor.origins = frozenset(name for item in items for name in item.origins)


def _items(tensor: Tensor) -> tuple[Tensor, ...]:
    if tensor.items is None:
        raise NotUnderstood("what its sequence holds is not known")
    return tensor.items


def _place(step: Operator, index: int, default: int, count: int) -> int:
    """Return a place in a sequence: as given, else ``default``; one that data decide is 0."""
    if not step.has_input(index):
        return default
    value = step.input(index).value
    place = 0 if value is None else int(value.reshape(-1)[0])
    return place + count if place < 0 else place


def constructed(step: Operator) -> None:
    """SequenceConstruct, and SequenceEmpty, which has no inputs."""
    holds(step.output(), step.given)


def inserted(step: Operator) -> None:
    """SequenceInsert: at a place, else at the end."""
    items = list(_items(step.input(0)))
    items.insert(_place(step, 2, len(items), len(items)), step.input(1))
    holds(step.output(), items)


def erased(step: Operator) -> None:
    """SequenceErase: at a place, else the last."""
    items = list(_items(step.input(0)))
    del items[_place(step, 1, len(items) - 1, len(items))]
    holds(step.output(), items)


def taken(step: Operator) -> None:
    """SequenceAt: the same elements."""
    items, output = _items(step.input(0)), step.output()
    item = items[_place(step, 1, 0, len(items))]
    output.follow(item)
    output.shape, output.element_type, output.value = item.shape, item.element_type, item.value


def split(step: Operator) -> None:
    """SplitToSequence: into parts of one length or of given ones, or one row each."""
    data, shape = step.input(0), list(step.shape(0))
    axis = int(step.attributes.get("axis", 0)) % len(shape)
    are_rows = not step.has_input(1)
    lengths = _lengths(step, shape[axis])
    parts = []
    for place, length in enumerate(lengths):
        own = [*shape[:axis], length, *shape[axis + 1 :]]
        if are_rows and not int(step.attributes.get("keepdims", 1)):
            del own[axis]
        part = Tensor(f"{step.output().name}.{place}", tuple(own), data.bits, data.element_type)
        part.sources, part.certainty, part.origins = data.sources, data.certainty, data.origins
        part.is_constant = data.is_constant
        parts.append(part)
    holds(step.output(), parts)


def _lengths(step: Operator, size: int) -> list[int]:
    if not step.has_input(1):
        return [1] * size
    value = step.input(1).value
    if value is None:
        raise NotUnderstood("the lengths of its parts depend on the data")
    if value.ndim:
        return [int(x) for x in value]
    each = int(value)
    return [min(each, size - start) for start in range(0, size, each)]


def joined(step: Operator) -> None:
    """ConcatFromSequence: along an axis, or a new one."""
    items, output = _items(step.input(0)), step.output()
    if any(x.shape is None for x in items) or not items:
        raise NotUnderstood("the shapes of its sequence are not known")
    shape, axis = list(items[0].shape or ()), int(step.attributes["axis"])
    if int(step.attributes.get("new_axis", 0)):
        shape.insert(axis % (len(shape) + 1), len(items))
    else:
        shape[axis] = sum((x.shape or ())[axis] for x in items)
    output.shape, output.element_type = tuple(shape), items[0].element_type
    output.bits = max(x.bits for x in items)
    addressed(step)


def counted(step: Operator) -> None:
    """SequenceLength, and OptionalHasElement: known before the network runs."""
    output = step.output()
    is_length = step.op == "SequenceLength"
    value = np.array(len(_items(step.input(0)))) if is_length else np.array(bool(step.given))
    output.shape, output.is_constant, output.value = (), True, value
    output.element_type = 7 if is_length else 9


HANDLERS: dict[str, Callable[[Operator], None]] = {
    "SequenceConstruct": constructed,
    "SequenceEmpty": constructed,
    "SequenceInsert": inserted,
    "SequenceErase": erased,
    "SequenceAt": taken,
    "SequenceLength": counted,
    "OptionalHasElement": counted,
    "SplitToSequence": split,
    "ConcatFromSequence": joined,
}
"""Operators that are understood by what a sequence holds; never folded."""
