"""Transformers that read all tokens at once: BERT and its kin."""

from dataclasses import dataclass

from dse.importers.transformers.blocks import places_of
from dse.importers.transformers.config import Config, Made, Tokens
from dse.importers.transformers.decoders import WINDOW_NOTE
from dse.importers.transformers.feed_forward import mlp_items
from dse.importers.transformers.layers import (
    Item,
    Run,
    added,
    attention_items,
    full_attention,
    norm,
    passed,
    product,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """What sets the encoders of one family apart.

    Attributes
    ----------
    segments
        Whether a table of segments is added to that of tokens.
    pooler
        Whether it has a pooler, which is not run.
    inner_table
        Whether the tables are as narrow as ``embedding_size``, and a product widens them.
    is_shared
        Whether all blocks have the same weights.
    buckets
        Key of the distances that have a learned bias for each head; none if empty.
    positions, table_norm
        Whether positions have a table, and a norm follows the tables; keys may say so.
    is_ahead
        Whether norms come ahead of both halves, and one at the end.
    bias, gated
        Of the products, and of the feed-forward block.
    has_contacts
        Whether a head for pairs of tokens, which is not run, reads all scores.
    """

    segments: bool = True
    pooler: bool = True
    inner_table: bool = False
    is_shared: bool = False
    buckets: str = ""
    positions: bool = True
    table_norm: bool | str = True
    is_ahead: bool = False
    bias: bool = True
    gated: bool = False
    has_contacts: bool = False

    def __call__(self, config: Config, tokens: Tokens) -> Made:
        """Return the layers of a network: tables, then blocks whose norms follow the sums."""
        hidden = config.positive("hidden_size")
        run = Run(
            queries=tokens.queries,
            context=tokens.context,
            repeat=config.positive("num_hidden_layers"),
            module="encoder.layer.{}",
            places=tuple(range(config.positive("num_hidden_layers"))),
            shared=self.is_shared,
        )
        once = run.once(tokens.queries)
        items = [*self._tables(config, once, hidden), *self._blocks(config, run)]
        items += [norm(once, "norm", hidden, 2)] * self.is_ahead
        idle = (hidden * hidden + hidden) * self.pooler
        if self.has_contacts:
            idle += run.repeat * config.positive("num_attention_heads") + 1
        return Made(items, idle)

    def _tables(self, config: Config, run: Run, hidden: int) -> list[Item]:
        width = config.positive("embedding_size") if self.inner_table else hidden
        rows, has_positions = config.positive("vocab_size"), self.positions
        if config.get("position_embedding_type") == "rotary":
            has_positions = False
        rows += config.positive("max_position_embeddings") * has_positions
        rows += config.number("type_vocab_size") if self.segments else 0
        table = rows * width
        if self.buckets:
            table += config.positive(self.buckets) * config.positive("num_attention_heads")
        read = (1 + has_positions + self.segments) * width
        items = [passed(run, "embedding", "embedding", (read, width), table)]
        items += [norm(run, "embedding_norm", width, 2)] * config.flag(self.table_norm)
        if self.inner_table and (self.is_shared or width != hidden):
            items.append(product(run, "embedding_up", width, hidden, bias=hidden))
        return items

    def _blocks(self, config: Config, run: Run) -> list[Item]:
        hidden, inner = config.positive("hidden_size"), config.positive("intermediate_size")
        heads = config.positive("num_attention_heads")
        attention = attention_items(run, full_attention(hidden, heads, bias=self.bias))
        if self.gated:
            fed = mlp_items(run, hidden, inner, gated=True, biases=self.bias)
        else:
            fed = [
                product(run, "intermediate", hidden, inner, bias=inner * self.bias),
                product(run, "output", inner, hidden, bias=hidden * self.bias),
            ]
        first = [*attention, added(run, "attention_add", hidden)]
        second = [*fed, added(run, "output_add", hidden)]
        norms = [norm(run, "attention_norm", hidden, 2)], [norm(run, "output_norm", hidden, 2)]
        if self.is_ahead:
            return [*norms[0], *first, *norms[1], *second]
        return [*first, *norms[0], *second, *norms[1]]


def modernbert(config: Config, tokens: Tokens) -> Made:
    """ModernBERT: rotary positions, norms ahead, gates, and windows in two of three blocks."""
    hidden, vectors = config.positive("hidden_size"), 1 + config.flag("norm_bias")
    config = config.having(sliding_window=config.positive("local_attention"))
    if config.get("layer_types") is None:
        step = config.positive("global_attn_every_n_layers", default=3)
        kinds = ["sliding_attention" if x % step else "full_attention"
                 for x in range(config.positive("num_hidden_layers"))]  # fmt: skip
        config = config.having(layer_types=kinds)
    once = Run(queries=tokens.queries)
    items = [
        passed(once, "embedding", "embedding", (hidden, hidden),
               config.positive("vocab_size") * hidden),
        norm(once, "embedding_norm", hidden, vectors),
    ]  # fmt: skip
    notes = []
    for place, numbers in places_of(config).items():
        run = Run(
            queries=tokens.queries,
            context=tokens.context,
            repeat=len(numbers),
            suffix=place.suffix,
            module="layers.{}",
            places=numbers,
        )
        items += _modern_block(config, run, hidden, vectors)
        notes += [WINDOW_NOTE] if place.window and place.window < tokens.context else []
    items[2:3] = _without_first(items[2])  # no norm is ahead of the first block
    return Made([*items, norm(once, "norm", hidden, vectors)], notes=tuple(notes))


def _modern_block(config: Config, run: Run, hidden: int, vectors: int) -> list[Item]:
    bias = config.flag("attention_bias")
    heads, inner = config.positive("num_attention_heads"), config.positive("intermediate_size")
    return [
        norm(run, "attention_norm", hidden, vectors),
        *attention_items(run, full_attention(hidden, heads, bias=bias, is_fused=True)),
        added(run, "attention_add", hidden),
        norm(run, "mlp_norm", hidden, vectors),
        *mlp_items(run, hidden, inner, gated=True, biases=config.flag("mlp_bias")),
        added(run, "mlp_add", hidden),
    ]


def _without_first(item: Item) -> list[Item]:
    """Return a layer that all blocks but the first have."""
    left = item.get("repeat", 1) - 1
    return [{**item, "repeat": left}] if left else []


def modernbert_decoder(config: Config, tokens: Tokens) -> Made:
    """ModernBERT that reads from left to right, and its head for the last token."""
    window = config.get("sliding_window") or config.positive("local_attention") // 2
    made = modernbert(config.having(local_attention=window), tokens)
    hidden, vocabulary = config.positive("hidden_size"), config.positive("vocab_size")
    last, is_tied = Run(queries=1), config.flag("tie_word_embeddings")
    head = [
        product(last, "head_in", hidden, hidden, bias=hidden * config.flag("classifier_bias")),
        norm(last, "head_norm", hidden, 1 + config.flag("norm_bias")),
        product(last, "head", hidden, vocabulary, bias=vocabulary * config.flag("decoder_bias")),
    ]
    if is_tied:  # the head's matrix is the table, and counted there
        del made.items[0]["extra_parameters"]
    return Made([*made.items, *head], notes=made.notes)


ENCODERS: dict[str, Encoder] = {
    **dict.fromkeys(
        ("bert", "roberta", "camembert", "xlm-roberta", "ernie", "data2vec-text"), Encoder()
    ),
    "distilbert": Encoder(segments=False, pooler=False),
    "mpnet": Encoder(segments=False, buckets="relative_attention_num_buckets"),
    "electra": Encoder(pooler=False, inner_table=True),
    "esm": Encoder(
        segments=False, table_norm="emb_layer_norm_before", is_ahead=True, has_contacts=True
    ),
    "nomic_bert": Encoder(pooler=False, positions=False, bias=False, gated=True),
    "roberta-prelayernorm": Encoder(is_ahead=True),
    "xlm-roberta-xl": Encoder(is_ahead=True, table_norm=False),
    "albert": Encoder(inner_table=True, is_shared=True),
}
