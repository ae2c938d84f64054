"""A finished run, read back from its folder: what its files hold, and nothing else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dse.errors import DseError
from dse.plots.units import design_text, knobs_of
from dse.report.run_folder import MANIFEST

_TEXT_COLUMNS = ("name", "layer", "why", "order", "unrolled", "stationary")


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """What a run folder holds; its tables are read when they are asked for.

    Attributes
    ----------
    folder
        Where it is.
    manifest
        manifest.json; its ``config`` is the resolved configuration.
    summary
        summary.json: totals of the picked or evaluated design, None where nothing was picked.
    pick
        pick.json, None for an evaluation, or if nothing was picked.
    """

    folder: Path
    manifest: dict[str, Any]
    summary: dict[str, Any] | None
    pick: dict[str, Any] | None

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration of the run."""
        return dict(self.manifest["config"])

    @cached_property
    def layers(self) -> pd.DataFrame | None:
        """layers.csv: the layers of the picked or evaluated design."""
        return self._table("layers.csv")

    @cached_property
    def designs(self) -> pd.DataFrame | None:
        """designs.parquet: every design that was costed; None for an evaluation."""
        return self._table("designs.parquet")

    @cached_property
    def front(self) -> pd.DataFrame | None:
        """front.csv: the Pareto-optimal designs; None for an evaluation."""
        return self._table("front.csv")

    @cached_property
    def nearest(self) -> pd.DataFrame | None:
        """nearest.csv: the designs that miss the budgets least, if all miss them."""
        return self._table("nearest.csv")

    @cached_property
    def history(self) -> pd.DataFrame | None:
        """history.csv: the study's share of the hypervolume as it grew."""
        return self._table("history.csv")

    @cached_property
    def traffic(self) -> pd.DataFrame | None:
        """traffic.csv: columns of `dse.plots.curves.COLUMNS`."""
        return self._table("traffic.csv")

    @cached_property
    def given(self) -> pd.DataFrame | None:
        """given.csv: layers under a given mapping beside the best; None where none was given."""
        return self._table("given.csv")

    @property
    def is_search(self) -> bool:
        """Whether designs were searched, rather than one evaluated."""
        return (self.folder / "designs.parquet").is_file()

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objectives' columns."""
        return tuple(self.config["objectives"])

    @property
    def budget(self) -> dict[str, float]:
        """Limits by column."""
        given = self.config.get("budget") or {}
        return {name: float(limit) for name, limit in given.items() if limit is not None}

    @property
    def is_mapping_given(self) -> bool:
        """Whether the configuration fixes mappings, all or in part."""
        given = self.config.get("mapping") or {}
        return any(part for key, part in given.items() if key not in ("name", "source"))

    @property
    def workload(self) -> str:
        """Name of the network, with its batch where that is above 1."""
        source: Mapping[str, Any] = self.summary or {}
        name = str(source.get("workload") or (self.config.get("workload") or {}).get("name"))
        batch = source.get("batch", 1)
        return name if batch == 1 else f"{name} at batch {batch}"

    @property
    def machine(self) -> str:
        """Name of the machine that was evaluated, or what was picked."""
        if self.pick is None:
            return str((self.summary or {}).get("accelerator"))
        return ", ".join(design_text(self.pick["design"]).split(", ")[:2])

    @property
    def runners_up(self) -> list[dict[str, Any]]:
        """The runners-up of the pick."""
        return [dict(row) for row in (self.pick or {}).get("runners_up", ())]

    @property
    def knobs(self) -> list[str]:
        """Names of the knobs, in the order of the tables."""
        return list(knobs_of((self.pick or {}).get("design", {})))

    def _table(self, name: str) -> pd.DataFrame | None:
        """Return a table of the folder, None if there is none; names of layers stay text.

        Raises
        ------
        DseError
            If the file cannot be read.
        """
        path = self.folder / name
        if not path.is_file():
            return None
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
