"""Transformers that read all tokens at once: BERT and its kin, and ViT."""

from dse.importers.transformers.config import Config, Made, Tokens
from dse.importers.transformers.layers import (
    Attention,
    Item,
    Run,
    attention_items,
    mlp_items,
    passed,
    product,
)


def _encoder_blocks(config: Config, run: Run, hidden: int) -> list[Item]:
    """Return the blocks of BERT, whose norms follow the sums."""
    heads = config.positive("num_attention_heads")
    inner = config.positive("intermediate_size")
    full = Attention(
        hidden=hidden,
        heads=heads,
        kv_heads=heads,
        head_dim=hidden // heads,
        input_biases=True,
        output_bias=True,
    )
    return [
        *attention_items(run, full),
        passed(run, "add", "attention_add", (2 * hidden, hidden)),
        passed(run, "layer_norm", "attention_norm", (hidden, hidden), 2 * hidden),
        product(run, "intermediate", hidden, inner, bias=inner),
        product(run, "output", inner, hidden, bias=hidden),
        passed(run, "add", "output_add", (2 * hidden, hidden)),
        passed(run, "layer_norm", "output_norm", (hidden, hidden), 2 * hidden),
    ]


def bert(config: Config, tokens: Tokens) -> Made:
    """BERT and RoBERTa: three tables, then encoder blocks; the pooler is not run."""
    hidden = config.positive("hidden_size")
    rows = config.positive("vocab_size") + config.positive("max_position_embeddings")
    rows += config.positive("type_vocab_size")
    run = Run(
        queries=tokens.queries,
        context=tokens.context,
        repeat=config.positive("num_hidden_layers"),
    )
    once = Run(queries=tokens.queries, context=1, repeat=1)
    items = [
        passed(once, "embedding", "embedding", (3 * hidden, hidden), rows * hidden),
        passed(once, "layer_norm", "embedding_norm", (hidden, hidden), 2 * hidden),
        *_encoder_blocks(config, run, hidden),
    ]
    return Made(items, idle=hidden * hidden + hidden)


def vit(config: Config, _: Tokens) -> Made:
    """ViT: patches by a convolution, then blocks whose norms come first; no pooler."""
    hidden, inner = config.positive("hidden_size"), config.positive("intermediate_size")
    image, patch = config.positive("image_size"), config.positive("patch_size")
    side, channels = image // patch, config.positive("num_channels", default=3)
    tokens = side * side + 1
    run = Run(queries=tokens, context=tokens, repeat=config.positive("num_hidden_layers"))
    once = Run(queries=tokens, context=1, repeat=1)
    heads = config.positive("num_attention_heads")
    biased = Attention(
        hidden=hidden,
        heads=heads,
        kv_heads=heads,
        head_dim=hidden // heads,
        input_biases=config.flag("qkv_bias", default=True),
        output_bias=True,
    )
    patches = {"name": "patches", "k": hidden, "c": channels, "oy": side, "ox": side, "fy": patch,
               "fx": patch, "iy": image, "ix": image, "stride": patch,
               "extra_parameters": hidden}  # fmt: skip
    items = [
        patches,
        passed(once, "add", "add_position", (2 * hidden, hidden), (tokens + 1) * hidden),
        passed(run, "layer_norm", "attention_norm", (hidden, hidden), 2 * hidden),
        *attention_items(run, biased),
        passed(run, "add", "attention_add", (2 * hidden, hidden)),
        passed(run, "layer_norm", "mlp_norm", (hidden, hidden), 2 * hidden),
        *mlp_items(run, hidden, inner, gated=False, biases=True),
        passed(run, "add", "mlp_add", (2 * hidden, hidden)),
        passed(once, "layer_norm", "norm", (hidden, hidden), 2 * hidden),
        *_classes(config, hidden),
    ]
    return Made(items)


def _classes(config: Config, hidden: int) -> list[Item]:
    """Return the head of a classifier, which reads the class token; none without classes."""
    names = config.values.get("id2label")
    count = len(names) if isinstance(names, dict) else config.number("num_labels", default=0)
    run = Run(queries=1, context=1, repeat=1)
    return [product(run, "head", hidden, count, bias=count)] if count else []
