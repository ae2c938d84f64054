"""Segment Anything: a tower of images in windows, then a decoder of masks for one prompt."""

from dataclasses import replace

from dse.importers.transformers.config import Config, Made, Tokens, learned
from dse.importers.transformers.feed_forward import mlp_items
from dse.importers.transformers.images import patch_size, patches
from dse.importers.transformers.layers import (
    Item,
    Run,
    added,
    attention_items,
    convolution,
    core_items,
    full_attention,
    norm,
    passed,
    product,
)

PROMPT_NOTE = (
    "One prompt of one point, for which three masks are drawn; masks as prompts are counted in "
    "the parameters and not run"
)
PROMPT_TOKENS = 2
"""A point, and the token that says that no box follows."""


def sam_tower(config: Config, tokens: Tokens) -> Made:
    """Return the tower of images alone."""
    return Made(_tower(config, tokens.image))


def _tower(config: Config, image: int) -> list[Item]:
    hidden, layers = config.positive("hidden_size"), config.positive("num_hidden_layers")
    rows, columns = patches(config, image)
    count, side, patch = rows * columns, config.positive("window_size"), patch_size(config)
    everywhere = config.get("global_attn_indexes")
    if not isinstance(everywhere, list):
        config.refuse(f"{config.where}global_attn_indexes must be a list, got {everywhere!r}")
    once, channels = Run(queries=count, module="vision_encoder."), config.positive("num_channels")
    items = [
        convolution(
            once, "patches", hidden, k=hidden, c=channels, oy=rows, ox=columns, fy=patch, fx=patch,
            iy=rows * patch, ix=columns * patch, stride=patch,
        )
    ]  # fmt: skip
    if config.flag("use_abs_pos"):
        items.append(passed(once, "add", "add_position", (2 * hidden, hidden), count * hidden))
    for is_local in (True, False):
        places = tuple(x for x in range(layers) if (x in everywhere) != is_local)
        if not places:
            continue
        shape = (side, side) if is_local else (rows, columns)
        windows = -(-rows // side) * -(-columns // side) if is_local else 1
        run = replace(
            once, repeat=len(places), places=places, suffix="_local" if is_local else "",
            module=once.module + "layers.{}",
        )  # fmt: skip
        items += _block(config, run, hidden, shape, windows)
    return items + _neck(config, once, (rows, columns))


def _block(
    config: Config, run: Run, hidden: int, shape: tuple[int, int], windows: int
) -> list[Item]:
    """Return blocks that attend inside windows of so many patches, padded ones included."""
    inner = int(hidden * config.ratio("mlp_ratio", default=4))
    if config.get("mlp_dim") is not None:
        inner = config.positive("mlp_dim")
    bias = 3 * hidden * config.flag("qkv_bias")
    every = replace(run, queries=windows * shape[0] * shape[1])
    return [
        norm(run, "attention_norm", hidden, 2),
        product(every, "qkv", hidden, 3 * hidden, bias=bias),
        *_core(config, run, hidden, shape, windows),
        product(every, "projection", hidden, hidden, bias=hidden),
        added(run, "attention_add", hidden),
        norm(run, "mlp_norm", hidden, 2),
        *mlp_items(run, hidden, inner, gated=False, biases=True),
        added(run, "mlp_add", hidden),
    ]


def _core(
    config: Config, run: Run, hidden: int, shape: tuple[int, int], windows: int
) -> list[Item]:
    """Return attention of heads, to whose scores products of queries and distances are added."""
    heads = config.positive("num_attention_heads")
    dim, size = hidden // heads, shape[0] * shape[1]
    inside = replace(run, queries=size, context=size)
    core = core_items(inside, heads * windows, 1, (dim, dim))
    if not config.flag("use_rel_pos"):
        return core
    distances = []
    for name, along, across in (("row", shape[0], shape[1]), ("column", shape[1], shape[0])):
        one = replace(run, queries=across * heads * windows)
        layer = product(one, f"{name}_distance", dim, along, g=along, weight_is_activation=True)
        layer["extra_parameters"] = (2 * along - 1) * dim
        distances.append(layer)
    return [core[0], *distances, *core[1:]]


def _neck(config: Config, run: Run, shape: tuple[int, int]) -> list[Item]:
    """Return two convolutions, each with a norm."""
    hidden, out = config.positive("hidden_size"), config.positive("output_channels")
    sides = {"oy": shape[0], "ox": shape[1], "iy": shape[0], "ix": shape[1]}
    return [
        convolution(run, "neck_1", k=out, c=hidden, oy=shape[0], ox=shape[1]),
        norm(run, "neck_norm_1", out, 2),
        convolution(run, "neck_2", k=out, c=out, fy=3, fx=3, pad=1, **sides),
        norm(run, "neck_norm_2", out, 2),
    ]


def sam(config: Config, tokens: Tokens) -> Made:
    """Return the tower of images, and the decoder of masks for one point."""
    vision, masks = config.inner("vision_config"), config.inner("mask_decoder_config")
    prompts = config.inner("prompt_encoder_config")
    rows, columns = patches(vision, tokens.image)
    hidden = masks.positive("hidden_size")
    once = Run(queries=PROMPT_TOKENS, prefix="prompt_", module="prompt_encoder.")
    table = (prompts.positive("num_point_embeddings") + 2) * hidden
    table += 2 * vision.positive("num_pos_feats")
    items = [
        *_tower(vision, tokens.image),
        passed(once, "embedding", "embedding", (hidden, hidden), table),
        *_mask_decoder(masks, hidden, rows * columns),
    ]
    return Made(items, learned(_mask_prompt(prompts, hidden)), (PROMPT_NOTE,))


def _mask_prompt(config: Config, hidden: int) -> list[Item]:
    """Return what would read a mask as a prompt."""
    wide, one = config.positive("mask_input_channels"), Run(queries=1)
    return [
        convolution(one, "mask_1", wide // 4, k=wide // 4, c=1, fy=2, fx=2),
        norm(one, "mask_norm_1", wide // 4, 2),
        convolution(one, "mask_2", wide, k=wide, c=wide // 4, fy=2, fx=2),
        norm(one, "mask_norm_2", wide, 2),
        convolution(one, "mask_3", hidden, k=hidden, c=wide),
    ]


def _mask_decoder(config: Config, hidden: int, pixels: int) -> list[Item]:
    """Return blocks in which tokens attend to the image and back, and what draws the masks."""
    masks, layers = (
        config.positive("num_multimask_outputs") + 1,
        config.positive("num_hidden_layers"),
    )
    count, rate = PROMPT_TOKENS + 1 + masks, config.positive("attention_downsample_rate")
    base = Run(queries=count, prefix="mask_", module="mask_decoder.")
    run = base.stacked(layers, "{}")
    image, last = replace(run, queries=pixels), replace(base, suffix="_last")
    learned_tokens = passed(base, "embedding", "tokens", (hidden, hidden), (1 + masks) * hidden)
    inner = config.positive("mlp_dim")
    return [
        learned_tokens,
        *_attention(config, run, (hidden, 1), (count, count), "_self"),
        norm(run, "norm_1", hidden, 2),
        *_attention(config, run, (hidden, rate), (count, pixels), "_to_image"),
        norm(run, "norm_2", hidden, 2),
        *mlp_items(run, hidden, inner, gated=False, biases=True),
        norm(run, "norm_3", hidden, 2),
        *_attention(config, run, (hidden, rate), (pixels, count), "_to_tokens"),
        norm(image, "norm_4", hidden, 2),
        *_attention(config, last, (hidden, rate), (count, pixels), "_last"),
        norm(last, "norm", hidden, 2),
        *_drawn(config, base, hidden, pixels, masks),
    ]


def _attention(
    config: Config, run: Run, dims: tuple[int, int], tokens: tuple[int, int], suffix: str
) -> list[Item]:
    """Return attention of some tokens to others, in fewer channels, and its sum."""
    hidden, rate = dims
    heads = config.positive("num_attention_heads")
    one = replace(run, queries=tokens[0], context=tokens[1], suffix=suffix)
    rest = replace(one, queries=tokens[1])
    a = full_attention(hidden, heads, bias=True, head_dim=max(1, hidden // rate // heads))
    made = attention_items(one, a)
    made[1:3] = attention_items(rest, a)[1:3]
    return [*made, added(one, "attention_add", hidden)]


def _drawn(config: Config, run: Run, hidden: int, pixels: int, masks: int) -> list[Item]:
    """Return the image twice as fine twice, a small network a mask, and their product."""
    quarter, eighth, inner = hidden // 4, hidden // 8, config.positive("iou_head_hidden_dim")
    depth, one = config.positive("iou_head_depth"), replace(run, queries=1)
    each = replace(one, repeat=masks)
    fine, finer = replace(run, queries=4 * pixels), replace(run, queries=16 * pixels)
    head = [product(one, "score_1", hidden, inner, bias=inner)]
    head += [product(one, f"score_{x + 2}", inner, inner, bias=inner) for x in range(depth - 2)]
    return [
        product(replace(run, queries=pixels), "finer_1", hidden, 4 * quarter, bias=quarter),
        norm(fine, "finer_norm", quarter, 2),
        product(fine, "finer_2", quarter, 4 * eighth, bias=eighth),
        product(each, "shape_1", hidden, hidden, bias=hidden),
        product(each, "shape_2", hidden, hidden, bias=hidden),
        product(each, "shape_3", hidden, eighth, bias=eighth),
        product(finer, "masks", eighth, masks, weight_is_activation=True),
        *head,
        product(one, f"score_{depth}", inner, masks, bias=masks),
    ]
