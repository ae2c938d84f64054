"""The layers of transformers, as the items of a conf/workload YAML; names are those of the zoo."""

from dataclasses import dataclass
from typing import Any

Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Heads that share keys and values in groups.

    Attributes
    ----------
    hidden, heads, kv_heads, head_dim
        Channels of a token, heads, pairs of keys and values, and channels of a head.
    input_biases, output_bias
        Whether the projections have biases.
    head_norm_parameters
        Of the norms of queries and keys, where a network has them.
    """

    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    input_biases: bool = False
    output_bias: bool = False
    head_norm_parameters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentAttention:
    """Multi-head latent attention: keys and values come from one latent vector of each token.

    Attributes
    ----------
    query_rank
        Channels of the queries' latent vector; 0 where queries come from the token itself.
    latent, rope_dim, nope_dim, value_dim
        Channels of the keys' latent vector; of a key with position, shared by all heads; of one
        without, and of a value, for each head.
    """

    hidden: int
    heads: int
    query_rank: int
    latent: int
    rope_dim: int
    nope_dim: int
    value_dim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """A mixture of experts.

    Attributes
    ----------
    count, active
        Experts, and how many of them each token uses.
    intermediate, shared
        Channels inside an expert, and inside what every token uses beside them; 0 if nothing.
    gate_parameters
        Of the router beside its product, and of the shared part's own gate.
    """

    count: int
    active: int
    intermediate: int
    shared: int = 0
    shared_gate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How often layers run, on how many tokens.

    Attributes
    ----------
    queries, context
        Tokens that are computed, and those that they attend to.
    repeat
        Layers that are alike.
    suffix
        Of the layers' names.
    """

    queries: int
    context: int
    repeat: int
    suffix: str = ""


def product(run: Run, name: str, into: int, out: int, *, bias: int = 0, **fields: Any) -> Item:
    """Return a product of every token with a matrix."""
    item = {"name": name + run.suffix, "k": out, "c": into, "oy": run.queries, **fields}
    return _finished(run, item, bias)


def passed(run: Run, op: str, name: str, elements: tuple[int, int], learned: int = 0) -> Item:
    """Return a layer without MACs that reads and writes these elements for every token."""
    read, written = (size * run.queries for size in elements)
    item = {"name": name + run.suffix, "op": op, "input_elements": read, "output_elements": written}
    return _finished(run, item, learned)


def _finished(run: Run, item: Item, learned: int) -> Item:
    if item.get("repeat", run.repeat) > 1:
        item["repeat"] = item.get("repeat", run.repeat)
    return item | ({"extra_parameters": learned} if learned else {})


def attention_items(run: Run, a: Attention) -> list[Item]:
    """Return projections, scores, softmax and the weighted sum of attention."""
    width, kv_width = a.heads * a.head_dim, a.kv_heads * a.head_dim
    biases = (width, kv_width, kv_width) if a.input_biases else (0, 0, 0)
    return [
        product(run, "query", a.hidden, width, bias=biases[0] + a.head_norm_parameters),
        product(run, "key", a.hidden, kv_width, bias=biases[1]),
        product(run, "value", a.hidden, kv_width, bias=biases[2]),
        *core_items(run, a.kv_heads, a.heads // a.kv_heads, (a.head_dim, a.head_dim)),
        product(run, "projection", width, a.hidden, bias=a.hidden if a.output_bias else 0),
    ]


def core_items(run: Run, groups: int, shared: int, dims: tuple[int, int]) -> list[Item]:
    """Return what attention computes of activations alone.

    Parameters
    ----------
    groups, shared
        Pairs of keys and values, and the heads that share each.
    dims
        Channels of a key and of a value.
    """
    rows, activation = shared * run.queries, {"weight_is_activation": True}
    scores = {"name": f"scores{run.suffix}", "g": groups, "k": run.context, "c": dims[0]}
    weighted = {"name": f"attention{run.suffix}", "g": groups, "k": dims[1], "c": run.context}
    per_token = groups * shared * run.context
    return [
        _finished(run, {**scores, "oy": rows, **activation}, 0),
        passed(run, "softmax", "softmax", (per_token, per_token)),
        _finished(run, {**weighted, "oy": rows, **activation}, 0),
    ]


def latent_items(run: Run, a: LatentAttention) -> list[Item]:
    """Return multi-head latent attention.

    Where all tokens of the context are computed, keys and values are made from the latent
    vectors; otherwise the matrices that make them are applied to queries and results instead,
    and the latent vectors are keys and values of all heads.
    """
    width = a.heads * (a.nope_dim + a.rope_dim)
    if a.query_rank:
        first = [
            product(run, "query_down", a.hidden, a.query_rank),
            passed(run, "layer_norm", "query_norm", (a.query_rank, a.query_rank), a.query_rank),
            product(run, "query_up", a.query_rank, width),
        ]
    else:
        first = [product(run, "query", a.hidden, width)]
    latent = [
        product(run, "latent", a.hidden, a.latent + a.rope_dim),
        passed(run, "layer_norm", "latent_norm", (a.latent, a.latent), a.latent),
    ]
    last = product(run, "projection", a.heads * a.value_dim, a.hidden)
    if run.queries == run.context:
        made = product(run, "key_value_up", a.latent, a.heads * (a.nope_dim + a.value_dim))
        core = core_items(run, a.heads, 1, (a.nope_dim + a.rope_dim, a.value_dim))
        return [*first, *latent, made, *core, last]
    absorbed = product(run, "key_up", a.nope_dim, a.latent, g=a.heads)
    core = core_items(run, 1, a.heads, (a.latent + a.rope_dim, a.latent))
    raised = product(run, "value_up", a.latent, a.value_dim, g=a.heads)
    return [*first, *latent, absorbed, *core, raised, last]


def mlp_items(run: Run, hidden: int, inner: int, *, gated: bool, biases: bool) -> list[Item]:
    """Return a feed-forward block; a gated one has a second product and reads two maps."""
    up, down = (inner, hidden) if biases else (0, 0)
    gate = [product(run, "mlp_gate", hidden, inner, bias=up)] if gated else []
    joined = [passed(run, "multiply", "mlp_multiply", (2 * inner, inner))] if gated else []
    return [
        *gate,
        product(run, "mlp_up", hidden, inner, bias=up),
        *joined,
        product(run, "mlp_down", inner, hidden, bias=down),
    ]


def expert_items(run: Run, hidden: int, e: Experts) -> tuple[list[Item], int]:
    """Return a mixture of experts, and the learned elements of the experts that no token uses.

    Tokens spread evenly: as many experts run as there are choices, at most all of them, and
    each of them takes an equal share of the tokens, rounded up.
    """
    choices = run.queries * e.active
    used = min(e.count, choices)
    tokens, repeat = -(-choices // used), run.repeat * used
    share = Run(queries=tokens, context=run.context, repeat=repeat, suffix=run.suffix)
    inner = e.intermediate
    items = [
        product(run, "router", hidden, e.count),
        product(share, "expert_gate", hidden, inner),
        product(share, "expert_up", hidden, inner),
        passed(share, "multiply", "expert_multiply", (2 * inner, inner)),
        product(share, "expert_down", inner, hidden),
        passed(run, "add", "expert_sum", (e.active * hidden, hidden)),
    ]
    if e.shared:
        items += [
            product(run, "shared_gate", hidden, e.shared),
            product(run, "shared_up", hidden, e.shared),
            passed(run, "multiply", "shared_multiply", (2 * e.shared, e.shared)),
            product(run, "shared_down", e.shared, hidden),
            passed(run, "add", "shared_add", (2 * hidden, hidden)),
        ]
    if e.shared_gate:
        items.append(product(run, "shared_weight", hidden, 1))
    return items, (e.count - used) * run.repeat * 3 * hidden * inner
