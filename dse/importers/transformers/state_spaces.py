"""What mixes tokens by a state in the place of attention: Mamba, delta nets, short filters."""

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
    builders = {
        "mamba": _mamba,
        "mamba2": _mamba2,
        "delta": _delta,
        "filter": _short_filter,
        "lru": _recurrent,
    }
    return builders[kind](config, run, hidden)


def _mamba(config: Config, run: Run, hidden: int) -> list[Item]:
    state, inner = config.positive("mamba_d_state"), config.positive("mamba_expand") * hidden
    if config.get("mamba_intermediate_size") is not None:
        inner = config.positive("mamba_intermediate_size")
    rank = -(-hidden // 16)
    if config.get("mamba_dt_rank") not in ("auto", None):
        rank = config.positive("mamba_dt_rank")
    bias, mixed = config.flag("mamba_proj_bias"), rank + 2 * state
    norms = [norm(run, "state_steps_norm", mixed, 1)] * config.flag("mamba_norms")
    return [
        product(run, "state_in", hidden, 2 * inner, bias=2 * inner * bias),
        _filter(run, inner, config.positive("mamba_d_conv"), bias=config.flag("mamba_conv_bias")),
        product(run, "state_steps_down", inner, mixed),
        *norms,
        product(run, "state_steps_up", rank, inner, bias=inner),
        _scan(run, inner, inner * state, learned=inner * (state + 1)),
        product(run, "state_out", inner, hidden, bias=hidden * bias),
    ]


def _mamba2(config: Config, run: Run, hidden: int) -> list[Item]:
    state, inner = config.positive("mamba_d_state"), config.positive("mamba_expand") * hidden
    if config.get("mamba_d_ssm") is not None:
        inner = config.positive("mamba_d_ssm")
    groups, heads = config.positive("mamba_n_groups"), config.positive("mamba_n_heads")
    width = config.get("mamba_d_head")
    if width not in ("auto", None) and heads * config.positive("mamba_d_head") != inner:
        config.refuse(
            f"{config.where}mamba heads times their channels must be {inner}, got {heads} * {width}"
        )
    mixed = inner + 2 * groups * state
    out, bias = inner + mixed + heads, config.flag("mamba_proj_bias")
    return [
        product(run, "state_in", hidden, out, bias=out * bias),
        _filter(run, mixed, config.positive("mamba_d_conv"), bias=config.flag("mamba_conv_bias")),
        _scan(run, inner, inner * state, learned=3 * heads),
        *[norm(run, "state_norm", inner, 1)] * (config.get("mamba_rms_norm") is not False),
        product(run, "state_out", inner, hidden, bias=hidden * bias),
    ]


def _recurrent(config: Config, run: Run, hidden: int) -> list[Item]:
    """Return a gated linear recurrence of channels, whose gates are products inside heads."""
    width = config.positive("lru_width", default=hidden)
    heads = config.positive("num_attention_heads")
    size = width // heads
    return [
        product(run, "state_gate", hidden, width, bias=width),
        product(run, "state_in", hidden, width, bias=width),
        _filter(run, width, config.positive("conv1d_width"), bias=True),
        product(run, "state_steps", size, 2 * size, g=heads, bias=2 * width),
        _scan(run, 2 * width, width, learned=width),
        passed(run, "multiply", "state_multiply", (2 * width, width)),
        product(run, "state_out", width, hidden, bias=hidden),
    ]


def _delta(config: Config, run: Run, hidden: int) -> list[Item]:
    """Return a gated delta net: a matrix of keys and values for each head is the state."""
    heads = config.positive("linear_num_value_heads")
    dims = config.positive("linear_key_head_dim"), config.positive("linear_value_head_dim")
    keys, values = config.positive("linear_num_key_heads") * dims[0], heads * dims[1]
    scan = _scan(run, 2 * keys + values, heads * dims[0] * dims[1], learned=2 * heads)
    return [
        product(run, "state_in", hidden, 2 * keys + 2 * values),
        product(run, "state_steps", hidden, 2 * heads),
        _filter(run, 2 * keys + values, config.positive("linear_conv_kernel_dim"), bias=False),
        scan,
        passed(run, "layer_norm", "state_norm", (2 * values, values), dims[1]),
        product(run, "state_out", values, hidden),
    ]


def _short_filter(config: Config, run: Run, hidden: int) -> list[Item]:
    """Return a filter of a few tokens between two gates."""
    bias = config.flag("conv_bias")
    return [
        product(run, "state_in", hidden, 3 * hidden, bias=3 * hidden * bias),
        passed(run, "multiply", "state_gate_in", (2 * hidden, hidden)),
        _filter(run, hidden, config.positive("conv_L_cache"), bias=bias),
        passed(run, "multiply", "state_gate_out", (2 * hidden, hidden)),
        product(run, "state_out", hidden, hidden, bias=hidden * bias),
    ]


def _filter(run: Run, channels: int, taps: int, *, bias: bool) -> Item:
    """Return the filter along tokens of each channel."""
    return convolution(
        run,
        "state_filter",
        channels * bias,
        g=channels,
        oy=run.queries,
        fy=taps,
        iy=run.queries + taps - 1,
    )


def _scan(run: Run, inner: int, state: int, *, learned: int) -> Item:
    item = passed(run, "other", "state_scan", (2 * inner, inner), learned)
    item["input_elements"] += state
    item["output_elements"] += state
    return item
