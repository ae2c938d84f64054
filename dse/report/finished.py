"""A finished run, read back from its folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dse.errors import DseError
from dse.report.run_folder import MANIFEST

_TEXT_COLUMNS = ("name", "layer", "why", "order", "unrolled", "stationary")


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """What a run folder holds.

    Attributes
    ----------
    folder
        Where it is.
    manifest
        manifest.json; its ``config`` is the resolved configuration.
    summary
        summary.json: totals of the picked or evaluated design, None where nothing was picked.
    pick
        pick.json, None if nothing was picked.
    """

    folder: Path
    manifest: dict[str, Any]
    summary: dict[str, Any] | None
    pick: dict[str, Any] | None

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration of the run."""
        return dict(self.manifest["config"])

    def designs(self) -> pd.DataFrame:
        """Return every design that was costed."""
        return self.table("designs.parquet")

    def front(self) -> pd.DataFrame:
        """Return the Pareto-optimal designs."""
        return self.table("front.csv")

    def layers(self) -> pd.DataFrame:
        """Return the layers of the picked or evaluated design."""
        return self.table("layers.csv")

    def has(self, name: str) -> bool:
        """Whether the folder holds a file of this name."""
        return (self.folder / name).is_file()

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the folder; names of layers stay text, whatever they are.

        Raises
        ------
        DseError
            If the file cannot be read.
        """
        path = self.folder / name
        try:
            if path.suffix == ".parquet":
                return pd.read_parquet(path)
            texts = dict.fromkeys(_TEXT_COLUMNS, object)  # a name may be a number
            table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=texts)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise DseError(f"run {self.folder}: {name} cannot be read: {reason}") from error
        return table.fillna(dict.fromkeys(table.columns.intersection(list(_TEXT_COLUMNS)), ""))


def read_run(folder: Path) -> FinishedRun:
    """Read a run folder.

    Raises
    ------
    DseError
        If it is not the folder of a finished run.
    """
    if not folder.is_dir():
        raise DseError(f"run must be a run folder that exists, got {str(folder)!r}")
    manifest = _json(folder / MANIFEST)
    if manifest is None or not isinstance(manifest.get("config"), dict):
        raise DseError(
            f"run must be the folder of a finished run, with {MANIFEST} in it, got {str(folder)!r}"
        )
    return FinishedRun(
        folder=folder,
        manifest=manifest,
        summary=_json(folder / "summary.json"),
        pick=_json(folder / "pick.json"),
    )


def _json(path: Path) -> dict[str, Any] | None:
    """Return the object that a file holds, None if there is no file."""
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DseError(f"run {path.parent}: {path.name} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise DseError(f"run {path.parent}: {path.name} must hold a JSON object")
    return values


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, each as column to value."""
    return [
        {str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")
    ]
