"""Transformers of patches of an image: ViT and its kin, alone or as towers."""

from dataclasses import dataclass, replace
from math import isqrt

from dse.importers.transformers.config import Config, Made, Tokens
from dse.importers.transformers.feed_forward import mlp_items
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

Flag = bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vision:
    """What sets the image transformers of one family apart; a flag is a constant, or its key.

    Attributes
    ----------
    extra_tokens
        Tokens ahead of the patches: a class, or registers, which ``num_register_tokens`` counts.
    extra_parameters, mask_token
        Tokens that are learned and not used here: that of a masked patch; a key may say so.
    positions
        Whether each token has a learned position.
    patch_bias, bias, key_bias, mlp_bias
        Whether the products have biases.
    gated
        Whether the feed-forward block has a gate.
    norm
        Learned vectors of a norm.
    first_norm, last_norm, scales
        Whether a norm follows the patches, and the last block; whether each half is scaled.
    pooled
        Whether a learned query attends to all patches in the end.
    has_pooler
        Whether a pooler, which is not run, is there where no classifier is.
    class_norm
        Whether the last norm is for the first token only.
    """

    extra_tokens: int = 1
    extra_parameters: int = 0
    positions: Flag = True
    patch_bias: bool = True
    bias: Flag = True
    output_bias: Flag = True
    key_bias: Flag | None = None
    mlp_bias: Flag = True
    gated: Flag = False
    norm: int = 2
    first_norm: bool = False
    last_norm: bool = True
    class_norm: bool = False
    scales: Flag = False
    mask_token: Flag = False
    pooled: Flag = False
    has_pooler: bool = False

    def __call__(self, config: Config, tokens: Tokens) -> Made:
        """Return the layers of a network."""
        hidden = config.positive("hidden_size")
        head = classes(config, hidden)
        idle = 0 if head else (hidden * hidden + hidden) * self.has_pooler
        return Made(self.tower(config, tokens, "") + head, idle)

    def tower(self, config: Config, tokens: Tokens, prefix: str, module: str = "") -> list[Item]:
        """Return the layers of a network as a part of another."""
        hidden, (height, width) = config.positive("hidden_size"), patches(config, tokens.image)
        extra = self.extra_tokens + config.number("num_register_tokens", default=0)
        count, layers = height * width + extra, config.positive("num_hidden_layers")
        once = Run(queries=count, prefix=prefix, module=module)
        run = replace(once, context=count).stacked(layers, "encoder.layer.{}")
        rows = (height * width + self.extra_tokens) * config.flag(self.positions)
        rows += config.flag(self.mask_token)
        table = (rows + extra + self.extra_parameters) * hidden
        items = [_patches(config, once, (height, width), bias=self.patch_bias)]
        items += [passed(once, "add", "add_position", (2 * hidden, hidden), table)] if table else []
        items += [norm(once, "patch_norm", hidden, self.norm)] * self.first_norm
        items += self.block(config, run, hidden)
        last = once.once(1) if self.class_norm else once
        items += [norm(last, "norm", hidden, self.norm)] * self.last_norm
        return items + (_pooled(config, once, hidden, count) if config.flag(self.pooled) else [])

    def block(self, config: Config, run: Run, hidden: int) -> list[Item]:
        """Return the blocks, whose norms come first."""
        heads, bias = config.positive("num_attention_heads"), config.flag(self.bias)
        attention = full_attention(
            hidden,
            heads,
            bias=bias,
            key_bias=bias if self.key_bias is None else config.flag(self.key_bias),
            output_bias=config.flag(self.output_bias),
        )
        inner, gated = _inner(config, hidden), config.flag(self.gated)
        if gated and config.get("use_swiglu_ffn"):  # DINOv2: two thirds, and whole eights
            inner = (inner * 2 // 3 + 7) // 8 * 8
        biases = config.flag(self.mlp_bias)
        is_scaled = config.flag(self.scales)
        scale = [
            [passed(run, "multiply", f"{x}_scale", (hidden, hidden), hidden)] * is_scaled
            for x in ("attention", "mlp")
        ]
        return [
            norm(run, "attention_norm", hidden, self.norm),
            *_with_distances(config, attention_items(run, attention), heads),
            *scale[0],
            added(run, "attention_add", hidden),
            norm(run, "mlp_norm", hidden, self.norm),
            *mlp_items(run, hidden, inner, gated=gated, biases=biases),
            *scale[1],
            added(run, "mlp_add", hidden),
        ]


def _with_distances(config: Config, items: list[Item], heads: int) -> list[Item]:
    """Return attention with the biases that its scores have by distance, in BEiT."""
    if config.flag("use_shared_relative_position_bias"):
        config.refuse(f"{config.where}use_shared_relative_position_bias must be false, got true")
    if config.flag("use_relative_position_bias"):
        rows, columns = patches(config, 0)
        softmax = next(x for x in items if x.get("op") == "softmax")
        softmax["extra_parameters"] = ((2 * rows - 1) * (2 * columns - 1) + 3) * heads
    return items


def _inner(config: Config, hidden: int) -> int:
    """Return the channels inside a feed-forward block."""
    if config.get("intermediate_size") is not None:
        return config.positive("intermediate_size")
    return int(hidden * config.ratio("mlp_ratio", default=4))


def image_size(config: Config, given: int) -> tuple[int, int]:
    """Return height and width of the image: what the user gives, else what the file says."""
    value = config.get("image_size")
    if given:
        return given, given
    if value is None and config.get("num_patches") is not None:  # SigLIP 2: a square of them
        value = isqrt(config.positive("num_patches")) * patch_size(config)
        return value, value
    if isinstance(value, list) and len(value) == 2:
        first, second = (config.having(image_size=x).positive("image_size") for x in value)
        return first, second
    side = config.positive("image_size")
    return side, side


def patches(config: Config, given: int) -> tuple[int, int]:
    """Return the patches of an image, in height and width."""
    patch, sides = patch_size(config), image_size(config, given)
    if min(sides) < patch:
        config.refuse(f"{config.where}image_size must be at least {patch}, a patch, got {sides[0]}")
    return sides[0] // patch, sides[1] // patch


def patch_size(config: Config) -> int:
    """Return the side of a patch, which is square. [pixels]."""
    value = config.get("patch_size")
    if isinstance(value, list):
        if not value or any(x != value[0] for x in value):
            config.refuse(f"{config.where}patch_size must be square, got {value!r}")
        return config.having(patch_size=value[0]).positive("patch_size")
    return config.positive("patch_size")


def _patches(config: Config, run: Run, counts: tuple[int, int], *, bias: bool) -> Item:
    """Return the product that makes tokens of patches."""
    hidden, patch = config.positive("hidden_size"), patch_size(config)
    channels = config.positive("num_channels", default=3)
    return convolution(
        run, "patches", hidden * bias, k=hidden, c=channels, oy=counts[0], ox=counts[1], fy=patch,
        fx=patch, iy=counts[0] * patch, ix=counts[1] * patch, stride=patch,
    )  # fmt: skip


def _pooled(config: Config, run: Run, hidden: int, count: int) -> list[Item]:
    """Return a head that attends to all patches by one learned query."""
    heads, inner = config.positive("num_attention_heads"), config.positive("intermediate_size")
    one = Run(queries=1, context=count, prefix=run.prefix, suffix="_pool", module=run.module)
    every = Run(queries=count, prefix=run.prefix, suffix="_pool", module=run.module)
    attention = attention_items(one, full_attention(hidden, heads, bias=True, extra=hidden))
    attention[1] = product(every, "key", hidden, hidden, bias=hidden)
    attention[2] = product(every, "value", hidden, hidden, bias=hidden)
    return [
        *attention,
        norm(one, "mlp_norm", hidden, 2),
        *mlp_items(one, hidden, inner, gated=False, biases=True),
        added(one, "mlp_add", hidden),
    ]


def classes(config: Config, width: int) -> list[Item]:
    """Return the head of a classifier that reads so many channels; none without classes."""
    names = config.get("id2label")
    count = len(names) if isinstance(names, dict) else config.number("num_labels", default=0)
    return [product(Run(queries=1), "head", width, count, bias=count)] if count else []


def text_tower(config: Config, tokens: int, prefix: str, module: str = "") -> list[Item]:
    """Return the text tower of CLIP and its kin: tables, blocks of norms ahead, a last norm."""
    hidden, layers = config.positive("hidden_size"), config.positive("num_hidden_layers")
    once = Run(queries=tokens, prefix=prefix, module=module)
    run = replace(once, context=tokens).stacked(layers, "encoder.layer.{}")
    rows = config.positive("vocab_size") + config.positive("max_position_embeddings")
    return [
        passed(once, "embedding", "embedding", (2 * hidden, hidden), rows * hidden),
        *Vision().block(config, run, hidden),
        norm(once, "norm", hidden, 2),
    ]


CLIP_VISION = Vision(patch_bias=False, first_norm=True, class_norm=True)
SIGLIP_VISION = Vision(extra_tokens=0, pooled="vision_use_head")
PIXTRAL = Vision(
    extra_tokens=0, positions=False, patch_bias=False, bias=False, output_bias=False,
    mlp_bias=False, gated=True, norm=1, first_norm=True, last_norm=False,
)  # fmt: skip

VISIONS: dict[str, Vision] = {
    "vit": Vision(bias="qkv_bias", has_pooler=True),
    "vit_msn": Vision(bias="qkv_bias"),
    "beit": Vision(
        positions="use_absolute_position_embeddings", key_bias=False, class_norm=True,
        mask_token="use_mask_token", scales="layer_scale_init_value",
    ),
    "siglip2_vision_model": SIGLIP_VISION,
    "ijepa": Vision(extra_tokens=0, bias="qkv_bias"),
    "deit": Vision(extra_tokens=2, bias="qkv_bias", has_pooler=True),
    "dinov2": Vision(extra_parameters=1, scales=True, bias="qkv_bias", gated="use_swiglu_ffn"),
    "dinov2_with_registers": Vision(
        extra_parameters=1, scales=True, bias="qkv_bias", gated="use_swiglu_ffn"
    ),
    "dinov3_vit": Vision(
        extra_parameters=1, positions=False, scales=True, bias="query_bias", key_bias="key_bias",
        output_bias="proj_bias", mlp_bias="mlp_bias", gated="use_gated_mlp",
    ),
    "clip_vision_model": CLIP_VISION,
    "siglip_vision_model": SIGLIP_VISION,
    **dict.fromkeys(("idefics3_vision", "smolvlm_vision"), Vision(extra_tokens=0)),
    "internvl_vision": Vision(
        extra_parameters=0, bias="attention_bias", scales=True, last_norm=False
    ),
    "pixtral": PIXTRAL,
}  # fmt: skip
