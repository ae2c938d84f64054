"""State spaces in the place of attention: Mamba and Mamba-2."""

from dse.importers.transformers.config import Config
from dse.importers.transformers.layers import Item, Run, convolution, norm, passed, product

SCAN_NOTE = (
    "State space: its scan, a few products of each channel with its state, is charged as its bytes "
    "and done outside the array; the products of matrices around it are layers"
)


def state_space_items(config: Config, run: Run, hidden: int, kind: str) -> list[Item]:
    """Return a mixer of tokens by a state, whose scan has no MACs of matrices.

    The state is read and written once for all tokens of a run: it stays on chip between them.
    """
    return _mamba(config, run, hidden) if kind == "mamba" else _mamba2(config, run, hidden)


def _mamba(config: Config, run: Run, hidden: int) -> list[Item]:
    state, taps = config.positive("state_size"), config.positive("conv_kernel")
    inner = config.positive("expand") * hidden
    if config.get("intermediate_size") is not None:
        inner = config.positive("intermediate_size")
    rank = config.get("time_step_rank")
    rank = -(-hidden // 16) if rank in ("auto", None) else config.positive("time_step_rank")
    bias = config.flag("use_bias")
    return [
        product(run, "state_in", hidden, 2 * inner, bias=2 * inner * bias),
        _filter(config, run, inner, taps),
        product(run, "state_steps_down", inner, rank + 2 * state),
        product(run, "state_steps_up", rank, inner, bias=inner),
        _scan(run, inner, state, learned=inner * (state + 1)),
        product(run, "state_out", inner, hidden, bias=hidden * bias),
    ]


def _mamba2(config: Config, run: Run, hidden: int) -> list[Item]:
    state, taps = config.positive("state_size"), config.positive("conv_kernel")
    groups, heads = config.positive("n_groups"), config.positive("num_heads")
    inner = config.positive("expand") * hidden
    if heads * config.positive("head_dim") != inner:
        config.refuse(
            f"{config.where}num_heads * head_dim must be expand * hidden_size = {inner}, "
            f"got {heads * config.positive('head_dim')}"
        )
    mixed = inner + 2 * groups * state
    out, bias = inner + mixed + heads, config.flag("use_bias")
    return [
        product(run, "state_in", hidden, out, bias=out * bias),
        _filter(config, run, mixed, taps),
        _scan(run, inner, state, learned=3 * heads),
        norm(run, "state_norm", inner, 1),
        product(run, "state_out", inner, hidden, bias=hidden * bias),
    ]


def _filter(config: Config, run: Run, channels: int, taps: int) -> Item:
    """Return the filter along tokens of each channel."""
    learned = channels * config.flag("use_conv_bias")
    return convolution(
        run, "state_filter", learned, g=channels, oy=run.queries, fy=taps,
        iy=run.queries + taps - 1,
    )  # fmt: skip


def _scan(run: Run, inner: int, state: int, *, learned: int) -> Item:
    item = passed(run, "other", "state_scan", (2 * inner, inner), learned)
    item["input_elements"] += inner * state
    item["output_elements"] += inner * state
    return item
