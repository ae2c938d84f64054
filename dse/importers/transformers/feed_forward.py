"""Feed-forward blocks, and mixtures of them."""

from dataclasses import dataclass, replace

from dse.importers.transformers.layers import Item, Run, added, passed, product


def mlp_items(run: Run, hidden: int, inner: int, *, gated: bool, biases: bool) -> list[Item]:
    """Return a feed-forward block; a gated one has a second product and reads two maps."""
    up, down = (inner, hidden) if biases else (0, 0)
    gate = [product(run, "mlp_gate", hidden, inner, bias=up)] if gated else []
    joined = [passed(run, "multiply", "mlp_multiply", (2 * inner, inner))] if gated else []
    return [
        *gate,
        product(run, "mlp_up", hidden, inner, bias=up),
        *joined,
        product(run, "mlp_down", inner, hidden, bias=down),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """A mixture of experts.

    Attributes
    ----------
    count, active
        Experts, and how many of them each token uses.
    intermediate, shared
        Channels inside an expert, and inside what every token uses beside them; 0 if nothing.
    shared_gate
        Whether the shared part has a gate of its own.
    gated, biases, router_bias
        Whether experts have gates and biases, and their router a bias.
    """

    count: int
    active: int
    intermediate: int
    shared: int = 0
    shared_gate: bool = False
    gated: bool = True
    biases: bool = False
    router_bias: bool = False


def expert_items(run: Run, hidden: int, e: Experts) -> tuple[list[Item], int]:
    """Return a mixture of experts, and the learned elements of the experts that no token uses.

    Tokens spread evenly: as many experts run as there are choices, at most all of them; where
    the choices do not divide by them, some take one token more than the rest.
    """
    choices = run.queries * e.active
    used = min(e.count, choices)
    more, tokens = choices % used, choices // used
    items = [product(run, "router", hidden, e.count, bias=e.router_bias * e.count)]
    if more:
        items += _expert(run, hidden, e, tokens=tokens + 1, experts=more, suffix="")
    rest = "_rest" if more else ""
    items += _expert(run, hidden, e, tokens=tokens, experts=used - more, suffix=rest)
    items.append(passed(run, "add", "expert_sum", (e.active * hidden, hidden)))
    if e.shared:
        shared = mlp_items(run, hidden, e.shared, gated=e.gated, biases=e.biases)
        items += [_renamed(run, x, "mlp_", "shared_") for x in shared]
        items.append(added(run, "shared_add", hidden))
    if e.shared_gate:
        items.append(product(run, "shared_weight", hidden, 1))
    inner, products = e.intermediate, 3 if e.gated else 2
    each = products * hidden * inner + e.biases * ((products - 1) * inner + hidden)
    return items, (e.count - used) * run.repeat * each


def _expert(
    run: Run, hidden: int, e: Experts, *, tokens: int, experts: int, suffix: str
) -> list[Item]:
    """Return experts that take so many tokens each."""
    share = replace(run, queries=tokens, repeat=run.repeat * experts, suffix=suffix + run.suffix)
    made = mlp_items(share, hidden, e.intermediate, gated=e.gated, biases=e.biases)
    return [_renamed(share, x, "mlp_", "expert_") for x in made]


def _renamed(run: Run, item: Item, old: str, new: str) -> Item:
    """Return a layer whose name begins otherwise."""
    module, part, places = item["role"]
    name = item["name"].removeprefix(run.prefix).replace(old, new, 1)
    return {
        **item,
        "name": run.prefix + name,
        "role": (module, part.replace(old, new, 1), places),
    }
