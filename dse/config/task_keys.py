"""Which keys of the configuration each task reads: one that is set for nothing is a mistake."""

from collections.abc import Iterable, Mapping
from typing import Any

from dse.config.overrides import override_keys
from dse.errors import DseError

ALWAYS = ("task", "seed", "report")
_MACHINE = ("workload", "accelerator", "mapping", "mapper", "technology", "dram")

READ = {
    "search": (*_MACHINE, "space", "search", "budget", "objectives", "pick", "import"),
    "evaluate": (*_MACHINE, "space", "import"),
    "import": ("workload", "import"),
    "pick": ("run", "budget", "objectives", "pick"),
    "report": ("run",),
    "compare": ("run",),
}
"""Task to the keys that it reads, beside `ALWAYS`."""


def check_read(task: object, overrides: Iterable[str]) -> None:
    """Raise DseError for the first key that a command line sets and its task does not read.

    Parameters
    ----------
    task
        Its name; what is no task is told elsewhere.
    overrides
        As Hydra has them.
    """
    if not isinstance(task, str) or task not in READ:
        return
    keys = override_keys(overrides)
    nodes = {key: key.partition(".")[0] for key in keys}
    for key, node in nodes.items():
        if node in ALWAYS or (node in READ[task] and not _is_for_nothing(task, key, keys)):
            continue
        if task == "pick":
            raise DseError(
                f"task=pick takes {node} from its run; it can change budget, objectives and "
                f"pick, got {key}"
            )
        if (task, node) == ("search", "run"):
            raise DseError(
                "task=search starts a search of its own and cannot go on with a run yet, got "
                "run; task=pick chooses again from a finished one"
            )
        raise DseError(f"task={task} does not read {key}: it would change nothing")


_MAPPING_RULES = "stationarity", "held_in_array", "constraints"
"""Rules of a machine that bind its mapper alone."""


def check_scheduled(values: Mapping[str, Any], overrides: Iterable[str]) -> None:
    """Raise DseError for the first override that a machine with a schedule does not read.

    Parameters
    ----------
    values
        The configuration as a plain dict.
    overrides
        As Hydra has them.
    """
    chip = values["accelerator"]
    if not isinstance(chip, Mapping) or chip.get("schedule") is None:
        return
    for key in override_keys(overrides):
        node, _, rest = key.partition(".")
        is_rule = node == "accelerator" and rest.partition(".")[0] in _MAPPING_RULES
        if node == "mapper" or is_rule:
            value: Any = values
            for part in key.split("."):
                value = value[part] if isinstance(value, Mapping) and part in value else "given"
            raise DseError(
                f"{key} = {value} would change nothing on accelerator {chip.get('name')!r}, whose "
                f"schedule fixes each mapping; accelerator.schedule=null leaves it to the mapper"
            )


def _is_for_nothing(task: str, key: str, keys: list[str]) -> bool:
    """Whether a key of a node that a task reads is not read for what else is given."""
    if key.startswith("import."):
        return task != "import" and "workload.path" not in keys
    if task == "evaluate" and key.partition(".")[0] == "space":
        return key not in ("space", "space.accelerator") or "accelerator" in keys
    return False
