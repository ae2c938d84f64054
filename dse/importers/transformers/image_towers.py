"""Towers of images that merge patches before a decoder reads them: Qwen-VL and Llama 4."""

from dataclasses import replace

from dse.importers.transformers.config import Config
from dse.importers.transformers.feed_forward import mlp_items
from dse.importers.transformers.images import Vision, patches
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

THIRD = ("qwen3_vl_vision", "qwen3_vl_moe_vision", "qwen3_5_vision", "qwen3_5_moe_vision")
"""Towers with learned positions, from Qwen3-VL on."""

DEFAULT_IMAGE = 448
"""Side of an image, where the file says none. [pixels; assume]"""


def qwen_tower(config: Config, image: int, prefix: str, module: str) -> list[Item]:
    """Return the tower of Qwen2-VL, 2.5 and 3, whose last products merge four patches."""
    is_gated = config.family == "qwen2_5_vl_vision"
    is_third = config.family in THIRD
    own = "embed_dim" if config.family == "qwen2_vl_vision" else "hidden_size"
    hidden, depth = config.positive(own), config.positive("depth")
    vectors = 1 if is_gated else 2
    config = config.having(image_size=image or DEFAULT_IMAGE)
    rows, columns = patches(config, image)
    count, patch = rows * columns, config.positive("patch_size")
    once = Run(queries=count, prefix=prefix, module=module)
    pixels = config.positive("in_channels") * config.positive("temporal_patch_size") * patch**2
    items = [product(once, "patches", pixels, hidden, bias=hidden * is_third)]
    if is_third:
        table = config.positive("num_position_embeddings") * hidden
        items.append(passed(once, "add", "add_position", (2 * hidden, hidden), table))
    inner = int(hidden * config.ratio("mlp_ratio", default=4))
    if config.family != "qwen2_vl_vision":
        inner = config.positive("intermediate_size")
    heads = config.positive("num_heads")
    for run, core in _qwen_runs(config, once, depth, rows, columns):
        items += [
            norm(run, "attention_norm", hidden, vectors),
            *_windowed(run, core, hidden, heads),
            added(run, "attention_add", hidden),
            norm(run, "mlp_norm", hidden, vectors),
            *mlp_items(run, hidden, inner, gated=is_gated, biases=True),
            added(run, "mlp_add", hidden),
        ]
    return items + _mergers(config, once, hidden, vectors, is_third=is_third)


def _qwen_runs(
    config: Config, once: Run, depth: int, rows: int, columns: int
) -> list[tuple[Run, tuple[int, int]]]:
    """Return the blocks that are alike, and how many windows of how many patches they have."""
    full = config.get("fullatt_block_indexes")
    chosen = tuple(x for x in range(depth) if not isinstance(full, list) or x in full)
    run = replace(once, context=once.queries, module=once.module + "blocks.{}")
    groups = [(chosen, "", (1, once.queries))]
    if len(chosen) < depth:
        side = max(1, config.positive("window_size") // config.positive("patch_size"))
        windows = -(-rows // side) * -(-columns // side)
        local = tuple(x for x in range(depth) if x not in chosen)
        groups.append((local, "_local", (windows, side * side)))
    return [
        (replace(run, repeat=len(places), places=places, suffix=suffix), core)
        for places, suffix, core in groups
        if places
    ]


def _windowed(run: Run, core: tuple[int, int], hidden: int, heads: int) -> list[Item]:
    """Return attention inside windows of patches; those at the edges count as whole."""
    windows, size = core
    made = attention_items(run, full_attention(hidden, heads, bias=True, is_fused=True))
    if windows == 1:
        return made
    inside = replace(run, queries=size, context=size)
    parts = attention_items(inside, full_attention(hidden, heads, bias=True, is_fused=True))
    for part in parts[1:4]:
        if part.get("op"):
            part["input_elements"] *= windows
            part["output_elements"] *= windows
        else:
            part["g"] *= windows
    return [made[0], *parts[1:4], made[4]]


def _mergers(config: Config, once: Run, hidden: int, vectors: int, *, is_third: bool) -> list[Item]:
    """Return what makes one token of a square of patches; Qwen3 has more of them."""
    merged = config.positive("spatial_merge_size") ** 2
    run = replace(once, queries=once.queries // merged)
    own = "hidden_size" if config.family == "qwen2_vl_vision" else "out_hidden_size"
    out, wide = config.positive(own), hidden * merged
    items = [
        norm(once, "merge_norm", hidden, vectors),
        product(run, "merge_up", wide, wide, bias=wide),
        product(run, "merge_down", wide, out, bias=out),
    ]
    more = config.get("deepstack_visual_indexes")
    if is_third and isinstance(more, list) and more:
        deep = replace(run, repeat=len(more), suffix="_deep")
        items += [
            norm(deep, "merge_norm", wide, 2),
            product(deep, "merge_up", wide, wide, bias=wide),
            product(deep, "merge_down", wide, out, bias=out),
        ]
    return items


def llama4_tower(config: Config, image: int, prefix: str, module: str) -> list[Item]:
    """Return the tower of Llama 4, whose adapter makes one token of four patches."""
    hidden, inner = config.positive("hidden_size"), config.positive("intermediate_size")
    rows, columns = patches(config, image)
    count, layers = rows * columns + 1, config.positive("num_hidden_layers")
    once = Run(queries=count, prefix=prefix, module=module)
    run = replace(once, context=count).stacked(layers, "model.layers.{}")
    pixels = config.positive("num_channels") * config.positive("patch_size") ** 2
    ratio = config.ratio("pixel_shuffle_ratio", default=0.5)
    merged = once.once(int(rows * columns * ratio**2))
    middle = config.positive("projector_input_dim")
    return [
        product(once.once(rows * columns), "patches", pixels, hidden),
        passed(once, "add", "add_position", (2 * hidden, hidden), (count + 1) * hidden),
        norm(once, "patch_norm", hidden, 2),
        *Vision().block(config, run, hidden),
        norm(once, "norm", hidden, 2),
        product(merged, "merge_up", inner, middle),
        product(merged, "merge_down", middle, config.positive("projector_output_dim")),
    ]
