"""Transformers that read tokens from left to right, one kind of block after another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dse.importers.transformers.blocks import Place, places_of
from dse.importers.transformers.config import Config, Made, Tokens, has_head
from dse.importers.transformers.feed_forward import Experts, expert_items, mlp_items
from dse.importers.transformers.layers import (
    Attention,
    Item,
    LatentAttention,
    Run,
    added,
    attention_items,
    latent_items,
    norm,
    passed,
    product,
)
from dse.importers.transformers.state_spaces import SCAN_NOTE, state_space_items

MOE_NOTE = (
    "Mixture of experts: tokens spread evenly over the experts; a batch takes the experts of one "
    "inference, so weight traffic of a batch is a lower limit"
)
WINDOW_NOTE = (
    "Sliding window: every query of a run is computed against all keys that some query of it "
    "sees, and masked; exact for one query"
)
MODULE = "model.layers.{}"

Flag = bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """What sets the decoders of one family apart; a flag is a constant, or the key that has it.

    Attributes
    ----------
    norm
        Learned vectors of a norm: a scale, and an offset.
    norms
        Norms of a block: 1 for both halves, 2 ahead of each, or 4 around each.
    query_bias, key_bias, value_bias, output_bias, mlp_bias, head_bias, expert_bias
        Biases; ``key_bias`` and ``value_bias`` are those of queries if None.
    gated
        Whether the feed-forward block has a gate.
    head_norm
        What the norms of queries and keys scale: ``head`` (the channels of a head), ``width``
        (those of all heads); none if empty. A key may say whether there are any.
    head_norm_if, head_norm_vectors
        That key, and the learned vectors of these norms.
    fused
        Whether one product makes queries, keys and values.
    positions
        Rows of the table of positions above those that the file names; None without a table.
    embedding_norm, final_norm
        Whether a norm follows the table of tokens, and the last block.
    sinks
        Whether each head learns a score that no token has.
    query_gate
        Whether queries come with a gate of the heads' results.
    states_beside
        The state space that runs beside attention; none if empty.
    inner_norms
        Whether norms follow the heads and the gate.
    activation_parameters
        Learned elements of each block's activation.
    router_bias
        Whether the router of experts has a bias.
    adapt
        Makes keys of a family that are its own into those that others have.
    """

    norm: int = 1
    norms: int | str = 2
    query_bias: Flag = "attention_bias"
    key_bias: Flag | None = None
    value_bias: Flag | None = None
    output_bias: Flag = "attention_bias"
    mlp_bias: Flag = "mlp_bias"
    head_bias: Flag = False
    expert_bias: bool = False
    gated: Flag = True
    head_norm: str = ""
    head_norm_if: Flag = True
    head_norm_vectors: int = 1
    fused: bool = False
    positions: int | None = None
    embedding_norm: bool = False
    final_norm: Flag = True
    sinks: bool = False
    query_gate: bool = False
    states_beside: str = ""
    inner_norms: bool = False
    activation_parameters: int = 0
    router_bias: bool = False
    adapt: Callable[[Config], Mapping[str, Any]] | None = None

    def __call__(self, config: Config, tokens: Tokens) -> Made:
        """Return the layers of a network."""
        if self.adapt is not None:
            config = config.having(**self.adapt(config))
        hidden = config.positive("hidden_size")
        items = self._beginning(config, tokens, hidden)
        idle, notes = 0, []
        groups = places_of(config)
        for place, numbers in groups.items():
            run = _run(tokens, place, numbers, is_only=len(groups) == 1)
            made, unused = self._block(config, run, hidden, place)
            items, idle = items + made, idle + unused
            notes += [WINDOW_NOTE] if place.window and tokens.queries > 1 else []
            notes += [MOE_NOTE] if place.is_sparse else []
            scans = self.states_beside or place.mixer not in ("attention", "filter")
            notes += [SCAN_NOTE] if scans else []
        return Made(items + self._ending(config, tokens, hidden), idle, tuple(dict.fromkeys(notes)))

    def _beginning(self, config: Config, tokens: Tokens, hidden: int) -> list[Item]:
        """Return the tables; a token's, tied, is the head's matrix and counted there."""
        run = Run(queries=tokens.queries)
        vocabulary = config.positive("vocab_size")
        width = config.positive("word_embed_proj_dim", default=hidden)
        rows = 0 if config.flag("tie_word_embeddings") and has_head(config) else vocabulary
        table = rows * width
        if self.positions is not None:
            table += (config.positive("max_position_embeddings") + self.positions) * hidden
        read = hidden if self.positions is None else 2 * hidden
        items = [passed(run, "embedding", "embedding", (read, hidden), table)]
        if width != hidden:
            items.append(product(run, "embedding_up", width, hidden))
        return items + ([norm(run, "embedding_norm", hidden, self.norm)] * self.embedding_norm)

    def _ending(self, config: Config, tokens: Tokens, hidden: int) -> list[Item]:
        """Return the last norm and the head, for the last token only."""
        head = has_head(config)
        run = Run(queries=1 if head else tokens.queries)
        vocabulary = config.positive("vocab_size")
        width = config.positive("word_embed_proj_dim", default=hidden)
        items = [norm(run, "norm", hidden, self.norm)] * config.flag(self.final_norm)
        items += [product(run, "head_down", hidden, width)] * (width != hidden)
        bias = vocabulary * config.flag(self.head_bias)
        return items + [product(run, "head", width, vocabulary, bias=bias)] * head

    def _block(self, config: Config, run: Run, hidden: int, place: Place) -> tuple[list[Item], int]:
        """Return one group of alike blocks, and the learned elements of idle experts."""
        norms = self.norms if isinstance(self.norms, int) else config.positive(self.norms)
        first = [norm(run, "attention_norm", hidden, self.norm)]
        second = [norm(run, "mlp_norm", hidden, self.norm)] * (norms > 1)
        post = [
            [norm(run, name, hidden, self.norm)] * (norms == 4)
            for name in ("attention_post_norm", "mlp_post_norm")
        ]
        mixed = self._mixer(config, run, hidden, place)
        fed, idle = self._feed_forward(config, run, hidden, place)
        sums = [added(run, f"{name}_add", hidden) for name in ("attention", "mlp")]
        if not fed:
            return [*first, *mixed, sums[0]], 0
        return [*first, *mixed, *post[0], sums[0], *second, *fed, *post[1], sums[1]], idle

    def _mixer(self, config: Config, run: Run, hidden: int, place: Place) -> list[Item]:
        """Return what mixes tokens: attention, or a state space."""
        if place.mixer != "attention":
            return state_space_items(config, run, hidden, place.mixer)
        beside = []
        if self.states_beside:
            beside = [
                *state_space_items(config, run, hidden, self.states_beside),
                added(run, "state_add", hidden),
            ]
        if config.get("kv_lora_rank") is not None:
            return latent_items(run, _latent(config, hidden))
        attention = self._attention(config, hidden)
        items = attention_items(run, attention)
        if self.inner_norms:
            width = attention.heads * attention.head_dim
            items.insert(-1, norm(run, "attention_inner_norm", width, self.norm))
        if self.query_gate:
            wide = attention.heads * attention.head_dim
            items[0]["k"] += wide
            items.insert(-1, passed(run, "multiply", "attention_gate", (2 * wide, wide)))
        return items + beside

    def _attention(self, config: Config, hidden: int) -> Attention:
        heads = config.positive("num_attention_heads")
        dim = config.positive("head_dim", default=hidden // heads)
        kv_heads = config.positive("num_key_value_heads", default=heads)
        if heads % kv_heads:
            config.refuse(
                f"{config.where}num_key_value_heads must divide num_attention_heads = {heads}, "
                f"got {kv_heads}"
            )
        query = config.flag(self.query_bias)
        extra = heads if self.sinks else 0
        if self.head_norm and config.flag(self.head_norm_if):
            scaled = 2 * dim if self.head_norm == "head" else (heads + kv_heads) * dim
            extra += scaled * self.head_norm_vectors
        return Attention(
            hidden=hidden,
            heads=heads,
            kv_heads=kv_heads,
            head_dim=dim,
            query_bias=query,
            key_bias=query if self.key_bias is None else config.flag(self.key_bias),
            value_bias=query if self.value_bias is None else config.flag(self.value_bias),
            output_bias=config.flag(self.output_bias),
            extra=extra,
            is_fused=self.fused,
        )

    def _feed_forward(
        self, config: Config, run: Run, hidden: int, place: Place
    ) -> tuple[list[Item], int]:
        if place.is_sparse:
            return expert_items(run, hidden, self._experts(config))
        if not place.has_feed_forward:
            return [], 0
        own = "intermediate_size_mlp" if config.get("intermediate_size_mlp") else ""
        inner = config.positive(own or "intermediate_size", default=4 * hidden)
        biases = config.flag(self.mlp_bias)
        gated = config.flag(self.gated)
        items = mlp_items(run, hidden, inner, gated=gated, biases=biases)
        if self.inner_norms:
            items.insert(-1, norm(run, "mlp_inner_norm", inner, self.norm))
        if self.activation_parameters:
            learned = items[0].get("extra_parameters", 0) + self.activation_parameters
            items[0]["extra_parameters"] = learned
        return items, 0

    def _experts(self, config: Config) -> Experts:
        count = config.positive("num_experts")
        active = config.positive("num_experts_per_tok")
        if active > count:
            config.refuse(
                f"{config.where}num_experts_per_tok must be at most {count}, got {active}"
            )
        own = "moe_intermediate_size" if config.get("moe_intermediate_size") else ""
        inner = config.positive(own or "intermediate_size")
        gated = config.number("shared_expert_intermediate_size", default=0)
        shared = gated or config.number("shared_intermediate_size", default=0)
        return Experts(
            count=count,
            active=active,
            intermediate=inner,
            shared=shared or inner * config.number("n_shared_experts", default=0),
            shared_gate=bool(gated),
            biases=self.expert_bias,
            router_bias=self.router_bias,
        )


def _run(tokens: Tokens, place: Place, numbers: tuple[int, ...], *, is_only: bool) -> Run:
    context = tokens.context
    if place.window:
        context = min(context, place.window + tokens.queries - 1)
    if place.chunk:
        context = min(context, place.chunk)
    return Run(
        queries=tokens.queries,
        context=context,
        repeat=len(numbers),
        suffix="" if is_only else place.suffix,
        module=MODULE,
        places=numbers,
    )


def _latent(config: Config, hidden: int) -> LatentAttention:
    return LatentAttention(
        hidden=hidden,
        heads=config.positive("num_attention_heads"),
        query_rank=config.number("q_lora_rank", default=0),
        latent=config.positive("kv_lora_rank"),
        rope_dim=config.positive("qk_rope_head_dim"),
        nope_dim=config.positive("qk_nope_head_dim"),
        value_dim=config.positive("v_head_dim"),
        has_bias=config.flag("attention_bias"),
    )
