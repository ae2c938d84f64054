"""Families of networks by ``model_type``: what builds each, and the sizes that a user gives."""

from dse.importers.transformers.bottlenecks import mobilebert
from dse.importers.transformers.config import Build, Config, architecture
from dse.importers.transformers.decoder_families import DECODERS
from dse.importers.transformers.encoders import ENCODERS, modernbert, modernbert_decoder
from dse.importers.transformers.images import VISIONS
from dse.importers.transformers.relative import deberta
from dse.importers.transformers.sam import sam, sam_tower
from dse.importers.transformers.sequences import Bart, t5, whisper
from dse.importers.transformers.sounds import wav2vec2
from dse.importers.transformers.stages import convnext, swin
from dse.importers.transformers.towers import JOINTS, dual, listening, multimodal, text_alone

DECODER, ENCODER, IMAGE = ("query_len", "context_len"), ("seq_len",), ("image_size",)
SOUND = ("samples",)
SEQUENCES, MULTIMODAL = (*DECODER, *ENCODER), (*DECODER, "images", *IMAGE)

FAMILIES: dict[str, tuple[tuple[str, ...], Build]] = {
    **{name: (DECODER, build) for name, build in DECODERS.items()},
    **{name: (ENCODER, build) for name, build in ENCODERS.items()},
    "modernbert": (ENCODER, modernbert),
    "modernbert-decoder": (DECODER, modernbert_decoder),
    "mobilebert": (ENCODER, mobilebert),
    "deberta-v2": (ENCODER, deberta),
    **dict.fromkeys(("wav2vec2", "hubert"), (SOUND, wav2vec2)),
    **{name: (IMAGE, build) for name, build in VISIONS.items()},
    **dict.fromkeys(("convnext", "convnextv2", "dinov3_convnext"), (IMAGE, convnext)),
    **dict.fromkeys(("swin", "swinv2", "donut-swin"), (IMAGE, swin)),
    "sam": (IMAGE, sam),
    "sam_vision_model": (IMAGE, sam_tower),
    **dict.fromkeys(("t5", "mt5", "umt5"), (SEQUENCES, t5)),
    "whisper": (DECODER, whisper),
    "bart": (SEQUENCES, Bart()),
    "mbart": (SEQUENCES, Bart(last_norm=True)),
    "pegasus": (SEQUENCES, Bart(positions=0, table_norm=False, last_norm=True)),
    "marian": (SEQUENCES, Bart(positions=0, table_norm=False)),
    "m2m_100": (SEQUENCES, Bart(positions=None, table_norm=False, last_norm=True)),
    "blenderbot": (SEQUENCES, Bart(positions=0, table_norm=False, last_norm=True)),
    **dict.fromkeys(("clip", "siglip", "siglip2"), ((*ENCODER, *IMAGE), dual)),
    **dict.fromkeys(
        ("clip_text_model", "siglip_text_model", "siglip2_text_model"), (ENCODER, text_alone)
    ),
    **dict.fromkeys(JOINTS, (MULTIMODAL, multimodal)),
    **dict.fromkeys(("qwen2_audio", "voxtral"), ((*DECODER, "sounds"), listening)),
}

_BERT = {"position_embedding_type": "absolute", "add_cross_attention": False, "is_decoder": False}

_NO_ADAPTER: dict[str, object] = {"add_adapter": False}

NEEDED: dict[str, dict[str, object]] = {
    **{name: _BERT for name, build in ENCODERS.items() if build.segments and build.positions},
    "albert": {**_BERT, "num_hidden_groups": 1, "inner_group_num": 1},
    "ernie": {**_BERT, "use_task_id": False},
    **dict.fromkeys(("wav2vec2", "hubert"), _NO_ADAPTER),
    "mobilebert": {
        "use_bottleneck": True,
        "use_bottleneck_attention": False,
        "key_query_shared_bottleneck": True,
        "trigram_input": True,
    },
    "opt": {"layer_norm_elementwise_affine": True},
    "gpt2": {"add_cross_attention": False},
    "gpt_bigcode": {"add_cross_attention": False},
    "marian": {"share_encoder_decoder_embeddings": True},
}
"""Keys with the one value that a family's layers are known for."""

_LANGUAGE = ("Model", "ForCausalLM", "ForConditionalGeneration")


def head_notes(config: Config) -> tuple[str, ...]:
    """Return a note where the file is of a network that ends otherwise than what is built."""
    names, name = FAMILIES[config.family][0], architecture(config)
    known = _LANGUAGE if set(DECODER) <= set(names) else ("Model",)
    known = (*known, "ForImageClassification") if names == IMAGE else known
    if not name or name.endswith(known):
        return ()
    return (f"{name}: its own head is not modelled; the network ahead of it is",)
