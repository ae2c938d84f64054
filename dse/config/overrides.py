"""The overrides of a command line: what may be added without ``+``, and what was set."""

from collections.abc import Iterable, Sequence

from dse.errors import DseError

FREE_NODES = (
    "accelerator.",
    "budget.",
    "mapping.",
    "pick.weights.",
    "search.options.",
    "space.knobs.",
    "workload.",
)
"""Nodes whose keys are not all in the YAML; Chipfront checks them itself, after Hydra."""


GROUPS = "accelerator", "budget", "mapping", "search", "space", "task", "workload"
"""Keys whose values are names of files of the group."""


def hydra_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line as Hydra wants it.

    Keys below `FREE_NODES` may be added without ``+``, and options may stand after overrides. A
    knob's list or range is replaced, never merged with what it was.

    >>> hydra_arguments(["space.knobs.batch=1,8", "seed=3", "-m"])
    ['-m', '++space.knobs.batch=1,8', 'seed=3']
    >>> hydra_arguments(["space.knobs.batch=[1,8]"])
    ['++space.knobs.batch=null', '++space.knobs.batch=[1,8]']

    Raises
    ------
    DseError
        If an override has no key.
    """
    overrides = [x for x in arguments if not x.startswith("-") and ("=" in x or x[:1] == "~")]
    options = [x for x in arguments if x not in overrides]
    return [*options, *(part for x in overrides for part in _hydra_override(x))]


def _hydra_override(text: str) -> list[str]:
    key, equals, value = text.partition("=")
    if not key:
        raise DseError(f"override {text!r} must have the form KEY=VALUE, and has no key")
    if key in GROUPS and (_is_number(value) or value == "null"):
        got = "null" if value == "null" else "a number"
        raise DseError(f"{text}: {key} must be a name in conf/{key}, got {got}")
    is_node = value[:1] == "{" and f"{key}." in FREE_NODES
    if not equals or not (is_node or text.startswith(FREE_NODES)):
        return [text]
    is_replaced = key.startswith("space.knobs.") and value[:1] in ("[", "{")
    return [*([f"++{key}=null"] if is_replaced else []), f"++{text}"]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
