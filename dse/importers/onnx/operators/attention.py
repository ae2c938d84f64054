"""Attention as one operator: scores, softmax and the weighted sum of the values."""

from dataclasses import dataclass

from dse.importers.drafts import NotUnderstood, Tensor
from dse.importers.onnx.node import Operator, known_shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Sizes of attention: inferences, heads, tokens, and channels of a head."""

    batch: int
    heads: int
    kv_heads: int
    tokens: int
    context: int
    head_dim: int
    value_dim: int

    def __post_init__(self) -> None:
        if min(self.heads, self.kv_heads) < 1 or self.heads % self.kv_heads:
            raise NotUnderstood(f"{self.kv_heads} key-value heads do not divide {self.heads} heads")


def attention(step: Operator) -> None:
    """Attention of opset 23: heads in a dimension of their own, or folded in the last one."""
    query, key = step.input(0), step.input(1)
    if len(step.shape(0)) == 4:
        batch, heads, tokens, head_dim = step.shape(0)
        kv_heads, context = step.shape(1)[1:3]
        value_dim = step.shape(2)[3]
    else:
        heads, kv_heads = _head_count(step, "q_num_heads"), _head_count(step, "kv_num_heads")
        (batch, tokens, width), context = step.shape(0), step.shape(1)[1]
        head_dim, value_dim = width // heads, step.shape(2)[2] // kv_heads
    past = step.shape(4)[2] if step.has_input(4) else 0
    sizes = Heads(
        batch=batch,
        heads=heads,
        kv_heads=kv_heads,
        tokens=tokens,
        context=context + past,
        head_dim=head_dim,
        value_dim=value_dim,
    )
    _core(step, sizes, query, key, step.input(2))


def projected_attention(step: Operator) -> None:
    """Attention and QAttention of com.microsoft: the projections are part of the operator."""
    batch, tokens, channels = step.shape(0)
    heads = _head_count(step, "num_heads")
    data, weight, bias = step.input(0), step.input(1), step.inputs[2]
    width = step.shape(1)[1]
    query, _, value = step.attributes.get("qkv_hidden_sizes") or [width // 3] * 3
    past_place = {"Attention": 4, "QAttention": 8}[step.op]
    past = step.shape(past_place)[-2] if step.has_input(past_place) else 0
    joined = Tensor("qkv", (batch, tokens, width), data.bits)
    fields = {"b": batch, "oy": tokens, "k": width, "c": channels}
    step.nest(fields, data, weight, suffix=".qkv", extras=[bias], output=joined)
    sizes = Heads(
        batch=batch,
        heads=heads,
        kv_heads=heads,
        tokens=tokens,
        context=tokens + past,
        head_dim=int(query) // heads,
        value_dim=int(value) // heads,
    )
    _core(step, sizes, joined, joined, joined)


def multi_head_attention(step: Operator) -> None:
    """MultiHeadAttention of com.microsoft: queries, keys and values are given, heads folded."""
    heads = _head_count(step, "num_heads")
    query = step.input(0)
    if len(step.shape(0)) != 3 or not (step.has_input(1) and step.has_input(2)):
        raise NotUnderstood("packed queries, keys and values are not modelled")
    batch, tokens, width = step.shape(0)
    key, value = step.input(1), step.input(2)
    context, value_dim = _context_and_width(known_shape(value, "the values"), heads)
    past = step.shape(6)[2] if step.has_input(6) else 0
    sizes = Heads(
        batch=batch,
        heads=heads,
        kv_heads=heads,
        tokens=tokens,
        context=context + past,
        head_dim=width // heads,
        value_dim=value_dim,
    )
    bias = step.inputs[3] if step.has_input(3) else None
    _core(step, sizes, query, key, value, bias=bias)


def grouped_attention(step: Operator) -> None:
    """GroupQueryAttention of com.microsoft: several heads share keys and values."""
    heads, kv_heads = _head_count(step, "num_heads"), _head_count(step, "kv_num_heads")
    batch, tokens, width = step.shape(0)
    query = step.input(0)
    is_packed = not step.has_input(1)
    head_dim = width // (heads + 2 * kv_heads) if is_packed else width // heads
    key = query if is_packed else step.input(1)
    value = query if is_packed else step.input(2)
    past = step.shape(3)[2] if step.has_input(3) else 0
    sizes = Heads(
        batch=batch,
        heads=heads,
        kv_heads=kv_heads,
        tokens=tokens,
        context=tokens + past,
        head_dim=head_dim,
        value_dim=head_dim,
    )
    _core(step, sizes, query, key, value)


def linear_attention(step: Operator) -> None:
    """LinearAttention of opset 27: a state of keys by values in place of scores.

    All tokens at once: keys by values into the state, queries by the state; a delta rule also
    takes from the state what each key finds there.
    """
    heads, kv_heads = _head_count(step, "q_num_heads"), _head_count(step, "kv_num_heads")
    batch, tokens, width = step.shape(0)
    query, key, value = (step.input(place) for place in range(3))
    head_dim, value_dim = width // heads, step.shape(2)[2] // kv_heads
    group = {"g": batch * kv_heads, "k": value_dim}
    state = Tensor("state", (batch, kv_heads, head_dim, value_dim), value.bits)
    fields = {**group, "oy": head_dim, "c": tokens}
    step.nest(fields, key, _activation(value), suffix=".state", output=state)
    if "delta" in str(step.attributes.get("update_rule", "gated_delta")):
        found = Tensor("found", step.shape(2), value.bits)
        fields = {**group, "oy": tokens, "c": head_dim}
        step.nest(fields, key, state, suffix=".delta", output=found)
    fields = {**group, "oy": tokens * (heads // kv_heads), "c": head_dim}
    step.nest(fields, query, state, suffix=".attention")
    for tensor in step.written[1:]:
        tensor.sources = state.sources


def _head_count(step: Operator, key: str) -> int:
    count = int(step.attributes.get(key, 0))
    if count < 1:
        raise NotUnderstood(f"{key} must be at least 1, got {count}")
    return count


def _context_and_width(shape: tuple[int, ...], heads: int) -> tuple[int, int]:
    """Return the tokens of values and the channels of a head, in either layout."""
    if len(shape) == 4:
        return shape[2], shape[3]
    return shape[1], shape[2] // heads


def _core(
    step: Operator,
    sizes: Heads,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    bias: Tensor | None = None,
) -> None:
    """Add the three layers that every form of attention has."""
    groups, shared = sizes.batch * sizes.kv_heads, sizes.heads // sizes.kv_heads
    rows = shared * sizes.tokens
    shape = (sizes.batch, sizes.heads, sizes.tokens, sizes.context)
    scores, shares = Tensor("scores", shape, query.bits), Tensor("shares", shape, query.bits)
    fields = {"g": groups, "oy": rows, "k": sizes.context, "c": sizes.head_dim}
    step.nest(fields, query, _activation(key), suffix=".scores", extras=[bias], output=scores)
    step.pass_over("softmax", [scores], writes=[shares], suffix=".softmax")
    fields = {"g": groups, "oy": rows, "k": sizes.value_dim, "c": sizes.context}
    step.nest(fields, shares, _activation(value), suffix=".attention")


def _activation(tensor: Tensor) -> Tensor:
    """Return keys or values as an activation: a cache differs from run to run."""
    if not tensor.is_constant:
        return tensor
    return Tensor(tensor.name, tensor.shape, tensor.bits, sources=tensor.sources)
