"""One task to run: its configuration, where it writes, and what it was made from."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.config.files import conf_dir, group_file, group_names, shadowed
from dse.config.resolved import Composed
from dse.config.runs import Settings
from dse.exploration import Study
from dse.report.manifest import manifest
from dse.report.results import plain
from dse.report.run_folder import Stage


@dataclass(frozen=True, kw_only=True)
class Job:
    """One task to run.

    Attributes
    ----------
    composed, values, settings
        The configuration: as Hydra has it, resolved, and the settings in it.
    stage
        Where results are written.
    command
        The command line.
    tell
        Tells the user what is known before the task ends.
    started_s
        `time.perf_counter` at its start.
    """

    composed: Composed
    values: dict[str, Any]
    settings: Settings
    stage: Stage
    command: list[str]
    tell: Callable[[list[str]], None]
    started_s: float

    @property
    def wall_s(self) -> float:
        """Wall time so far. [s]."""
        return time.perf_counter() - self.started_s

    def write_manifest(self, study: Study | None = None) -> None:
        """Write manifest.json, with what a search was worth."""
        config, inputs = plain(self.values), self._inputs()
        values = manifest(config, inputs, command=self.command, wall_s=self.wall_s)
        if study is not None:
            values["front"] = "exact" if study.exact else "sampled"
            values["hypervolume_share"] = study.hypervolume_share
            values["num_costed"] = study.num_costed
            values["num_designs"] = len(study.designs)
            values["notes"] = study.notes
        self.stage.write_manifest(plain(values))

    def shadow_lines(self) -> list[str]:
        """Return which names of the project mean files of the user's own in this run."""
        return [
            f"Note         {group} {name!r} is {path}, not the project's of that name"
            for group, name in (x.split("/")[1:] for x in self._inputs() if x.count("/") == 2)
            if (path := shadowed(group, name)) is not None
        ]

    def _inputs(self) -> dict[str, Path]:
        """Return the files that the run was made from, by the names that the user knows them by."""
        chosen = {group: name for group, name in self.composed.choices.items() if "/" not in group}
        accelerator = self.values["space"].get("accelerator") if "space" in self.values else None
        if not chosen.get("accelerator") and isinstance(accelerator, str):
            chosen["accelerator"] = accelerator
        files = {
            f"conf/{group}/{name}": group_file(group, name)
            for group, name in chosen.items()
            if name
        }
        for group in ("dram", "technology"):
            files |= {
                f"conf/{group}/{name}": group_file(group, name) for name in group_names(group)
            }
        files["conf/config"] = conf_dir() / "config.yaml"
        for group in ("workload", "accelerator"):
            node = self.composed.config.get(group) or {}
            if node.get("path"):
                files[f"{group}.path"] = Path(node["path"]).expanduser()
                files.pop(f"conf/{group}/{chosen.get(group)}", None)
        return files
