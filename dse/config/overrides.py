"""The overrides of a command line: what may be added without ``+``, and what was set."""

from collections.abc import Iterable, Sequence

FREE_NODES = (
    "accelerator.",
    "budget.",
    "pick.weights.",
    "search.options.",
    "space.knobs.",
    "workload.",
)
"""Nodes whose keys are not all in the YAML; Ridgepoint checks them itself, after Hydra."""


def hydra_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line as Hydra wants it.

    Keys below `FREE_NODES` may be added without ``+``, and options may stand after overrides.

    >>> hydra_arguments(["space.knobs.batch=1,8", "seed=3", "-m"])
    ['-m', '++space.knobs.batch=1,8', 'seed=3']
    """
    overrides = [x for x in arguments if not x.startswith("-") and ("=" in x or x[:1] == "~")]
    options = [x for x in arguments if x not in overrides]
    free = [f"++{x}" if x.startswith(FREE_NODES) and "=" in x else x for x in overrides]
    return [*options, *free]


def override_keys(overrides: Iterable[str]) -> list[str]:
    """Return the keys that overrides set, without Hydra's signs.

    >>> override_keys(["++workload.batch=8", "task=evaluate", "~space.knobs.batch"])
    ['workload.batch', 'task', 'space.knobs.batch']
    """
    return [override.lstrip("+~").partition("=")[0] for override in overrides]


def keys_below(node: str, overrides: Iterable[str]) -> list[str]:
    """Return the keys directly below a node that overrides set, each once.

    >>> keys_below("workload", ["++workload.bits.input=4", "++workload.batch=8", "seed=1"])
    ['bits', 'batch']
    """
    inside = [x[len(node) + 1 :] for x in override_keys(overrides) if x.startswith(f"{node}.")]
    return list(dict.fromkeys(key.partition(".")[0] for key in inside))
