"""MobileBERT: blocks that are narrow inside, of four feed-forward networks each."""

from dataclasses import replace

from dse.importers.transformers.config import Config, Made, Tokens
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


def mobilebert(config: Config, tokens: Tokens) -> Made:
    """MobileBERT: products to and from a narrow map around each block; the pooler is not run."""
    hidden, layers = config.positive("hidden_size"), config.positive("num_hidden_layers")
    run = Run(queries=tokens.queries, context=tokens.context).stacked(layers, "encoder.layer.{}")
    width = config.positive("embedding_size")
    once = run.once(tokens.queries)
    rows = config.positive("max_position_embeddings") + config.positive("type_vocab_size")
    table = config.positive("vocab_size") * width + rows * hidden
    tables = [  # each token's vector with those of its neighbours
        passed(once, "embedding", "embedding", (width + 2 * hidden, 3 * width), table),
        product(once, "embedding_up", 3 * width, hidden, bias=hidden),
        norm(once, "embedding_norm", hidden, 2),
    ]
    idle = (hidden * hidden + hidden) * config.flag("classifier_activation")
    return Made([*tables, *_block(config, run, hidden)], idle)


def _block(config: Config, run: Run, hidden: int) -> list[Item]:
    narrow, inner = config.positive("intra_bottleneck_size"), config.positive("intermediate_size")
    heads = config.positive("num_attention_heads")
    attention = attention_items(run, full_attention(narrow, heads, bias=True))
    attention[2] = product(run, "value", hidden, narrow, bias=narrow)
    networks = replace(run, repeat=run.repeat * config.positive("num_feedforward_networks"))
    return [
        product(run, "narrow", hidden, narrow, bias=narrow),
        norm(run, "narrow_norm", narrow, 2),
        product(run, "narrow_attention", hidden, narrow, bias=narrow),
        norm(run, "narrow_attention_norm", narrow, 2),
        *attention,
        added(run, "attention_add", narrow),
        norm(run, "attention_norm", narrow, 2),
        product(networks, "intermediate", narrow, inner, bias=inner),
        product(networks, "output", inner, narrow, bias=narrow),
        added(networks, "output_add", narrow),
        norm(networks, "output_norm", narrow, 2),
        product(run, "widen", narrow, hidden, bias=hidden),
        added(run, "widen_add", hidden),
        norm(run, "widen_norm", hidden, 2),
    ]
