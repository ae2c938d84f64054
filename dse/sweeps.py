"""The folder of a sweep: its jobs, in this process or in others, and what failed of them."""

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from dse.report.run_folder import MANIFEST, remove_empty

ERRORS = "errors"
"""Folder of a sweep with a file for each job that failed."""


@dataclass
class Sweep:
    """One sweep.

    Attributes
    ----------
    folder
        Of its jobs' folders.
    pid
        Of the process that was asked for it; a launcher may run jobs in others.
    is_told
        Whether what failed was told when it did.
    """

    folder: Path
    pid: int
    is_told: bool = False

    @property
    def is_here(self) -> bool:
        """Whether this process is the one that was asked."""
        return os.getpid() == self.pid

    @property
    def quoted_folder(self) -> str:
        """The folder within quotes of Hydra's grammar."""
        text = str(self.folder)
        return text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")

    def record(self, number: int, overrides: Sequence[str], text: str) -> None:
        """Write that a job failed, for who collects the sweep."""
        self.is_told = self.is_told or self.is_here
        errors = self.folder / ERRORS
        with suppress(OSError):
            errors.mkdir(parents=True, exist_ok=True)
            values = {"job": number, "overrides": list(overrides), "error": text}
            (errors / f"{number}.json").write_text(
                json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
            )

    def failures(self) -> list[str]:
        """Return what is recorded of jobs that failed, by their numbers."""
        found = {}
        for path in (self.folder / ERRORS).glob("*.json"):
            with suppress(OSError, ValueError):
                values = json.loads(path.read_text(encoding="utf-8"))
                found[int(values["job"])] = str(values["error"])
        return [found[number] for number in sorted(found)]

    def close(self) -> None:
        """Remove the folder if no job left results in it."""
        if any(self.folder.glob(f"*/{MANIFEST}")) or not self.folder.is_dir():
            return
        (self.folder / "multirun.yaml").unlink(missing_ok=True)
        shutil.rmtree(self.folder / ERRORS, ignore_errors=True)
        remove_empty(self.folder.absolute())


def sweep_of(arguments: Sequence[str]) -> Sweep:
    """Return the sweep that a command line asks for; a folder is made for it unless it has one."""
    given = [x.partition("=")[2] for x in arguments if x.startswith("hydra.sweep.dir=")]
    if given:
        return Sweep(Path(given[-1].strip("'\"")), os.getpid())
    tasks = [x.partition("=")[2] for x in arguments if x.startswith("task=")]
    task = tasks[-1] if tasks and tasks[-1].isalpha() else "search" if not tasks else "tasks"
    now = datetime.now().astimezone()
    day = Path("outputs") / f"{now:%Y-%m-%d}"
    for number in count(1):
        suffix = "" if number == 1 else f"-{number}"
        folder = day / f"{now:%H-%M-%S}-{task}-sweep{suffix}"
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return Sweep(folder, os.getpid())
    raise AssertionError  # count has no end
