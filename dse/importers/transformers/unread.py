"""What a config.json says and nobody asked: parts are refused, keys that look like sizes noted."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dse.importers.transformers.config import Config

STRUCTURE = re.compile(
    r"(^|_)(num|n|layers?|size|dim|heads?|experts?|rank|width|depths?|window|kernel|stride|channels"
    r"|patch|tower|adapter|hidden|conv|state|groups?|blocks?|modules?|bias)(_|$)"
)
"""Keys that may say how large a network is."""

HARMLESS = re.compile(
    r"(_id|_ids|_index|_std|_eps|_epsilon|_range|_prob|_value|_multiplier|_scaling|_theta|_base|_act"
    r"|_fp32|_coef|_alpha|_dropout|_length|_beams|_groups|_strategy|_factor|_method)$"
    r"|token|drop|no_repeat|init|rope|rotary|^mask_|^_|pooler_|pretrain|^max_|suppress|vocab_size|quantiz"
)
"""Keys that do not, whatever they look like."""

NEVER_READ = frozenset(
    ("n_group", "topk_group", "num_nextn_predict_layers", "num_mtp_layers", "qk_head_dim",
     "head_dim", "num_key_value_heads", "num_attention_heads", "no_rope_layers",
     "no_rope_layer_interval", "num_layers", "num_hidden_layers", "num_stages", "n_ctx",
     "n_positions", "encoder_stride", "projection_dim", "hidden_size", "intermediate_size",
     "classifier_proj_size", "median_filter_width", "chunk_size", "num_image_tokens", "ep_size",
     "decoder_bias", "num_labels", "classifier_bias", "reshape_hidden_states",
     "interleave_moe_layer_step", "rotary_emb_base", "intermediate_size_mlp", "no_bias",
     "attention_layers", "vision_feature_layer", "seq_len", "use_qk_norm", "num_patches",
     "spatial_patch_size", "tensor_parallel_size", "sliding_window_pattern", "window_size",
     "layer_types", "sliding_window", "moe_layer_end_index", "time_step_rank", "value_bias",
     "original_max_position_embeddings", "hidden_activation", "hidden_act", "layer_norm_type",
     "mamba_chunk_size", "conv_L_cache", "auxiliary_channels", "auxiliary_num_convs",
     "image_size", "patch_size", "image_embedding_size", "num_pos_feats",
     "num_codevectors_per_group", "num_codevector_groups", "num_negatives", "codevector_dim",
     "proj_codevector_dim", "tdnn_dim", "tdnn_kernel", "tdnn_dilation", "xvector_output_dim",
     "output_hidden_size", "adapter_kernel_size", "adapter_stride", "num_adapter_layers",
     "num_feat_extract_layers", "layer_switch", "block_dim", "conv_dim", "conv_dim_out",
     "num_heads")
)  # fmt: skip
"""Keys of known families that repeat others, or are of parts that run in training alone."""

PARTS = ("generation_config", "quantization_config", "compression_config", "task_specific_params",
         "rope_scaling", "rope_parameters", "id2label", "label2id", "auto_map", "attn_config",
         "text_config_dict", "vision_config_dict", "pruned_heads", "prefix_config",
         "custom_pipelines", "init_config")  # fmt: skip
"""Objects that say nothing of what is computed."""


def unread_notes(config: Config) -> tuple[str, ...]:
    """Return a note of what was not read and may matter.

    Raises
    ------
    DseError
        If a whole part of the network was not read, such as a tower of sounds.
    """
    found = []
    for key, value in _unread(config, config.values, ""):
        name = key.rpartition(".")[2]
        if isinstance(value, Mapping):
            if name not in PARTS and name.endswith("_config"):
                kind = value.get("model_type", "")
                config.refuse(
                    f"{key} (model_type {kind!r}) is a part that {config.family!r} is not known "
                    "to have"
                )
        elif STRUCTURE.search(name) and not HARMLESS.search(name) and name not in NEVER_READ:
            found.append(f"{key} = {str(value)[:40]}")
    if not found:
        return ()
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return (f"Not read, not among the keys known to matter: {', '.join(found[:5])}{more}",)


def _unread(config: Config, values: Mapping[str, Any], where: str) -> Iterator[tuple[str, object]]:
    """Yield keys with a value that were not asked for, those of parts that were read included."""
    for key, value in values.items():
        name = f"{where}{key}"
        if name in config.seen:
            if isinstance(value, Mapping):
                yield from _unread(config, value, f"{name}.")
        elif value not in (None, False, 0, 1, "", [], {}) and not isinstance(value, str):
            yield name, value
