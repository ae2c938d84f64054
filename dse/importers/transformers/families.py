"""Families of transformers: from a configuration to layers."""

from collections.abc import Callable, Sequence

from dse.errors import DseError
from dse.importers.transformers.config import Config, Made, Tokens
from dse.importers.transformers.encoders import bert, vit
from dse.importers.transformers.layers import (
    Attention,
    Experts,
    Item,
    LatentAttention,
    Run,
    attention_items,
    expert_items,
    latent_items,
    mlp_items,
    passed,
    product,
)

MOE_NOTE = (
    "Mixture of experts: tokens spread evenly over the experts; a batch takes the experts of one "
    "inference, so weight traffic of a batch is a lower limit"
)
WINDOW_NOTE = (
    "Sliding window: every query of a run is computed against all keys that some query of it "
    "sees, and masked; exact for one query"
)


def _decoder(config: Config, tokens: Tokens) -> Made:
    """Llama and its kin: rotary positions, gated feed-forward, RMS norms."""
    hidden, vocabulary = config.positive("hidden_size"), config.positive("vocab_size")
    layers = config.positive("num_hidden_layers")
    is_tied = config.flag("tie_word_embeddings")
    items = [_embedding(tokens, hidden, 0 if is_tied else vocabulary)]
    idle, notes = 0, []
    windows = _windows(config, layers)
    for dense, window, count in _groups(config, layers, windows):
        context = tokens.context if not window else min(tokens.context, window + tokens.queries - 1)
        suffix = (
            "" if count == layers else ("_dense" if dense else "") + ("_local" if window else "")
        )
        run = Run(queries=tokens.queries, context=context, repeat=count, suffix=suffix)
        made, unused = _block(config, run, hidden, is_dense=dense)
        items, idle = items + made, idle + unused
        notes += [WINDOW_NOTE] if window and tokens.queries > 1 else []
    notes += [MOE_NOTE] if _experts(config) is not None else []
    items += _ending(hidden, vocabulary, norm=hidden)
    return Made(items, idle, tuple(dict.fromkeys(notes)))


def _embedding(tokens: Tokens, hidden: int, vocabulary: int) -> Item:
    """Return the token table; tied, it is the head's matrix and counted there."""
    run = Run(queries=tokens.queries, context=1, repeat=1)
    return passed(run, "embedding", "embedding", (hidden, hidden), vocabulary * hidden)


def _ending(hidden: int, vocabulary: int, *, norm: int) -> list[Item]:
    """Return the last norm and the head, for the last token only."""
    run = Run(queries=1, context=1, repeat=1)
    last = passed(run, "layer_norm", "norm", (hidden, hidden), norm)
    return [last, product(run, "head", hidden, vocabulary)]


def _block(config: Config, run: Run, hidden: int, *, is_dense: bool) -> tuple[list[Item], int]:
    """Return one group of alike blocks, and the learned elements of idle experts."""
    around = (2 * hidden, hidden)
    latent = _latent(config, hidden)
    attention = (
        latent_items(run, latent) if latent else attention_items(run, _heads(config, hidden))
    )
    experts = None if is_dense else _experts(config)
    biases = config.flag("mlp_bias")
    if experts is None:
        inner = config.positive("intermediate_size")
        second, idle = mlp_items(run, hidden, inner, gated=True, biases=biases), 0
    else:
        second, idle = expert_items(run, hidden, experts)
    items = [
        passed(run, "layer_norm", "attention_norm", (hidden, hidden), hidden),
        *attention,
        passed(run, "add", "attention_add", around),
        passed(run, "layer_norm", "mlp_norm", (hidden, hidden), hidden),
        *second,
        passed(run, "add", "mlp_add", around),
    ]
    return items, idle


def _heads(config: Config, hidden: int) -> Attention:
    family = str(config.values["model_type"])
    heads = config.positive("num_attention_heads", "n_head")
    dim = config.positive("head_dim", default=hidden // heads)
    kv_heads = config.positive("num_key_value_heads", default=heads)
    if heads % kv_heads:
        raise DseError(
            f"{config.path}: num_key_value_heads must divide num_attention_heads = {heads}, "
            f"got {kv_heads}"
        )
    is_biased = config.flag("attention_bias") or family in ("qwen2", "qwen2_moe")
    return Attention(
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=dim,
        input_biases=is_biased,
        output_bias=config.flag("attention_bias") and not family.startswith("qwen"),
        head_norm_parameters=2 * dim if family.startswith("qwen3") else 0,
    )


def _latent(config: Config, hidden: int) -> LatentAttention | None:
    if config.values.get("kv_lora_rank") is None:
        return None
    return LatentAttention(
        hidden=hidden,
        heads=config.positive("num_attention_heads"),
        query_rank=config.number("q_lora_rank", default=0),
        latent=config.positive("kv_lora_rank"),
        rope_dim=config.positive("qk_rope_head_dim"),
        nope_dim=config.positive("qk_nope_head_dim"),
        value_dim=config.positive("v_head_dim"),
    )


def _experts(config: Config) -> Experts | None:
    count = config.number("num_local_experts", "n_routed_experts", "num_experts", default=0)
    if not count:
        return None
    active = config.positive("num_experts_per_tok")
    if active > count:
        raise DseError(f"{config.path}: num_experts_per_tok must be at most {count}, got {active}")
    inner = config.positive("moe_intermediate_size", "intermediate_size")
    shared = config.number("shared_expert_intermediate_size", default=0)
    return Experts(
        count=count,
        active=active,
        intermediate=inner,
        shared=shared or inner * config.number("n_shared_experts", default=0),
        shared_gate=bool(shared),
    )


def _windows(config: Config, layers: int) -> list[int]:
    """Return the sliding window of each layer, 0 for none."""
    window = config.number("sliding_window", default=0)
    if not window or config.values.get("use_sliding_window") is False:
        return [0] * layers
    kinds = config.values.get("layer_types")
    if isinstance(kinds, list) and len(kinds) == layers:
        return [window if x == "sliding_attention" else 0 for x in kinds]
    first = config.number("max_window_layers", default=0)
    return [window if place >= first else 0 for place in range(layers)]


def _groups(config: Config, layers: int, windows: Sequence[int]) -> list[tuple[bool, int, int]]:
    """Return alike layers together: whether dense, their window, and how many there are."""
    first = config.number("first_k_dense_replace", default=0)
    step = config.positive("decoder_sparse_step", "moe_layer_freq", default=1)
    only = config.values.get("mlp_only_layers") or []
    counts: dict[tuple[bool, int], int] = {}
    for place in range(layers):
        is_sparse = place >= first and place not in only
        if "decoder_sparse_step" in config.values:
            is_sparse = is_sparse and (place + 1) % step == 0
        key = (not is_sparse and _experts(config) is not None, windows[place])
        counts[key] = counts.get(key, 0) + 1
    return [(dense, window, count) for (dense, window), count in counts.items()]


def _gpt2(config: Config, tokens: Tokens) -> Made:
    """GPT-2: learned positions, layer norms and biases everywhere, one product for q, k and v."""
    hidden, vocabulary = config.positive("n_embd"), config.positive("vocab_size")
    heads, positions = config.positive("n_head"), config.positive("n_positions")
    inner = config.positive("n_inner", default=4 * hidden)
    run = Run(queries=tokens.queries, context=tokens.context, repeat=config.positive("n_layer"))
    once = Run(queries=tokens.queries, context=1, repeat=1)
    is_tied = config.flag("tie_word_embeddings", default=True)
    learned = (positions + (0 if is_tied else vocabulary)) * hidden
    block = Attention(hidden=hidden, heads=heads, kv_heads=heads, head_dim=hidden // heads)
    core = attention_items(run, block)[3:-1]
    items = [
        passed(once, "embedding", "embedding", (2 * hidden, hidden), learned),
        passed(run, "layer_norm", "attention_norm", (hidden, hidden), 2 * hidden),
        product(run, "qkv", hidden, 3 * hidden, bias=3 * hidden),
        *core,
        product(run, "projection", hidden, hidden, bias=hidden),
        passed(run, "add", "attention_add", (2 * hidden, hidden)),
        passed(run, "layer_norm", "mlp_norm", (hidden, hidden), 2 * hidden),
        *mlp_items(run, hidden, inner, gated=False, biases=True),
        passed(run, "add", "mlp_add", (2 * hidden, hidden)),
        *_ending(hidden, vocabulary, norm=2 * hidden),
    ]
    return Made(items)


DECODER, ENCODER, IMAGE = ("query_len", "context_len"), ("seq_len",), ()
FAMILIES: dict[str, tuple[tuple[str, ...], Callable[[Config, Tokens], Made]]] = {
    **dict.fromkeys(
        (
            "llama",
            "mistral",
            "mixtral",
            "qwen2",
            "qwen2_moe",
            "qwen3",
            "qwen3_moe",
            "deepseek_v2",
            "deepseek_v3",
        ),
        (DECODER, _decoder),
    ),
    "gpt2": (DECODER, _gpt2),
    "bert": (ENCODER, bert),
    "roberta": (ENCODER, bert),
    "vit": (IMAGE, vit),
}
