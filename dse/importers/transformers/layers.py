"""What the layers of transformers are made of; names are those of the zoo."""

from dataclasses import dataclass, replace
from typing import Any

Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How often layers run, on how many tokens.

    Attributes
    ----------
    queries, context
        Tokens that are computed, and those that they attend to.
    repeat
        Layers that are alike.
    prefix, suffix
        Of the layers' names.
    module
        The modules that they are in the file's own network, ``{}`` for the number of a layer.
    places
        Those numbers.
    shared
        Whether the repeats share one set of weights.
    """

    queries: int
    context: int = 1
    repeat: int = 1
    prefix: str = ""
    suffix: str = ""
    module: str = ""
    places: tuple[int, ...] = ()
    shared: bool = False

    def once(self, queries: int) -> "Run":
        """Return a run of one layer, on so many tokens."""
        return Run(queries=queries, prefix=self.prefix, module=self.module)

    def stacked(self, layers: int, module: str) -> "Run":
        """Return a run of so many layers, which are the modules so named below those of this."""
        places = tuple(range(layers))
        return replace(self, repeat=layers, module=self.module + module, places=places)


def product(run: Run, name: str, into: int, out: int, *, bias: int = 0, **fields: Any) -> Item:
    """Return a product of every token with a matrix."""
    item = {"name": _name(run, name), "k": out, "c": into, "oy": run.queries, **fields}
    return _finished(run, item, bias)


def passed(run: Run, op: str, name: str, elements: tuple[int, int], learned: int = 0) -> Item:
    """Return a layer without MACs that reads and writes these elements for every token."""
    read, written = (size * run.queries for size in elements)
    item = {"name": _name(run, name), "op": op, "input_elements": read, "output_elements": written}
    return _finished(run, item, learned)


def convolution(run: Run, name: str, learned: int = 0, **fields: Any) -> Item:
    """Return a convolution, whose loops are all given."""
    return _finished(run, {"name": _name(run, name), **fields}, learned)


def _name(run: Run, name: str) -> str:
    return run.prefix + name + run.suffix


def _finished(run: Run, item: Item, learned: int) -> Item:
    part = item["name"].removeprefix(run.prefix).removesuffix(run.suffix)
    item["role"] = (run.module, part, run.places)
    if item.get("repeat", run.repeat) > 1:
        item["repeat"] = item.get("repeat", run.repeat)
        if run.shared:
            item["sequential"] = True
    return item | ({"extra_parameters": learned} if learned else {})


def norm(run: Run, name: str, width: int, vectors: int) -> Item:
    """Return a normalisation with so many learned vectors: a scale, an offset, or none."""
    return passed(run, "layer_norm", name, (width, width), vectors * width)


def added(run: Run, name: str, width: int) -> Item:
    """Return the sum of two maps."""
    return passed(run, "add", name, (2 * width, width))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Heads that share keys and values in groups.

    Attributes
    ----------
    hidden, heads, kv_heads, head_dim
        Channels of a token, heads, pairs of keys and values, and channels of a head.
    value_dim, gate
        Channels of a value, where they differ from a key's; whether a gate multiplies the result.
    query_bias, key_bias, value_bias, output_bias
        Whether the projections have biases.
    extra
        Learned elements beside them, of norms of queries and keys, say.
    is_fused
        Whether one product makes queries, keys and values.
    """

    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    query_bias: bool = False
    key_bias: bool = False
    value_bias: bool = False
    output_bias: bool = False
    extra: int = 0
    is_fused: bool = False


def full_attention(hidden: int, heads: int, *, bias: bool, **fields: Any) -> Attention:
    """Return attention whose heads share nothing and make up the channels of a token."""
    values: dict[str, Any] = dict.fromkeys(
        ("query_bias", "key_bias", "value_bias", "output_bias"), bias
    )
    return Attention(
        hidden=hidden,
        heads=heads,
        kv_heads=heads,
        **{"head_dim": hidden // heads, **values, **fields},
    )


def attention_items(run: Run, a: Attention) -> list[Item]:
    """Return projections, scores, softmax and the weighted sum of attention."""
    width, kv = a.heads * a.head_dim, a.kv_heads * a.head_dim
    biases = (a.query_bias * width, a.key_bias * kv, a.value_bias * kv)
    if a.is_fused:
        first = [product(run, "qkv", a.hidden, width + 2 * kv, bias=sum(biases) + a.extra)]
    else:
        first = [
            product(run, "query", a.hidden, width, bias=biases[0] + a.extra),
            product(run, "key", a.hidden, kv, bias=biases[1]),
            product(run, "value", a.hidden, kv, bias=biases[2]),
        ]
    return [
        *first,
        *core_items(run, a.kv_heads, a.heads // a.kv_heads, (a.head_dim, a.head_dim)),
        product(run, "projection", width, a.hidden, bias=a.output_bias * a.hidden),
    ]


def core_items(
    run: Run, groups: int, shared: int, dims: tuple[int, int], *, learned: int = 0
) -> list[Item]:
    """Return what attention computes of activations alone.

    Parameters
    ----------
    groups, shared
        Pairs of keys and values, and the heads that share each.
    dims
        Channels of a key and of a value.
    learned
        Elements that are added to scores.
    """
    rows, activation = shared * run.queries, {"weight_is_activation": True}
    scores = {"name": _name(run, "scores"), "g": groups, "k": run.context, "c": dims[0]}
    weighted = {"name": _name(run, "attention"), "g": groups, "k": dims[1], "c": run.context}
    per_token = groups * shared * run.context
    return [
        _finished(run, {**scores, "oy": rows, **activation}, 0),
        passed(run, "softmax", "softmax", (per_token, per_token), learned),
        _finished(run, {**weighted, "oy": rows, **activation}, 0),
    ]


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
    has_bias
        Whether the products that read and write tokens have biases.
    """

    hidden: int
    heads: int
    query_rank: int
    latent: int
    rope_dim: int
    nope_dim: int
    value_dim: int
    has_bias: bool = False


def latent_items(run: Run, a: LatentAttention) -> list[Item]:
    """Return multi-head latent attention.

    Where all tokens of the context are computed, keys and values are made from the latent
    vectors; otherwise the matrices that make them are applied to queries and results instead,
    and the latent vectors are keys and values of all heads.
    """
    width, bias = a.heads * (a.nope_dim + a.rope_dim), int(a.has_bias)
    if a.query_rank:
        first = [
            product(run, "query_down", a.hidden, a.query_rank, bias=bias * a.query_rank),
            norm(run, "query_norm", a.query_rank, 1),
            product(run, "query_up", a.query_rank, width),
        ]
    else:
        first = [product(run, "query", a.hidden, width)]
    down = a.latent + a.rope_dim
    latent = [
        product(run, "latent", a.hidden, down, bias=bias * down),
        norm(run, "latent_norm", a.latent, 1),
    ]
    values = a.heads * a.value_dim
    last = product(run, "projection", values, a.hidden, bias=bias * a.hidden)
    if run.queries == run.context:
        made = product(run, "key_value_up", a.latent, a.heads * (a.nope_dim + a.value_dim))
        core = core_items(run, a.heads, 1, (a.nope_dim + a.rope_dim, a.value_dim))
        return [*first, *latent, made, *core, last]
    absorbed = product(run, "key_up", a.nope_dim, a.latent, g=a.heads)
    core = core_items(run, 1, a.heads, (a.latent + a.rope_dim, a.latent))
    raised = product(run, "value_up", a.latent, a.value_dim, g=a.heads)
    return [*first, *latent, absorbed, *core, raised, last]
