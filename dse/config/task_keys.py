"""Which keys of the configuration each task reads: one that is set for nothing is a mistake."""

from collections.abc import Iterable

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


def _is_for_nothing(task: str, key: str, keys: list[str]) -> bool:
    """Whether a key of a node that a task reads is not read for what else is given."""
    if key.startswith("import."):
        return task != "import" and "workload.path" not in keys
    if task == "evaluate" and key.partition(".")[0] == "space":
        return key not in ("space", "space.accelerator") or "accelerator" in keys
    return False
