"""What the report of a run is made of: the files of its folder, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dse.plots.files import ChipData, StudyData
from dse.plots.roofline import Roof
from dse.plots.units import design_text, knobs_of
from dse.report.finished import FinishedRun, read_run


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """The content of a run folder.

    Attributes
    ----------
    manifest
        manifest.json, with the resolved configuration in ``config``.
    summary
        summary.json: totals of the picked or evaluated design; None if nothing was picked.
    pick
        pick.json; None for an evaluation, or if nothing was picked.
    layers
        layers.csv; None as `summary`.
    designs, front
        designs.parquet and front.csv; None for an evaluation.
    nearest
        nearest.csv: designs that miss the budgets least, if all miss them.
    history
        history.csv: the study's share of the hypervolume as it grew.
    traffic
        traffic.csv: columns of `dse.plots.curves.COLUMNS`.
    given
        given.csv: layers under a given mapping beside the best; None where none was given.
    """

    manifest: Mapping[str, Any]
    summary: Mapping[str, Any] | None = None
    pick: Mapping[str, Any] | None = None
    layers: pd.DataFrame | None = None
    designs: pd.DataFrame | None = None
    front: pd.DataFrame | None = None
    nearest: pd.DataFrame | None = None
    history: pd.DataFrame | None = None
    traffic: pd.DataFrame | None = None
    given: pd.DataFrame | None = None

    @property
    def config(self) -> Mapping[str, Any]:
        """The resolved configuration."""
        return self.manifest["config"]

    @property
    def is_search(self) -> bool:
        """Whether designs were searched, rather than one evaluated."""
        return self.designs is not None

    @property
    def objectives(self) -> Sequence[str]:
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

    def chip(self) -> ChipData | None:
        """Return what the plots of the chip need; None if there is no chip."""
        if self.summary is None or self.layers is None:
            return None
        return ChipData(
            layers=self.layers,
            roof=Roof(
                peak_macs_per_s=self.summary["peak_macs_per_s"],
                dram_bytes_per_s=self.summary["dram_bytes_per_s"],
                dram_efficiency=self.summary["dram_efficiency"],
            ),
            buffer_bytes=self.summary["buffer_bytes"],
            workload=self.workload,
            machine=self.machine,
            traffic=self.traffic,
        )

    def study(self) -> StudyData | None:
        """Return what the plots of the search need; None for an evaluation."""
        if self.designs is None or self.front is None:
            return None
        return StudyData(
            designs=self.designs,
            front=self.front,
            objectives=self.objectives,
            budget=self.budget,
            pick=None if self.pick is None else self.pick["design"],
            runners_up=self.runners_up,
            history=None if self.front.empty else self.history,
            workload=self.workload,
            sampler=str((self.config.get("search") or {}).get("sampler", "the search")),
            is_exact=self.manifest.get("front") == "exact",
        )


def data_from_run(run: FinishedRun) -> ReportData:
    """Return the content of a finished run."""
    tables = {
        name: run.table(file) if run.has(file) else None
        for name, file in (
            ("layers", "layers.csv"),
            ("designs", "designs.parquet"),
            ("front", "front.csv"),
            ("nearest", "nearest.csv"),
            ("history", "history.csv"),
            ("traffic", "traffic.csv"),
            ("given", "given.csv"),
        )
    }
    return ReportData(manifest=run.manifest, summary=run.summary, pick=run.pick, **tables)


def report_from_folder(folder: Path) -> ReportData:
    """Return the content of a run folder.

    Raises
    ------
    DseError
        If it is not the folder of a finished run.
    """
    return data_from_run(read_run(folder))
