"""The run folder: written beside its place and moved there when it is complete."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HYDRA_FOLDER = ".hydra"
MANIFEST = "manifest.json"


@dataclass
class Stage:
    """Where a run writes, and where its folder will be.

    Attributes
    ----------
    folder
        Empty; what is written here appears in `place` all at once.
    place
        The run folder.
    """

    folder: Path
    place: Path


@contextmanager
def staged(place: Path, *, is_replaced: bool = True) -> Iterator[Stage]:
    """Give an empty folder to write in; it takes its place if nothing fails.

    Whatever fails, nothing is left of the run, nor of what Hydra wrote for it. Without any
    result the run leaves no folder either.

    Parameters
    ----------
    place
        Where the run belongs; Hydra may have made it and written its own files in it.
    is_replaced
        Whether a finished run there is overwritten; else the folder's name gets a number.
    """
    partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    stage = Stage(partial, place)
    try:
        yield stage
        if any(partial.iterdir()):
            if not is_replaced:
                stage.place = _free(place)
            _move(partial, stage.place, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        remove_unfinished(place)


def _free(place: Path) -> Path:
    """Return the place, or one with a number where another run of the same second is."""
    number, free = 2, place
    while (free / MANIFEST).exists():
        free = place.with_name(f"{place.name}-{number}")
        number += 1
    return free


def _move(partial: Path, folder: Path, hydra_place: Path) -> None:
    """Put the finished files in place, in one step where the place is empty."""
    hydra = hydra_place / HYDRA_FOLDER
    if hydra.is_dir():
        hydra.replace(partial / HYDRA_FOLDER)
    try:
        partial.replace(folder)  # over an empty folder this is one step
    except OSError:
        for path in sorted(partial.iterdir()):
            _replace(path, folder / path.name)


def _replace(path: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    path.replace(target)


def remove_unfinished(folder: Path) -> None:
    """Remove what Hydra made for a run without results; a folder with anything else in it stays."""
    if (folder / MANIFEST).exists():
        return
    shutil.rmtree(folder / HYDRA_FOLDER, ignore_errors=True)
    here = Path.cwd()
    for place in (folder, *folder.parents):
        if place == here or (place != folder and here not in place.parents):
            return
        with suppress(FileNotFoundError):
            try:
                place.rmdir()
            except OSError:
                return
