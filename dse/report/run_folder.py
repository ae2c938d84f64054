"""The run folder: of one run, claimed before anything is written, and marked for what it holds."""

import errno
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import RLock
from typing import Any

from dse.errors import DseError
from dse.report.files import shown, write_text
from dse.report.manifest import sha256

MANIFEST, LOG = "manifest.json", "run.log"
RUNNING, PARTIAL, COMPLETE = "running", "partial", "complete"
"""States of a run: at work; ended before its end, with what it had told; at its end."""

_IS_RUNNING = re.compile(r'\{\s*"state": "running"')


@dataclass
class Stage:
    """A run folder that is being written.

    Attributes
    ----------
    folder
        This run's alone.
    values
        The manifest so far.
    """

    folder: Path
    values: dict[str, Any] = field(default_factory=dict)
    is_ended: bool = False
    _lock: RLock = field(default_factory=RLock, repr=False)

    @property
    def is_known(self) -> bool:
        """Whether the folder holds results that can be read."""
        return "config" in self.values

    def write_manifest(self, values: Mapping[str, Any]) -> None:
        """Write the manifest of a run that is at work."""
        self.values = {**self.values, **values}
        self._write(RUNNING)

    def log(self, lines: list[str]) -> None:
        """Keep what the user is told in run.log, if that can be written."""
        with suppress(OSError), (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.writelines(f"{shown(line)}\n" for line in lines)

    def end(self, state: str) -> None:
        """Mark the folder for what it holds, once; without results it goes."""
        with self._lock:
            if self.is_ended:
                return
            self.is_ended = True
            if not self.is_known:
                shutil.rmtree(self.folder, ignore_errors=True)
                remove_empty(self.folder)
                return
            for key in ("pid", "host"):
                self.values.pop(key, None)
            self.values["outputs_sha256"] = outputs(self.folder)
            self._write(state)

    def _write(self, state: str) -> None:
        values = {"state": state, **{k: x for k, x in self.values.items() if k != "state"}}
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False, default=str)
        write_text(self.folder / MANIFEST, text + "\n")


@contextmanager
def staged(place: Path, command: list[str], *, is_fixed: bool = False) -> Iterator[Stage]:
    """Give a folder to write in, which no other run has.

    Whatever fails, what was known by then stays, marked partial; without any result the run
    leaves no folder.

    Parameters
    ----------
    place
        Where the run belongs; Hydra may have made it.
    command
        For who looks at a folder of a run that is at work.
    is_fixed
        Whether it must be there and nowhere else; else the name gets a number if it is taken.

    Raises
    ------
    DseError
        If a fixed place holds a run, or anything else.
    """
    head = {"command": command, "pid": os.getpid(), "host": socket.gethostname()}
    stage = Stage(_claimed(place, json.dumps({"state": RUNNING, **head}), is_fixed), head)
    if not is_fixed:
        sweep_stale(stage.folder)
    try:
        yield stage
    except BaseException:
        stage.end(PARTIAL)
        raise
    stage.end(COMPLETE)


def _claimed(place: Path, manifest: str, is_fixed: bool) -> Path:
    """Return the first folder whose manifest this run is the one to make."""
    for number in count(1):
        folder = place if number == 1 else place.with_name(f"{place.name}-{number}")
        if is_fixed and folder.is_dir() and any(folder.iterdir()):
            holds = "a run" if (folder / MANIFEST).exists() else "other files"
            raise DseError(f"the run folder must be new or empty, {str(folder)!r} holds {holds}")
        while True:  # another run that found nothing may remove the folder at this moment
            folder.mkdir(parents=True, exist_ok=True)
            try:
                with (folder / MANIFEST).open("x", encoding="utf-8") as file:
                    file.write(manifest)
            except FileNotFoundError:
                continue
            except FileExistsError:
                break
            return folder
        if is_fixed:
            raise DseError(f"the run folder must be new or empty, {str(folder)!r} holds a run")
    raise AssertionError  # count has no end


def sweep_stale(folder: Path) -> None:
    """Mark the runs beside a folder that were killed at work, and remove those without results."""
    for path in folder.parent.glob(f"*/{MANIFEST}"):
        with suppress(OSError, ValueError):
            if path.parent == folder or not _is_stale(path):
                continue
            stage = Stage(path.parent, json.loads(path.read_text(encoding="utf-8")))
            stage.end(PARTIAL)


def _is_stale(path: Path) -> bool:
    """Whether a manifest says that its run is at work and the process is gone."""
    with path.open(encoding="utf-8") as file:
        if not _IS_RUNNING.match(file.read(200)):
            return False
    values = json.loads(path.read_text(encoding="utf-8"))
    pid = values.get("pid")
    if values.get("host") != socket.gethostname() or not isinstance(pid, int) or pid <= 0:
        return False
    return not is_alive(pid)


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno != errno.ESRCH
    return True


def outputs(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of results of a run folder, by name."""
    files = (x for x in sorted(folder.rglob("*")) if x.is_file() and not x.is_symlink())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    return {
        name: sha256(path)
        for name, path in names.items()
        if name not in (MANIFEST, LOG) and not name.startswith(".")
    }


def remove_empty(folder: Path) -> None:
    """Remove a folder and those above it that have become empty, up to the working directory."""
    here = Path.cwd()
    for place in (folder, *folder.parents):
        if place == here or (place != folder and here not in place.parents):
            return
        try:
            place.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return
