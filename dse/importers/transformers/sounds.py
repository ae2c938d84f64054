"""Networks of sounds: wav2vec 2.0 and HuBERT, and the encoder of Whisper as a tower."""

from dataclasses import replace

from dse.importers.transformers.config import Config, Made, Tokens
from dse.importers.transformers.images import Vision
from dse.importers.transformers.layers import Item, Run, convolution, norm, passed, product


def wav2vec2(config: Config, tokens: Tokens) -> Made:
    """wav2vec 2.0 and HuBERT: filters along samples, then a transformer of 50 frames a second."""
    widths, taps = config.numbers("conv_dim"), config.numbers("conv_kernel")
    steps, hidden = config.numbers("conv_stride"), config.positive("hidden_size")
    if not len(widths) == len(taps) == len(steps):
        config.refuse("conv_dim, conv_kernel and conv_stride must have as many entries")
    items: list[Item] = []
    frames, into = tokens.sources, 1
    for number, (width, size, step) in enumerate(zip(widths, taps, steps, strict=True)):
        if frames < size:
            config.refuse(f"samples must be more, got {tokens.sources}: no frame is left of them")
        out = (frames - size) // step + 1
        run = Run(queries=out, suffix=f"_{number + 1}")
        bias = width * config.flag("conv_bias")
        items.append(
            convolution(
                run, "filter", bias, k=width, c=into, oy=out, fy=size,
                iy=(out - 1) * step + size, stride={"y": step, "x": 1},
            )
        )  # fmt: skip
        if config.get("feat_extract_norm") == "layer" or not number:
            items.append(norm(run, "filter_norm", width, 2))
        frames, into = out, width
    once = Run(queries=frames)
    return Made([*items, *_projected(config, once, into, hidden), *_encoder(config, frames)])


def _projected(config: Config, once: Run, into: int, hidden: int) -> list[Item]:
    """Return the product to the channels of tokens, and a long filter for positions."""
    taps, groups = (
        config.positive("num_conv_pos_embeddings"),
        config.positive("num_conv_pos_embedding_groups"),
    )
    first = [] if config.get("feat_proj_layer_norm") is False else [norm(once, "norm_in", into, 2)]
    positions = convolution(
        once, "positions", taps + hidden, g=groups, k=hidden // groups, c=hidden // groups,
        oy=once.queries, fy=taps, iy=once.queries, pad={"y": min(taps // 2, taps - 1), "x": 0},
    )  # fmt: skip
    return [*first, product(once, "projection_in", into, hidden, bias=2 * hidden), positions]


def _encoder(config: Config, frames: int) -> list[Item]:
    """Return the blocks; whether their norms come first or last, they are as large."""
    hidden, layers = config.positive("hidden_size"), config.positive("num_hidden_layers")
    run = Run(queries=frames, context=frames).stacked(layers, "encoder.layers.{}")
    once = replace(run, repeat=1, places=())
    added_up = passed(once, "add", "add_position", (2 * hidden, hidden))
    return [added_up, norm(once, "norm", hidden, 2), *Vision().block(config, run, hidden)]


def whisper_tower(config: Config, prefix: str, module: str) -> list[Item]:
    """Return an encoder of 30 seconds of sound, as Whisper has it."""
    hidden, bands = config.positive("d_model"), config.positive("num_mel_bins")
    frames, layers = config.positive("max_source_positions"), config.positive("encoder_layers")
    once = Run(queries=frames, prefix=prefix, module=module)
    run = replace(once, context=frames).stacked(layers, "layers.{}")
    inside = config.having(
        num_attention_heads=config.positive("encoder_attention_heads"),
        intermediate_size=config.positive("encoder_ffn_dim"),
    )
    return [
        convolution(once, "filter_1", hidden, k=hidden, c=bands, oy=2 * frames, fy=3,
                    iy=2 * frames, pad={"y": 1, "x": 0}),
        convolution(once, "filter_2", hidden, k=hidden, c=hidden, oy=frames, fy=3,
                    iy=2 * frames, stride={"y": 2, "x": 1}, pad={"y": 1, "x": 0}),
        passed(once, "add", "add_position", (2 * hidden, hidden), frames * hidden),
        *Vision(key_bias=False).block(inside, run, hidden),
        norm(once, "norm", hidden, 2),
    ]  # fmt: skip
