"""The files of a run folder that hold results: tables, JSON and the picked accelerator."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from dse.columns import ENERGIES
from dse.evaluation.result import Evaluation
from dse.exploration import Study
from dse.pick import Pick
from dse.report.csv_files import write_csv
from dse.report.files import replacing, write_text
from dse.report.pick_words import reason_text
from dse.workload import Workload

_PARTS = ("workload", "accelerator", "layer_rows", "warnings", "schedule")
TOTALS = (*(x.name for x in fields(Evaluation) if x.name not in _PARTS), *ENERGIES)


def write_front(folder: Path, study: Study) -> None:
    """Write front.csv."""
    write_csv(folder / "front.csv", study.front)


def write_study(folder: Path, study: Study) -> None:
    """Write front.csv and designs.parquet, and history.csv where a study was sampled."""
    write_front(folder, study)
    with replacing(folder / "designs.parquet") as draft:
        study.designs.to_parquet(draft, index=False)
    if len(study.history):
        write_csv(folder / "history.csv", study.history)


def write_pick(folder: Path, pick: Pick, accelerator: Mapping[str, Any]) -> None:
    """Write pick.json and pick.yaml; `accelerator` is the picked machine as conf/accelerator."""
    write_json(folder / "pick.json", pick_values(pick))
    values = yaml.safe_dump(
        plain(accelerator), sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )
    text = f"# {' '.join(reason_text(pick_values(pick)).split())}\n{values}"
    write_text(folder / "pick.yaml", text)


def pick_values(pick: Pick) -> dict[str, Any]:
    """Return a pick as what JSON holds."""
    return {
        "rule": pick.rule,
        "criterion": plain(pick.criterion),
        "num_candidates": pick.num_candidates,
        "equals": plain(pick.equals),
        "design": plain(pick.design),
        "binding": plain(pick.binding),
        "runners_up": plain(pick.runners_up),
        "marginal": plain(pick.marginal),
    }


def write_evaluation(
    folder: Path, evaluation: Evaluation, coverage: Mapping[str, Any] | None = None
) -> None:
    """Write layers.csv and summary.json, with the coverage of an imported network.

    And schedule.csv, where something may stay on the chip between layers.
    """
    layers = pd.DataFrame(evaluation.layer_rows)
    write_csv(folder / "layers.csv", layers)
    if evaluation.schedule is not None:
        held = evaluation.schedule.rows(evaluation.layer_rows)
        write_csv(folder / "schedule.csv", pd.DataFrame(list(held)))
    imported = {} if coverage is None else {"coverage": coverage}
    write_json(folder / "summary.json", summary(evaluation) | imported)


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """Return the totals of an evaluation, with the names of what was evaluated."""
    return {
        "workload": evaluation.workload.name,
        "batch": evaluation.workload.batch,
        "accelerator": evaluation.accelerator.name,
        "buffer_bytes": evaluation.accelerator.on_chip_bytes,
        "dram_efficiency": evaluation.accelerator.dram.efficiency
        * evaluation.accelerator.dram_unit,
        **{name: plain(getattr(evaluation, name)) for name in TOTALS},
        **_held(evaluation),
        "warnings": list(evaluation.warnings),
    }


def _held(evaluation: Evaluation) -> dict[str, Any]:
    """Return what stays on the chip between layers; nothing where nothing may."""
    schedule = evaluation.schedule
    if schedule is None:
        return {}
    return {
        "peak_held_bytes": schedule.peak_bytes,
        "schedule": "exact" if schedule.is_exact else "bounded",
        "schedule_gap": schedule.gap,
    }


def network_summary(network: Workload, coverage: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the totals of a network, with the coverage of its import if it was imported."""
    return {
        "workload": network.name,
        "batch": network.batch,
        "num_layers": len(network.layers),
        "macs": network.macs,
        "weight_elements": network.weight_elements,
        "warnings": list(network.notes),
        **({} if coverage is None else {"coverage": coverage}),
    }


def write_json(path: Path, values: object) -> None:
    """Write values as JSON; what is not finite becomes null."""
    text = json.dumps(plain(values), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def plain(value: Any) -> Any:
    """Return a value as dicts, lists, numbers and texts; a table as a list of its rows."""
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict(orient="records")]
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
