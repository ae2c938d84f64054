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
from dse.report.files import write_text
from dse.report.manifest import config_sha256, sha256
from dse.report.run_files import (
    CONFIG_RULES,
    LARGEST_TABLE_BYTES,
    MANIFEST_RULES,
    PICK_RULES,
    SUMMARY_RULES,
    check_values,
    read_json,
    read_table,
)
from dse.report.run_folder import COMPLETE, MANIFEST, RUNNING

_READ = (
    *(f"{name}.csv" for name in ("layers", "front", "nearest", "history", "traffic", "given")),
    *("designs.parquet", "summary.json", "pick.json"),
)
"""The files of results that are read back."""


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
    def is_exact(self) -> bool:
        """Whether its front is that of the whole space, and its files are as the run wrote them."""
        return self.manifest.get("front") == "exact" and not self.edited

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

    @property
    def notes(self) -> list[str]:
        """What a reader should know of the folder: it is not complete, or not as it was written."""
        state = self.manifest.get("state", COMPLETE)
        whole = [] if state == COMPLETE else [f"the run is {state}, not complete"]
        names = ", ".join(self.edited)
        return [*whole, *([f"edited since the run wrote it: {names}"] if names else [])]

    @cached_property
    def edited(self) -> tuple[str, ...]:
        """Names of the files that are not those that the run wrote, by the manifest's hashes."""
        hashes = self.manifest.get("outputs_sha256")
        if hashes is None:
            return () if self.manifest.get("state") == RUNNING else (MANIFEST,)
        config = self.manifest.get("config_sha256")
        own = (MANIFEST,) if config_sha256(self.config) != config else ()
        return (*own, *(x for x in _READ if hashes.get(x) != _hash(self.folder / x)))

    def _table(self, name: str) -> pd.DataFrame | None:
        """Return a table of the folder, None if there is none; see `read_table`."""
        return read_table(self.folder / name)


def _hash(path: Path) -> str | None:
    """Return the hash of a file, None if there is none, or none that a run would write."""
    is_read = path.is_file() and path.stat().st_size <= LARGEST_TABLE_BYTES
    return sha256(path) if is_read else None


def read_run(folder: Path) -> FinishedRun:
    """Read a run folder.

    Raises
    ------
    DseError
        If it is not the folder of a finished run, or a file of it is none that a run writes.
    """
    if not folder.is_dir():
        raise DseError(f"run must be a run folder that exists, got {str(folder)!r}")
    manifest = read_json(folder / MANIFEST)
    if manifest is None or not isinstance(manifest.get("config"), dict):
        raise DseError(
            f"run must be the folder of a finished run, with {MANIFEST} in it, got {str(folder)!r}"
        )
    check_values(f"run {folder}: {MANIFEST}", manifest, MANIFEST_RULES)
    check_values(f"run {folder}: {MANIFEST}: config", manifest["config"], CONFIG_RULES)
    found = {}
    for name, rules in (("summary", SUMMARY_RULES), ("pick", PICK_RULES)):
        found[name] = read_json(folder / f"{name}.json")
        check_values(f"run {folder}: {name}.json", found[name] or {}, rules)
    return FinishedRun(folder=folder, manifest=manifest, **found)


def record_report(run: FinishedRun) -> None:
    """Write the hashes of a page and plots that were drawn again into the manifest."""
    files = [run.folder / "report.html", *sorted((run.folder / "plots").glob("*"))]
    hashes = {x.relative_to(run.folder).as_posix(): sha256(x) for x in files if x.is_file()}
    known = run.manifest.get("outputs_sha256")
    if known is not None and not hashes.items() <= known.items():
        values = {**run.manifest, "outputs_sha256": {**known, **hashes}}
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
        write_text(run.folder / MANIFEST, text + "\n")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, each as column to value."""
    return [
        {str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")
    ]
