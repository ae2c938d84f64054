"""Matrix products: of activations and weights, of two activations, batched and broadcast."""

from collections.abc import Sequence
from math import prod
from typing import Any

from dse.importers.drafts import NotUnderstood, Tensor
from dse.importers.onnx.node import Operator, batched, known_shape


def matmul(step: Operator) -> None:
    """MatMul and MatMulInteger: (..., M, K) by (..., K, N), leading dimensions broadcast."""
    multiply(step, step.input(0), step.input(1))


def quantised_matmul(step: Operator) -> None:
    """QLinearMatMul and QGemm: scales and zero points stand between the operands."""
    bias = step.inputs[6] if step.op == "QGemm" and step.has_input(6) else None
    multiply(step, step.input(0), step.input(3), extras=[bias], **_transposed(step))


def fused_matmul(step: Operator) -> None:
    """FusedMatMul, and the contrib products whose third input is no matrix."""
    place = {"DynamicQuantizeMatMul": 4, "MatMulIntegerToFloat": 6, "GemmFastGelu": 2}.get(step.op)
    bias = step.inputs[place] if place is not None and step.has_input(place) else None
    multiply(step, step.input(0), step.input(1), extras=[bias], **_transposed(step))


def gemm(step: Operator) -> None:
    """Gemm and FusedGemm; a C that is an activation is a sum of its own."""
    addend = step.inputs[2] if step.has_input(2) else None
    bias = addend if addend is not None and addend.is_constant else None
    multiply(step, step.input(0), step.input(1), extras=[bias], **_transposed(step))
    if addend is not None and bias is None:
        output = step.output()
        step.pass_over("add", [output, addend], writes=[output], suffix=".add")


def block_quantised_matmul(step: Operator) -> None:
    """MatMulNBits of com.microsoft: weights of N x K in blocks of few bits."""
    k, n = int(step.attributes.get("K", 0)), int(step.attributes.get("N", 0))
    bits = int(step.attributes.get("bits", 4))
    weight = step.input(1)
    weight.bits = bits
    step.network.learned |= dict.fromkeys(weight.origins, n * k)
    bias = step.inputs[5] if step.has_input(5) else None
    rows = prod(step.shape(0)) // max(k, 1)
    step.nest({"oy": rows, "k": n, "c": k}, step.input(0), weight, extras=[bias])


def experts(step: Operator) -> None:
    """MoE and QMoE of com.microsoft: their MACs are known, which experts run is not."""
    rows, count = prod(step.shape(0)[:-1]), int(step.attributes.get("k", 1))
    weights = [x for x in step.given if x.shape and len(x.shape) == 3]
    width = step.shape(0)[-1]
    halves = 2 if step.op == "QMoE" and weights and width not in (weights[0].shape or ()) else 1
    macs = rows * count * halves * sum(prod((x.shape or ())[1:]) for x in weights)
    raise NotUnderstood("which experts run depends on the data", macs=macs)


def _transposed(step: Operator) -> dict[str, Any]:
    keys = {
        "data_is_transposed": "transA",
        "weight_is_transposed": "transB",
        "data_is_moved": "transBatchA",
        "weight_is_moved": "transBatchB",
    }
    return {name: bool(step.attributes.get(key, 0)) for name, key in keys.items()}


def multiply(
    step: Operator,
    data: Tensor,
    weight: Tensor,
    *,
    data_is_transposed: bool = False,
    weight_is_transposed: bool = False,
    data_is_moved: bool = False,
    weight_is_moved: bool = False,
    extras: Sequence[Tensor | None] = (),
) -> None:
    """Add the loop nest of a product; the constant operand, if there is one, is the weight."""
    left = list(batched(known_shape(data, "the left matrix"), is_moved=data_is_moved))
    right = list(batched(known_shape(weight, "the right matrix"), is_moved=weight_is_moved))
    left = [1, *left] if len(left) == 1 else left
    right = [*right, 1] if len(right) == 1 else right
    left[-2:] = left[:-3:-1] if data_is_transposed else left[-2:]
    right[-2:] = right[:-3:-1] if weight_is_transposed else right[-2:]
    (rows, inner), columns = left[-2:], right[-1]
    if inner != right[-2]:
        raise NotUnderstood(f"{inner} columns do not fit {right[-2]} rows")
    groups, own_rows, own_columns = 1, rows, columns
    for x, y in _aligned(left[:-2], right[:-2]):
        if x == y:
            groups *= x
        elif y == 1:
            own_rows *= x
        elif x == 1:
            own_columns *= y
        else:
            raise NotUnderstood(f"leading dimensions {x} and {y} do not broadcast")
    if data.is_constant and not weight.is_constant:
        data, weight, own_rows, own_columns = weight, data, own_columns, own_rows
    fields = {"g": groups, "oy": own_rows, "k": own_columns, "c": inner}
    step.nest(fields, data, weight, extras=extras)


def _aligned(left: Sequence[int], right: Sequence[int]) -> list[tuple[int, int]]:
    """Return leading dimensions in pairs, the shorter one filled with ones."""
    length = max(len(left), len(right))
    pads = [[1] * (length - len(x)) for x in (left, right)]
    return list(zip([*pads[0], *left], [*pads[1], *right], strict=True))


def einsum(step: Operator) -> None:
    """Einsum of one operand is another view; of two a product, if each letter has its loop."""
    equation = str(step.attributes.get("equation", "")).replace(" ", "")
    terms, arrow, result = equation.partition("->")
    names = terms.split(",")
    if not arrow:  # then each letter that stands once, in the order of the alphabet
        letters = terms.replace(",", "")
        result = "".join(sorted(x for x in set(letters) if letters.count(x) == 1))
    is_plain = all(x.isalpha() for x in names)
    if not is_plain or len(names) != len(step.given) or len(names) > 2:
        raise NotUnderstood(f"the equation {equation!r} is not a product of two operands")
    if any(len(set(x)) != len(x) for x in (*names, result)):
        raise NotUnderstood(f"the equation {equation!r} takes a diagonal")
    if len(names) == 2:
        _contract(step, equation, names, result)
    elif set(names[0]) == set(result):
        step.see(step.input(0), is_same_order=names[0] == result)
    else:
        step.pass_over("pool", [step.input(0)])


def _contract(step: Operator, equation: str, names: Sequence[str], result: str) -> None:
    data, weight = step.input(0), step.input(1)
    if data.is_constant and not weight.is_constant:
        data, weight, names = weight, data, names[::-1]
    sizes: dict[str, int] = {}
    for tensor, letters in zip((data, weight), names, strict=True):
        shape = known_shape(tensor, "an operand")
        if len(shape) != len(letters):
            raise NotUnderstood(f"the equation {equation!r} does not fit {list(shape)}")
        for letter, size in zip(letters, shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    fields = dict.fromkeys(("g", "oy", "k", "c"), 1)
    for letter, size in sizes.items():
        fields[_loop(letter, names, result, equation)] *= size
    step.nest(fields, data, weight)


def _loop(letter: str, names: Sequence[str], result: str, equation: str) -> str:
    """Return the loop of a letter: by which operands and whether the result have it."""
    places = (letter in names[0], letter in names[1], letter in result)
    loops = {
        (True, True, True): "g",
        (True, True, False): "c",
        (True, False, True): "oy",
        (False, True, True): "k",
    }
    if places not in loops:
        raise NotUnderstood(f"the equation {equation!r} sums {letter} over one operand alone")
    return loops[places]
