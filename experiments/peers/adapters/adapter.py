"""What all adapters share: one JSON object in, one out, CPU seconds with those of children."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version


def cpu_s() -> float:
    """Return the CPU seconds of this process and of its children that ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def serve(answer: Callable[[dict, dict], dict], package: str, import_cpu_s: float) -> None:
    """Read question and options from standard input, and write the answer to standard output.

    Parameters
    ----------
    answer
        From question and options to the answer.
    package
        The peer's name in its environment, for its version.
    import_cpu_s
        CPU seconds that importing the peer took.
    """
    asked = json.load(sys.stdin)
    stdout = os.dup(1)
    os.dup2(2, 1)  # what the peer prints is no part of the answer
    found = answer(asked["question"], asked["options"])
    found |= {"version": version(package), "import_cpu_s": import_cpu_s}
    with os.fdopen(stdout, "w") as out:
        json.dump(found, out)
