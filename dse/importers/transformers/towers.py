"""Networks of two towers (CLIP), and of a tower of images ahead of a decoder of tokens."""

from collections.abc import Callable
from dataclasses import replace

from dse.importers.transformers.config import Config, Made, Tokens, learned
from dse.importers.transformers.decoder_families import DECODERS
from dse.importers.transformers.image_towers import DEFAULT_IMAGE, THIRD, llama4_tower, qwen_tower
from dse.importers.transformers.images import (
    CLIP_VISION,
    SIGLIP_VISION,
    VISIONS,
    image_size,
    patches,
    text_tower,
)
from dse.importers.transformers.layers import Item, Run, norm, passed, product
from dse.importers.transformers.sounds import whisper_tower

NOT_SEEN = (
    "No {name} is read: workload.{name}s=1 runs its tower ({millions:.1f} million learned "
    "elements, counted); one is read by default where query_len = context_len"
)
SEEN = (
    "Images seen: {images} of {height} x {width} pixels; their tokens are among those of query_len"
)
HEARD = "Sounds heard: {sounds} of 30 seconds; their tokens are among those of query_len"
MERGING_TOWERS = {
    **dict.fromkeys(
        ("qwen2_vl_vision", "qwen2_5_vl_vision", *THIRD),
        qwen_tower,
    ),
    "llama4_vision_model": llama4_tower,
}
PREFIX, MODULE, SOUND_PREFIX = "image_", "vision_tower.", "sound_"

Joint = Callable[[Config, Config, int], list[Item]]


def dual(config: Config, tokens: Tokens) -> Made:
    """CLIP and SigLIP: a tower of images and a tower of texts, each with a product at its end."""
    vision, text = config.inner("vision_config"), config.inner("text_config")
    is_clip = config.family == "clip"
    builder = CLIP_VISION if is_clip else SIGLIP_VISION  # of both versions
    images = builder.tower(vision, tokens, PREFIX, "vision_model.")
    texts = text_tower(text, tokens.queries, "text_", "text_model.")
    hidden = text.positive("hidden_size")
    last = Run(queries=1, prefix="text_")
    if is_clip:  # and a factor of the scores
        out = config.positive("projection_dim")
        end = Run(queries=1, prefix=PREFIX)
        images.append(product(end, "features", vision.positive("hidden_size"), out))
        texts.append(product(last, "features", hidden, out, bias=1))
    else:  # and a factor and an offset
        out = text.positive("projection_size", default=hidden)
        texts.append(product(last, "features", hidden, out, bias=out + 2))
    score = product(Run(queries=1), "similarity", out, 1, weight_is_activation=True)
    return Made([*images, *texts, score])


def text_alone(config: Config, tokens: Tokens) -> Made:
    """Return the tower of texts of CLIP or SigLIP, without what joins it to one of images."""
    items = text_tower(config, tokens.queries, "")
    if config.family.startswith("siglip"):
        hidden = config.positive("hidden_size")
        out = config.positive("projection_size", default=hidden)
        items.append(product(Run(queries=1), "features", hidden, out, bias=out))
    return Made(items)


def multimodal(config: Config, tokens: Tokens) -> Made:
    """Return a tower of images, what joins it to a decoder, and the decoder."""
    vision, text = _vision(config), _decoder_of(config)
    ahead = [*_tower(vision, tokens.image), *_joint(config, vision, text, tokens.image)]
    height, width = image_size(vision, tokens.image)
    seen = SEEN.format(images=tokens.inputs, height=height, width=width)
    return _before(text, tokens, ahead, ("image", seen))


def listening(config: Config, tokens: Tokens) -> Made:
    """Return a tower of sounds as Whisper has it, what joins it to a decoder, and the decoder."""
    sound, text = config.inner("audio_config"), _decoder_of(config)
    if sound.family == "voxtral_encoder":
        sound = sound.having(
            d_model=sound.positive("hidden_size"),
            encoder_layers=sound.positive("num_hidden_layers"),
            encoder_attention_heads=sound.positive("num_attention_heads"),
            encoder_ffn_dim=sound.positive("intermediate_size"),
        )
    width, hidden = sound.positive("d_model"), text.positive("hidden_size")
    frames = sound.positive("max_source_positions")
    tower = whisper_tower(sound, SOUND_PREFIX, "audio_tower.")
    run = Run(queries=frames // 2, prefix=SOUND_PREFIX, module="multi_modal_projector.")
    if config.family == "voxtral":
        wide = sound.positive("intermediate_size")
        run = replace(run, queries=frames * width // wide)
        joint = [product(run, "join_up", wide, hidden), product(run, "join_down", hidden, hidden)]
    else:  # after averages of two frames
        joint = [product(run, "join", width, hidden, bias=hidden)]
    return _before(text, tokens, [*tower, *joint], ("sound", HEARD.format(sounds=tokens.inputs)))


def _before(text: Config, tokens: Tokens, ahead: list[Item], kind: tuple[str, str]) -> Made:
    """Return a tower ahead of a decoder; where nothing is seen or heard it is not run."""
    made = DECODERS[text.family](text, tokens)
    name, note = kind
    if not tokens.inputs:
        idle = learned(ahead)
        note = NOT_SEEN.format(name=name, millions=idle / 1e6)
        return replace(made, idle=made.idle + idle, notes=(*made.notes, note))
    items = [_times(x, tokens.inputs) for x in ahead] + made.items
    return replace(made, items=items, notes=(*made.notes, note))


def _decoder_of(config: Config) -> Config:
    text = text_of(config)
    if text.family not in DECODERS:
        text.refuse(f"{text.where}model_type {text.family!r} is not a known family of decoders")
    return text


def text_of(config: Config) -> Config:
    """Return the decoder's part; what the whole says of a tied head stands above it."""
    if "text_config" not in config.values:
        return replace(config, family=f"{config.family}_text")
    text = config.inner("text_config")
    tied = config.values.get("tie_word_embeddings")
    return text if tied is None else text.having(tie_word_embeddings=tied)


def _vision(config: Config) -> Config:
    """Return the part of the tower; a family that the parent has another name for, by that."""
    vision = config.inner("vision_config")
    if vision.family in (config.family, ""):
        vision = replace(vision, family=f"{config.family}_vision")
    if vision.family in MERGING_TOWERS and vision.get("image_size") is None:
        vision = vision.having(image_size=DEFAULT_IMAGE)
    if vision.family not in (*MERGING_TOWERS, *VISIONS):
        config.refuse(f"{vision.where}model_type {vision.family!r} is not a known tower of images")
    return vision


def _tower(vision: Config, image: int) -> list[Item]:
    if vision.family in MERGING_TOWERS:
        return MERGING_TOWERS[vision.family](vision, image, PREFIX, MODULE)
    return VISIONS[vision.family].tower(vision, Tokens(image=image), PREFIX, MODULE)


def _times(item: Item, images: int) -> Item:
    """Return a layer of the tower for so many images."""
    if "op" in item:
        keys = ["input_elements", "output_elements"]
    else:
        keys = ["g" if item.get("weight_is_activation") else "b"]
    return item | {key: item.get(key, 1) * images for key in keys}


def _joint(config: Config, vision: Config, text: Config, image: int) -> list[Item]:
    rows, columns = patches(vision, image)
    hidden, joint = text.positive("hidden_size"), JOINTS[config.family]
    return joint(config.having(text_width=hidden), vision, rows * columns)


def _run(count: int) -> Run:
    return Run(queries=count, prefix=PREFIX, module="multi_modal_projector.")


def _two_products(config: Config, vision: Config, count: int) -> list[Item]:
    """LLaVA: two products of each patch."""
    out, run = config.positive("text_width"), _run(count)
    layers = config.get("vision_feature_layer")
    wide = vision.positive("hidden_size") * (len(layers) if isinstance(layers, list) else 1)
    bias = out * config.flag("multimodal_projector_bias")
    newline = out * (config.family in ("llava_next", "llava_onevision"))
    return [
        product(run, "join_up", wide, out, bias=bias + newline),
        product(run, "join_down", out, out, bias=bias),
    ]


def _merged_patches(config: Config, vision: Config, count: int) -> list[Item]:
    """Mistral 3: a square of patches becomes one, then two products."""
    wide, out = vision.positive("hidden_size"), config.positive("text_width")
    square = config.positive("spatial_merge_size") ** 2
    run, bias = _run(count // square), out * config.flag("multimodal_projector_bias")
    return [
        norm(_run(count), "join_norm", wide, 1),
        product(run, "merge", wide * square, wide),
        product(run, "join_up", wide, out, bias=bias),
        product(run, "join_down", out, out, bias=bias),
    ]


def _one_product(config: Config, vision: Config, count: int) -> list[Item]:
    """PaliGemma: one product of each patch."""
    out = vision.positive("projection_dim", default=config.positive("projection_dim"))
    return [product(_run(count), "join", vision.positive("hidden_size"), out, bias=out)]


def _averaged(config: Config, vision: Config, _: int) -> list[Item]:
    """Gemma 3: averages of patches, a norm and one product."""
    wide = vision.positive("hidden_size")
    run = _run(config.positive("mm_tokens_per_image", default=256))
    return [
        norm(run, "join_norm", wide, 1),
        product(run, "join", wide, config.positive("text_width")),
    ]


def _shuffled(config: Config, vision: Config, count: int) -> list[Item]:
    """Idefics 3: the channels of a square of patches side by side, and one product."""
    square = config.positive("scale_factor") ** 2
    wide = vision.positive("hidden_size") * square
    return [product(_run(count // square), "join", wide, config.positive("text_width"))]


def _shuffled_twice(config: Config, vision: Config, count: int) -> list[Item]:
    """InternVL: the channels of a square of patches side by side, a norm and two products."""
    square = max(1, int(1 / config.ratio("downsample_ratio", default=0.5))) ** 2
    wide, out = vision.positive("hidden_size") * square, config.positive("text_width")
    run = _run(count // square)
    return [
        norm(run, "join_norm", wide, 2),
        product(run, "join_up", wide, out, bias=out),
        product(run, "join_down", out, out, bias=out),
    ]


def _shuffled_and_gated(config: Config, vision: Config, count: int) -> list[Item]:
    """Command A Vision: the channels of a square of patches, two products with a gate between."""
    square = config.positive("downsample_factor") ** 2
    wide, out = vision.positive("hidden_size") * square, config.positive("text_width")
    inner, run = config.positive("alignment_intermediate_size"), _run(count // square)
    return [
        product(run, "join_up", wide, inner, bias=inner),
        passed(run, "multiply", "join_multiply", (inner, inner // 2)),
        product(run, "join_down", inner // 2, out, bias=out),
    ]


def _adapted(config: Config, vision: Config, count: int) -> list[Item]:
    """Llama 4: one product of what the tower's adapter leaves."""
    merged = int(count * vision.ratio("pixel_shuffle_ratio", default=0.5) ** 2)
    wide, out = vision.positive("vision_output_dim"), config.positive("text_width")
    return [product(_run(merged), "join", wide, out)]


def _nothing(_: Config, __: Config, ___: int) -> list[Item]:
    """Qwen-VL: the tower's own products end in the decoder's channels."""
    return []


JOINTS: dict[str, Joint] = {
    **dict.fromkeys(("llava", "llava_next", "llava_onevision"), _two_products),
    "cohere2_vision": _shuffled_and_gated,
    "mistral3": _merged_patches,
    "paligemma": _one_product,
    "gemma3": _averaged,
    **dict.fromkeys(("idefics3", "smolvlm"), _shuffled),
    "internvl": _shuffled_twice,
    "llama4": _adapted,
    **dict.fromkeys(
        ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe"), _nothing
    ),
}
