"""Which blocks of a decoder are alike: their mixers, windows and experts."""

from dataclasses import dataclass

from dse.importers.transformers.config import Config

PERIODS = {
    "gemma2": 2, "gemma3_text": 6, "gpt_oss": 2, "cohere2": 4, "olmo3": 4, "llama4_text": 4,
    "exaone4": 4,
}  # fmt: skip
"""Each so manieth layer attends to all, the others to a window, if no list of types is given."""

MIXERS = {
    "mamba": "mamba", "mamba2": "mamba2", "falcon_mamba": "mamba", "jamba": "mamba",
    "bamba": "mamba2", "granitemoehybrid": "mamba2", "qwen3_next": "delta", "qwen3_5_text": "delta",
    "qwen3_5_moe_text": "delta", "lfm2": "filter",
    "recurrent_gemma": "lru",
}  # fmt: skip
"""What mixes tokens in blocks of a family that do not attend."""

ONLY_STATES = ("mamba", "mamba2", "falcon_mamba")
"""Families whose blocks have a state space, and nothing else."""

ATTENDING = ("full_attention", "sliding_attention", "chunked_attention", "attention")
TYPES = (*ATTENDING, "linear_attention", "mamba", "conv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What sets a block apart from others of its network.

    Attributes
    ----------
    mixer
        ``attention``, or one of those of `MIXERS`.
    window, chunk
        Tokens that each attends to, itself and before, or of its own chunk; 0 for all.
    is_sparse
        Whether it has experts, and `is_mixed` whether other blocks are of the other kind.
    has_feed_forward
        Whether a feed-forward block follows the mixer.
    """

    mixer: str = "attention"
    window: int = 0
    chunk: int = 0
    is_sparse: bool = False
    is_mixed: bool = False
    has_feed_forward: bool = True

    @property
    def suffix(self) -> str:
        """What its layers' names end in, where a network has several kinds."""
        dense = "_dense" if self.is_mixed and not self.is_sparse else ""
        local = "_local" if self.window or self.chunk else ""
        return dense + local + ("" if self.mixer == "attention" else f"_{self.mixer}")


def places_of(config: Config) -> dict[Place, tuple[int, ...]]:
    """Return the blocks that are alike together, with their numbers."""
    layers = config.positive("num_hidden_layers")
    types = _types(config, layers)
    sparse = [_is_sparse(config, number) for number in range(layers)]
    found: dict[Place, tuple[int, ...]] = {}
    for number, kind in enumerate(types):
        mixer = "attention" if kind in ATTENDING else MIXERS.get(config.family, "")
        if not mixer:
            config.refuse(f"{config.where}layer_types: {config.family} has no {kind!r}")
        place = Place(
            mixer=mixer,
            window=config.number("sliding_window") if kind == "sliding_attention" else 0,
            chunk=config.number("attention_chunk_size") if kind == "chunked_attention" else 0,
            is_sparse=sparse[number],
            is_mixed=any(sparse),
            has_feed_forward=config.family not in ONLY_STATES,
        )
        found[place] = (*found.get(place, ()), number)
    return found


def _types(config: Config, layers: int) -> list[str]:
    """Return what each layer attends to."""
    if config.family in ONLY_STATES:
        return ["mamba"] * layers
    given = config.get("layer_types")
    if given is not None:
        if not isinstance(given, list) or len(given) != layers:
            config.refuse(
                f"{config.where}layer_types must have {layers} entries, one for each layer, "
                f"got {given!r}"
            )
        if unknown := [x for x in given if x not in TYPES]:
            known = ", ".join(TYPES)
            config.refuse(f"{config.where}layer_types must be of {known}, got {unknown[0]!r}")
        return given
    local = "chunked_attention" if config.family == "llama4_text" else "sliding_attention"
    key = "attention_chunk_size" if config.family == "llama4_text" else "sliding_window"
    if not config.number(key, default=0) or config.get("use_sliding_window") is False:
        return ["full_attention"] * layers
    period = config.number("sliding_window_pattern", default=PERIODS.get(config.family, 0))
    if period:
        return ["full_attention" if (x + 1) % period == 0 else local for x in range(layers)]
    first = config.number("max_window_layers", default=0)
    return [local if x >= first else "full_attention" for x in range(layers)]


def _is_sparse(config: Config, number: int) -> bool:
    """Whether a layer has experts."""
    if not config.number("num_experts", default=0):
        return False
    kinds = config.get("mlp_layer_types")
    if isinstance(kinds, list) and number < len(kinds):
        return bool(kinds[number] == "sparse")
    listed = config.get("moe_layers")
    if isinstance(listed, list):
        return number in listed
    step = config.positive("interleave_moe_layer_step", default=1)
    step = config.positive("decoder_sparse_step", default=step)
    first = config.number("first_k_dense_replace", default=0)
    first = config.number("moe_layer_start_index", default=first)
    step = config.positive("moe_layer_interval", default=step)
    step = config.positive("moe_layer_freq", default=step)
    last = config.get("moe_layer_end_index")
    if isinstance(last, int) and 0 <= last < number:
        return False
    only = config.get("mlp_only_layers") or []
    if not isinstance(only, list):
        config.refuse(f"{config.where}mlp_only_layers must be a list, got {only!r}")
    return number >= first and (number + 1) % step == 0 and number not in only
