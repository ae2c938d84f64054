"""The overrides of a command line: what may be added without ``+``, and what was set."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

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

GROUPS = (
    *("accelerator", "budget", "dram", "mapping", "search", "space"),
    *("task", "technology", "workload"),
)
"""Keys whose values are names of files of the group."""

REMOVABLE = "space.knobs.", "budget.", "mapping.", "pick.weights.", "search.options."
"""Nodes whose keys may be removed with ``~``."""

PATHS = "workload.path", "accelerator.path", "run"
"""Keys whose values are paths, which may hold characters that Hydra's grammar reserves."""

MOST_DIGITS = 300
"""Digits of a number beyond which it is no number of this world, nor one of any float."""

SWEEP_OPTIONS = "-m", "--multirun"

OPTIONS_WITH_VALUES = "--config-dir", "-cd", "--package", "-p", "--cfg", "-c"

OTHER_CONFIGURATIONS = "-cn", "-cp"

_PLAIN = re.compile(r"[\w\-./:%+@*?|]*", re.ASCII)
_SWEEP_SIGNS = frozenset("'\"()[]{}\\$=")
"""What a value of a sweep may say in Hydra's grammar, beside the commas between runs."""

_LOGGERS = re.compile(r"(?!null$)[A-Za-z_][\w.]*|\[[\w., ]*\]")
_LAYER = re.compile(r"mapping\.layers\.(.+?)\.((?:tile|stationary|order|unrolled)(?:\.\w+)?)")


def hydra_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line as Hydra wants it.

    Keys below `FREE_NODES` may be added without ``+``, and options may stand after overrides. A
    knob's list or range is replaced, never merged with what it was, and so are all knobs by a
    mapping of them. A path needs no quotes beside the shell's; of a sweep, whose paths have
    commas between them, only those with other signs of Hydra's grammar do.

    >>> hydra_arguments(["space.knobs.batch=1,8", "seed=3", "-m"])
    ['-m', '++space.knobs.batch=1,8', 'seed=3']
    >>> hydra_arguments(["space.knobs.batch=[1,8]"])
    ['++space.knobs.batch=null', '++space.knobs.batch=[1,8]']
    >>> hydra_arguments(["workload.path=my nets/a=1.onnx"])
    ["++workload.path='my nets/a=1.onnx'"]
    >>> hydra_arguments(["+technology=node16"])
    ['technology=node16']
    >>> hydra_arguments(["mapping.layers.block/conv.tile.k=4"])
    ['++mapping.layers={block/conv:{tile:{k:4}}}']

    Raises
    ------
    DseError
        If an override has no key, gives a group no name, removes what a run needs, or holds a
        number that is none.
    """
    options, overrides = _split(arguments)
    for option in options:
        name = option.partition("=")[0]
        if (name[:5] == "--con" and name != "--config-dir") or name in OTHER_CONFIGURATIONS:
            raise DseError(f"{name}: there is one configuration; files of one's own: --config-dir")
    swept = is_sweep(arguments)
    parts = (part for x in overrides for part in _hydra_override(x, is_sweep=swept))
    return [*options, *parts]


def is_sweep(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for one run for each of several values."""
    return any(x in SWEEP_OPTIONS for x in arguments)


def is_set(arguments: Sequence[str], *prefixes: str) -> bool:
    """Whether a command line has an override whose key begins so."""
    return any(x.lstrip("+").startswith(prefixes) and "=" in x for x in arguments)


def as_typed(overrides: Iterable[str]) -> list[str]:
    """Return a job's overrides as a user would type them.

    >>> as_typed(["task=evaluate", "++workload.batch=8"])
    ['task=evaluate', 'workload.batch=8']
    """
    return [x.lstrip("+") if x.lstrip("+").startswith(FREE_NODES) else x for x in overrides]


def config_directories(arguments: Sequence[str]) -> list[Path]:
    """Return the user's own directory of configurations, which ``--config-dir`` names.

    >>> config_directories(["--config-dir=conf", "seed=1"]) == [Path("conf").absolute()]
    True
    """
    options, _ = _split(arguments)
    found = [x.partition("=")[2] for x in options if x.startswith(("--config-dir=", "-cd="))]
    found += [x for before, x in pairwise(options) if before in ("--config-dir", "-cd")]
    return [Path(x).absolute() for x in found[-1:]]


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return options with their values, then overrides."""
    options: list[str] = []
    overrides: list[str] = []
    for argument in arguments:
        is_value = bool(options) and options[-1] in OPTIONS_WITH_VALUES
        is_override = (
            not is_value and argument[:1] != "-" and ("=" in argument or argument[:1] == "~")
        )
        (overrides if is_override else options).append(argument)
    return options, overrides


def _hydra_override(text: str, *, is_sweep: bool) -> list[str]:
    key, equals, value = text.partition("=")
    _check_override(text, key, value)
    if key.lstrip("+") in GROUPS and value[:1] != "{":  # Hydra's hint is to append one
        return [text.lstrip("+")]
    if key in PATHS and (not is_sweep or not _SWEEP_SIGNS & set(value)):
        text = f"{key}={','.join(map(_quoted, value.split(',') if is_sweep else [value]))}"
    layer = _LAYER.fullmatch(key)
    if layer is not None and "/" in layer[1]:
        opened = layer[2].replace(".", ":{")
        return [f"++mapping.layers={{{layer[1]}:{{{opened}:{value}{'}' * opened.count('{')}}}}}"]
    is_node = value[:1] == "{" and f"{key}." in FREE_NODES
    are_knobs = value[:1] == "{" and key == "space.knobs"
    if not equals or not (is_node or are_knobs or text.startswith(FREE_NODES)):
        return [text]
    is_replaced = are_knobs or (key.startswith("space.knobs.") and value[:1] in ("[", "{"))
    return [*([f"++{key}=null"] if is_replaced else []), f"++{text}"]


def _check_override(text: str, key: str, value: str) -> None:
    """Raise DseError for what Hydra would take for something else than was meant."""
    if not key:
        raise DseError(f"override {text!r} must have the form KEY=VALUE, and has no key")
    if key[0] == "~" and not key[1:].startswith(REMOVABLE):
        hint = f"; {key[1:]}=none is a budget without limits" if key == "~budget" else ""
        raise DseError(f"{key}: only keys below {', '.join(REMOVABLE)} can be removed{hint}")
    if re.search(rf"\d{{{MOST_DIGITS + 1}}}", text):
        raise DseError(f"{key} must be a number of at most {MOST_DIGITS} digits")
    if key.lstrip("+").startswith("hydra.searchpath"):
        raise DseError(f"{key}: files of one's own are found by --config-dir FOLDER, got {value}")
    if key.lstrip("+") == "hydra.verbose" and not _LOGGERS.fullmatch(value):
        raise DseError(f"{key} must be true, false or names of loggers, got {value}")
    group, _, package = key.lstrip("+").partition("@")
    if group in GROUPS:
        if package:
            raise DseError(f"{text}: {group} has its own place, got @{package}")
        _check_name(text, group, value)


def _check_name(text: str, group: str, value: str) -> None:
    """Raise DseError unless a group is given a name, or names with commas between them."""
    if value[:1] == "[":
        several = {"workload": "several networks on one chip are a demand, "}.get(group, "")
        names = value.strip("[]")
        raise DseError(
            f"{text}: {group} must be one name in conf/{group}, got a list; {several}"
            f"one run for each is -m {group}={names}"
        )
    if _is_number(value) or value in ("null", ""):
        got = {"null": "null", "": "none"}.get(value, "a number")
        raise DseError(f"{text}: {group} must be a name in conf/{group}, got {got}")
    if "/" in value and value[:1] != "{":
        hint = f"; a file is {group}.path={value}" if f"{group}.path" in PATHS else ""
        raise DseError(f"{text}: {group} must be a name in conf/{group}, got a path{hint}")


def _quoted(value: str) -> str:
    """Return a path in the quotes of Hydra's grammar, unless it needs none or has its own.

    >>> _quoted("a b.onnx")
    "'a b.onnx'"
    """
    if _PLAIN.fullmatch(value) or (len(value) > 1 and value[0] == value[-1] and value[0] in "'\""):
        return value
    if value[:1] == "[" and value[-1:] == "]":  # a list of runs
        return value
    escaped = re.sub(r"(\\*)('|\$\{)", r"\1\1\\\2", value)  # elsewhere \ is itself
    escaped += escaped[len(escaped.rstrip("\\")) :]
    return f"'{escaped}'"


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
