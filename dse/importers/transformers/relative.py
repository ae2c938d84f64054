"""DeBERTa: scores of content with content, of content with distance, of distance with content."""

from dataclasses import replace

from dse.importers.transformers.config import Config, Made, Tokens
from dse.importers.transformers.layers import (
    Item,
    Run,
    added,
    attention_items,
    convolution,
    full_attention,
    norm,
    passed,
    product,
)


def deberta(config: Config, tokens: Tokens) -> Made:
    """DeBERTa-v2 and v3: a table of distances, projected and multiplied in each block."""
    hidden, inner = config.positive("hidden_size"), config.positive("intermediate_size")
    layers, heads = config.positive("num_hidden_layers"), config.positive("num_attention_heads")
    places = tuple(range(layers))
    run = Run(
        queries=tokens.queries,
        context=tokens.context,
        repeat=layers,
        module="encoder.layer.{}",
        places=places,
    )
    once = run.once(tokens.queries)
    attention = attention_items(run, full_attention(hidden, heads, bias=True))
    distances = _distances(config, run, hidden, heads)
    return Made(
        [
            *_tables(config, once, hidden),
            *attention[:3],
            *distances,
            *attention[3:],
            added(run, "attention_add", hidden),
            norm(run, "attention_norm", hidden, 2),
            product(run, "intermediate", hidden, inner, bias=inner),
            product(run, "output", inner, hidden, bias=hidden),
            added(run, "output_add", hidden),
            norm(run, "output_norm", hidden, 2),
            *_filter(config, once, hidden),
        ]
    )


def _rows(config: Config) -> int:
    """Return the distances that have a place in the table; 0 without one."""
    if not config.flag("relative_attention"):
        return 0
    most = config.get("max_relative_positions")
    if not isinstance(most, int) or most < 1:
        most = config.positive("max_position_embeddings")
    buckets = config.get("position_buckets")
    return 2 * (buckets if isinstance(buckets, int) and buckets > 0 else most)


def _tables(config: Config, run: Run, hidden: int) -> list[Item]:
    """Return the tables of tokens and, of positions, segments and distances, those that are."""
    width = config.positive("embedding_size", default=hidden)
    segments, rows = config.number("type_vocab_size", default=0), config.positive("vocab_size")
    has_positions = config.get("position_biased_input") is not False
    rows += segments + config.positive("max_position_embeddings") * has_positions
    read = (1 + has_positions + bool(segments)) * width
    items = [passed(run, "embedding", "embedding", (read, width), rows * width)]
    items += [product(run, "embedding_up", width, hidden)] * (width != hidden)
    items.append(norm(run, "embedding_norm", hidden, 2))
    if rows := _rows(config):
        table = passed(replace(run, queries=rows), "embedding", "distances", (hidden, hidden))
        table["extra_parameters"] = rows * hidden
        items.append(table)
        if "layer_norm" in str(config.get("norm_rel_ebd")):
            items.append(norm(replace(run, queries=rows), "distance_norm", hidden, 2))
    return items


def _distances(config: Config, run: Run, hidden: int, heads: int) -> list[Item]:
    """Return the projections of distances, and their products with queries and keys."""
    rows, given = _rows(config), config.get("pos_att_type")
    kinds = given.split("|") if isinstance(given, str) else given or []
    if not isinstance(kinds, list):
        config.refuse(f"{config.where}pos_att_type must be a list, got {given!r}")
    every = replace(run, queries=rows)
    items: list[Item] = []
    for kind, name in (("c2p", "key"), ("p2c", "query")):
        if not rows or kind not in kinds:
            continue
        made = product(every, f"distance_{name}", hidden, hidden, bias=hidden)
        if config.flag("share_att_key"):  # by the matrix of the tokens' own keys, or queries
            made["weight_is_activation"] = True
            del made["extra_parameters"]
        scores = product(run, f"{name}_distances", hidden // heads, rows, g=heads)
        items += [made, {**scores, "weight_is_activation": True}]
    return items


def _filter(config: Config, run: Run, hidden: int) -> list[Item]:
    """Return the filter beside the first block of the larger ones, and its norm."""
    taps = config.number("conv_kernel_size", default=0)
    if not taps:
        return []
    groups = config.positive("conv_groups", default=1)
    made = convolution(
        run,
        "filter",
        hidden,
        g=groups,
        k=hidden // groups,
        c=hidden // groups,
        oy=run.queries,
        fy=taps,
        iy=run.queries,
        pad={"y": (taps - 1) // 2, "x": 0},
    )
    return [made, norm(run, "filter_norm", hidden, 2)]
