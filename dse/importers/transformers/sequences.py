"""Networks of an encoder and a decoder: T5, BART, Whisper and their kin."""

from dataclasses import dataclass, replace

from dse.importers.transformers.config import Config, Made, Tokens, architecture, learned
from dse.importers.transformers.feed_forward import mlp_items
from dse.importers.transformers.layers import (
    Attention,
    Item,
    Run,
    added,
    attention_items,
    convolution,
    norm,
    passed,
    product,
)

NOT_START = (
    "Only the decoder is run, at {queries} of {context} tokens: the encoder and its keys and "
    "values are computed once, with the first token (query_len = context_len)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """An encoder, or a decoder.

    Attributes
    ----------
    attention, inner, gated, bias, norm
        Of its blocks: heads, channels inside the feed-forward block, whether that has a gate,
        biases, and learned vectors of a norm.
    layers, tokens
        Blocks, and what they compute.
    prefix
        Of its layers' names.
    buckets
        Learned elements that the first block adds to scores; all blocks if `each_has_buckets`.
    sources
        Tokens of the encoder that a decoder attends to; 0 in an encoder.
    """

    attention: Attention
    inner: int
    gated: bool
    bias: bool
    norm: int
    layers: int
    tokens: tuple[int, int]
    prefix: str
    buckets: int = 0
    each_has_buckets: bool = False
    sources: int = 0

    @property
    def run(self) -> Run:
        """How often its blocks run."""
        base = Run(queries=self.tokens[0], context=self.tokens[1], prefix=self.prefix)
        return base.stacked(self.layers, f"model.{self.prefix.removesuffix('_')}.layers.{{}}")

    def items(self, *, is_start: bool) -> list[Item]:
        """Return its blocks; keys and values of the encoder are made at the start only."""
        hidden, run = self.attention.hidden, self.run
        items = [
            norm(run, "attention_norm", hidden, self.norm),
            *attention_items(run, self.attention),
            added(run, "attention_add", hidden),
        ]
        if self.sources:
            items += self._crossed(is_start=is_start)
        if self.buckets and not self.each_has_buckets:
            first = run.once(self.tokens[0])
            items.append(passed(first, "embedding", "distance_bias", (1, 1), self.buckets))
        items += [
            norm(run, "mlp_norm", hidden, self.norm),
            *mlp_items(run, hidden, self.inner, gated=self.gated, biases=self.bias),
            added(run, "mlp_add", hidden),
        ]
        if self.each_has_buckets:
            next(x for x in items if x.get("op") == "softmax")["extra_parameters"] = self.buckets
        return items

    def _crossed(self, *, is_start: bool) -> list[Item]:
        """Return attention to the encoder's tokens."""
        hidden = self.attention.hidden
        run = replace(self.run, context=self.sources, suffix="_cross")
        made = attention_items(run, self.attention)
        made[1:3] = self.keys_and_values() if is_start else []
        return [
            norm(run, "attention_norm", hidden, self.norm),
            *made,
            added(run, "attention_add", hidden),
        ]

    def keys_and_values(self) -> list[Item]:
        """Return what makes keys and values of the encoder's tokens."""
        run = replace(self.run, queries=self.sources, suffix="_cross")
        return attention_items(run, self.attention)[1:3]


Ends = tuple[list[Item], list[Item]]
"""What is ahead of the blocks of a half, and after them."""


def joined(halves: tuple[Half, Half], first: Ends, second: Ends, tokens: Tokens) -> Made:
    """Return both halves, or the decoder alone where the encoder has run before."""
    encoder, decoder = halves
    ahead = [*first[0], *encoder.items(is_start=True), *first[1]]
    body = [*second[0], *decoder.items(is_start=tokens.is_start), *second[1]]
    if tokens.is_start:
        return Made([*ahead, *body])
    idle = learned([*ahead, *decoder.keys_and_values()])
    return Made(body, idle, (NOT_START.format(queries=tokens.queries, context=tokens.context),))


def t5(config: Config, tokens: Tokens) -> Made:
    """T5: no biases, norms ahead, biases by distance, one table for both halves."""
    hidden, heads = config.positive("d_model"), config.positive("num_heads")
    dim, kind = config.positive("d_kv"), str(config.get("feed_forward_proj") or "relu")
    if kind.removeprefix("gated-") not in ("relu", "gelu", "gelu_new", "silu"):
        config.refuse(f"feed_forward_proj must be relu, gelu, gated-gelu or so, got {kind!r}")
    layers = config.positive("num_layers")
    encoder = Half(
        attention=Attention(hidden=hidden, heads=heads, kv_heads=heads, head_dim=dim),
        inner=config.positive("d_ff"),
        gated=kind.startswith("gated-"),
        bias=False,
        norm=1,
        layers=layers,
        tokens=(tokens.sources, tokens.sources),
        prefix="encoder_",
        buckets=config.positive("relative_attention_num_buckets") * heads,
        each_has_buckets=config.family == "umt5",
    )
    decoder = replace(
        encoder,
        layers=config.positive("num_decoder_layers", default=layers),
        tokens=(tokens.queries, tokens.context),
        prefix="decoder_",
        sources=tokens.sources,
    )
    table = config.positive("vocab_size") * hidden
    is_tied = config.get("tie_word_embeddings") is not False
    source, target = encoder.run.once(tokens.sources), decoder.run.once(tokens.queries)
    first = (
        [passed(source, "embedding", "embedding", (hidden, hidden))],
        [norm(source, "norm", hidden, 1)],
    )
    second = (
        [passed(target, "embedding", "embedding", (hidden, hidden), 0 if is_tied else table)],
        [norm(target, "norm", hidden, 1),
         product(Run(queries=1), "head", hidden, config.positive("vocab_size"))],
    )  # fmt: skip
    if "EncoderModel" in architecture(config):
        first[0][0]["extra_parameters"] = table
        return Made([*first[0], *encoder.items(is_start=True), *first[1]])
    return joined((encoder, decoder), first, second, tokens)


def _halves(config: Config, tokens: Tokens, sources: int, *, key_bias: bool) -> tuple[Half, Half]:
    """Return the halves of BART and Whisper, whose keys say which they are of."""
    hidden = config.positive("d_model")
    halves = []
    for name, size, seen in (
        ("encoder", (sources, sources), 0),
        ("decoder", (tokens.queries, tokens.context), sources),
    ):
        heads = config.positive(f"{name}_attention_heads")
        halves.append(
            Half(
                attention=Attention(
                    hidden=hidden,
                    heads=heads,
                    kv_heads=heads,
                    head_dim=hidden // heads,
                    query_bias=True,
                    key_bias=key_bias,
                    value_bias=True,
                    output_bias=True,
                ),
                inner=config.positive(f"{name}_ffn_dim"),
                gated=False,
                bias=True,
                norm=2,
                layers=config.positive(f"{name}_layers"),
                tokens=size,
                prefix=f"{name}_",
                sources=seen,
            )
        )
    return halves[0], halves[1]


def whisper(config: Config, tokens: Tokens) -> Made:
    """Whisper: two filters along time, an encoder of 1,500 frames, a decoder of tokens."""
    hidden, bands = config.positive("d_model"), config.positive("num_mel_bins")
    frames, rows = config.positive("max_source_positions"), config.positive("max_target_positions")
    encoder, decoder = _halves(config, tokens, frames, key_bias=False)
    source, target = encoder.run.once(frames), decoder.run.once(tokens.queries)
    first = [
        convolution(source, "filter_1", hidden, k=hidden, c=bands, oy=2 * frames, fy=3,
                    iy=2 * frames, pad={"y": 1, "x": 0}),
        convolution(source, "filter_2", hidden, k=hidden, c=hidden, oy=frames, fy=3,
                    iy=2 * frames, stride={"y": 2, "x": 1}, pad={"y": 1, "x": 0}),
        passed(source, "add", "add_position", (2 * hidden, hidden), frames * hidden),
    ]  # fmt: skip
    has_head = "ForConditional" in architecture(config)
    vocabulary = config.positive("vocab_size")
    learned_rows = rows + (0 if has_head else vocabulary)
    second = (
        [passed(target, "embedding", "embedding", (2 * hidden, hidden), learned_rows * hidden)],
        [norm(target, "norm", hidden, 2)]
        + [product(Run(queries=1), "head", hidden, vocabulary)] * has_head,
    )
    return joined((encoder, decoder), (first, [norm(source, "norm", hidden, 2)]), second, tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bart:
    """What sets the kin of BART apart.

    Attributes
    ----------
    positions
        Rows of each table of positions above those that the file names; None if not learned.
    table_norm, last_norm
        Whether a norm follows the tables of both halves, and their last blocks.
    """

    positions: int | None = 2
    table_norm: bool = True
    last_norm: bool = False

    def __call__(self, config: Config, tokens: Tokens) -> Made:
        """Return the layers of a network."""
        hidden, vocabulary = config.positive("d_model"), config.positive("vocab_size")
        encoder, decoder = _halves(config, tokens, tokens.sources, key_bias=True)
        rows = 0
        if self.positions is not None:
            rows = config.positive("max_position_embeddings") + self.positions
        tables = []
        for part, count in ((encoder, tokens.sources), (decoder, tokens.queries)):
            once = part.run.once(count)
            read = passed(once, "embedding", "embedding", (2 * hidden, hidden), rows * hidden)
            after = norm(once, "embedding_norm", hidden, 2 * self.table_norm)
            tables.append([read, after] if self.table_norm else [read])
        source, target = encoder.run.once(tokens.sources), decoder.run.once(tokens.queries)
        last = [[norm(x, "norm", hidden, 2)] * self.last_norm for x in (source, target)]
        head = product(Run(queries=1), "head", hidden, vocabulary)
        ends = ((tables[0], last[0]), (tables[1], [*last[1], head]))
        return joined((encoder, decoder), *ends, tokens)
