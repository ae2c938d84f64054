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


def with_free_keys(arguments: Sequence[str]) -> list[str]:
    """Let Hydra add keys below `FREE_NODES` without ``+``.

    >>> with_free_keys(["-m", "space.knobs.batch=1,8", "seed=3"])
    ['-m', '++space.knobs.batch=1,8', 'seed=3']
    """
    return [
        f"++{argument}" if argument.startswith(FREE_NODES) and "=" in argument else argument
        for argument in arguments
    ]


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
