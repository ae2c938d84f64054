"""Networks of images in stages, each of fewer and wider pixels: ConvNeXt and Swin."""

from dataclasses import replace

from dse.importers.transformers.config import Config, Made, Tokens
from dse.importers.transformers.feed_forward import mlp_items
from dse.importers.transformers.images import classes, image_size, patch_size, patches
from dse.importers.transformers.layers import (
    Item,
    Run,
    added,
    convolution,
    core_items,
    norm,
    passed,
    product,
)


def convnext(config: Config, tokens: Tokens) -> Made:
    """ConvNeXt: a filter of 7 x 7 for each channel, then two products, in four stages."""
    widths, depths = config.numbers("hidden_sizes"), config.numbers("depths")
    if len(widths) != len(depths):
        config.refuse(f"depths must have {len(widths)} entries as hidden_sizes, got {depths}")
    sides = image_size(config, tokens.image)
    items: list[Item] = []
    into, step = config.positive("num_channels", default=3), 4
    if config.family != "dinov3_convnext":
        step = patch_size(config)
    least = step * 2 ** (len(widths) - 1)
    if min(sides) < least:
        config.refuse(f"image_size must be at least {least}, got {min(sides)}")
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        outs = (sides[0] // step, sides[1] // step)
        once = Run(queries=outs[0] * outs[1], suffix=f"_{stage + 1}")
        down = convolution(
            once, "patches" if not stage else "down", width, k=width, c=into, oy=outs[0],
            ox=outs[1], fy=step, fx=step, iy=outs[0] * step, ix=outs[1] * step, stride=step,
        )  # fmt: skip
        ahead = norm(Run(queries=sides[0] * sides[1], suffix=once.suffix), "down_norm", into, 2)
        items += [ahead, down] if stage else [down, norm(once, "patch_norm", width, 2)]
        items += _convnext_block(config, stage, outs, width, depth)
        sides, into, step = outs, width, 2
    return Made([*items, norm(Run(queries=1), "norm", into, 2), *classes(config, into)])


def _convnext_block(
    config: Config, stage: int, sides: tuple[int, int], width: int, depth: int
) -> list[Item]:
    pixels = sides[0] * sides[1]
    base = Run(queries=pixels, suffix=f"_{stage + 1}")
    run = base.stacked(depth, f"stages.{stage}.layers.{{}}")
    rows = {"oy": sides[0], "ox": sides[1], "iy": sides[0], "ix": sides[1], "pad": 3}
    mixed = convolution(run, "filter", width, g=width, fy=7, fx=7, **rows)
    fed = mlp_items(run, width, 4 * width, gated=False, biases=True)
    scale: list[Item] = []
    if config.family == "convnextv2":
        response = passed(run, "other", "response_norm", (4 * width, 4 * width), 8 * width)
        fed.insert(1, response)
    elif config.get("layer_scale_init_value"):
        scale = [passed(run, "multiply", "scale", (width, width), width)]
    return [mixed, norm(run, "filter_norm", width, 2), *fed, *scale, added(run, "add", width)]


def swin(config: Config, tokens: Tokens) -> Made:
    """Swin: attention inside windows, which shift from block to block, in stages."""
    width, depths = config.positive("embed_dim"), config.numbers("depths")
    heads = config.numbers("num_heads")
    if len(heads) != len(depths):
        config.refuse(f"num_heads must have {len(depths)} entries as depths, got {heads}")
    patch, sides = patch_size(config), patches(config, tokens.image)
    channels = config.positive("num_channels", default=3)
    once = Run(queries=sides[0] * sides[1])
    items = [
        convolution(
            once, "patches", width, k=width, c=channels, oy=sides[0], ox=sides[1], fy=patch,
            fx=patch, iy=sides[0] * patch, ix=sides[1] * patch, stride=patch,
        ),
        norm(once, "patch_norm", width, 2),
    ]  # fmt: skip
    if config.flag("use_absolute_embeddings"):
        items.insert(1, passed(once, "add", "add_position", (2 * width, width),
                               once.queries * width))  # fmt: skip
    for stage, depth in enumerate(depths):
        if stage:
            sides, width = ((sides[0] + 1) // 2, (sides[1] + 1) // 2), 2 * width
            items += _merged(config, stage, sides, width)
        items += _swin_block(config, stage, sides, width, depth, heads[stage])
    last = Run(queries=sides[0] * sides[1])
    ends = [] if config.family == "donut-swin" else [norm(last, "norm", width, 2)]
    return Made([*items, *ends, *classes(config, width)])


def _merged(config: Config, stage: int, sides: tuple[int, int], width: int) -> list[Item]:
    """Return the product that makes one pixel of four."""
    run = Run(queries=sides[0] * sides[1], suffix=f"_{stage + 1}")
    down = product(run, "down", 2 * width, width)
    if config.family == "swinv2":
        return [down, norm(run, "down_norm", width, 2)]
    return [norm(run, "down_norm", 2 * width, 2), down]


def _swin_block(
    config: Config, stage: int, sides: tuple[int, int], width: int, depth: int, heads: int
) -> list[Item]:
    window = min(config.positive("window_size"), *sides)
    counts = [-(-side // window) for side in sides]
    padded = counts[0] * counts[1] * window * window
    base = Run(queries=sides[0] * sides[1], suffix=f"_{stage + 1}")
    real = base.stacked(depth, f"encoder.layers.{stage}.blocks.{{}}")
    run = replace(real, queries=padded)
    return [
        norm(real, "attention_norm", width, 2),
        *_window_attention(config, run, width, heads, (window, counts[0] * counts[1])),
        added(real, "attention_add", width),
        norm(real, "mlp_norm", width, 2),
        *mlp_items(
            real, width, int(width * config.ratio("mlp_ratio", default=4)), gated=False, biases=True
        ),
        added(real, "mlp_add", width),
    ]


def _window_attention(
    config: Config, run: Run, width: int, heads: int, windows: tuple[int, int]
) -> list[Item]:
    """Return attention of heads inside so many windows, with biases by distance."""
    side, count = windows
    bias = width * config.flag("qkv_bias")
    is_second = config.family == "swinv2"
    inside = Run(queries=side * side, context=side * side, repeat=run.repeat, suffix=run.suffix)
    table = 0 if is_second else (2 * side - 1) ** 2 * heads
    core = core_items(inside, count * heads, 1, (width // heads, width // heads))
    core[1]["extra_parameters"] = table + heads * is_second
    position = []
    if is_second:  # a small network makes the biases of the distances
        pairs = Run(queries=(2 * side - 1) ** 2, repeat=run.repeat, suffix=run.suffix)
        position = [
            product(pairs, "position_up", 2, 512, bias=512),
            product(pairs, "position_down", 512, heads),
        ]
    return [
        product(run, "query", width, width, bias=bias),
        product(run, "key", width, width, bias=0 if is_second else bias),
        product(run, "value", width, width, bias=bias),
        *position,
        *core,
        product(run, "projection", width, width, bias=width),
    ]
