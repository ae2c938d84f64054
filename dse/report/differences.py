"""In which keys of their configurations runs differ, and what tells them apart."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dse.report.finished import FinishedRun

_OWN_COLUMN = (
    "task.name",
    "workload.name",
    "workload.batch",
    "accelerator.name",
    "accelerator.technology",
)
_NO_SETTING = ("run", "layers", "source", "coverage", "notes", "edges", "path", "import")
"""Keys that say where a run came from, or hold what other keys made."""

_OF_SEARCHES = ("space", "search", "budget", "pick", "objectives")
"""Groups that an evaluation does not read."""


def differing_keys(runs: Sequence[FinishedRun]) -> list[str]:
    """Return the keys that runs of the same network, machine, space, ... have different values of.

    Two machines differ in most keys, which their names say; a key counts where runs that name the
    same machine differ in it, as overrides make them.
    """
    settings = [_settings(run) for run in runs]
    found: dict[str, set[str]] = defaultdict(set)
    for key in dict.fromkeys(key for values in settings for key in values):
        group = f"{key.partition('.')[0]}.name"
        by_name: dict[str, set[str]] = defaultdict(set)
        for values in settings:
            if key in values:
                by_name[str(values.get(group))].add(str(values[key]))
        found[key] = max(by_name.values(), key=len, default=set())
    return [key for key, values in found.items() if len(values) > 1 and key not in _OWN_COLUMN]


def setting(run: FinishedRun, key: str) -> Any:
    """Return the value of a key of a run; None where the run has no such key."""
    return _settings(run).get(key)


def _settings(run: FinishedRun) -> dict[str, Any]:
    """Return the settings that a run read, by dotted key."""
    unread = () if run.is_search else _OF_SEARCHES
    return _flat({key: value for key, value in run.config.items() if key not in unread})


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return the settings of a configuration by dotted key; lists as texts."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if key in _NO_SETTING:
            continue
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{key}.")
        else:
            flat[f"{above}{key}"] = str(value) if isinstance(value, list) else value
    return flat


def labels(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[str]:
    """Return what each row is called: what differs, and its folder where that is not enough.

    Parameters
    ----------
    rows
        Rows of the table, with ``workload``, ``batch``, ``accelerator``, ``technology`` and `keys`.
    keys
        The keys that differ.
    """
    shown = [
        name
        for name in ("workload", "batch", "accelerator", "technology", *keys)
        if len({str(row.get(name)) for row in rows}) > 1
    ]
    texts = [", ".join(_said(name, row.get(name)) for name in shown) for row in rows]
    return [
        text if text and texts.count(text) == 1 else f"{text} ({folder})" if text else folder
        for text, folder in zip(texts, (Path(str(row["folder"])).name for row in rows), strict=True)
    ]


def _said(name: str, value: Any) -> str:
    if name in ("workload", "accelerator", "technology"):
        return str(value)
    return f"{name.rpartition('.')[2].replace('_', ' ')} {_short(value)}"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
