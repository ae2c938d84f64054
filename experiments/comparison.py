"""Published against computed: the table of an experiment, its verdicts and the summary of all."""

from collections.abc import Hashable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from dse.plots.style import look
from experiments.evidence import kind_of, sample_of

FOLDER = Path(__file__).parent
DATA = FOLDER / "data"

WITHIN, MISSED, UNPUBLISHED = "within", "missed", "not published"


def experiments() -> list[ModuleType]:
    """Import every experiment: the modules that are named ``<author><year>_<what>``."""
    found = sorted(FOLDER.glob("[a-z]*[0-9][0-9][0-9][0-9]_*.py"))
    return [import_module(f"{__package__}.{path.stem}") for path in found]


def label(row: Hashable, index: pd.Index) -> str:
    """Return an index entry in words; numbers bear the name of their level."""
    parts = row if isinstance(row, tuple) else (row,)
    named = zip(index.names, parts, strict=True)
    return ", ".join(part if isinstance(part, str) else f"{name} {part}" for name, part in named)


def tolerance_of(experiment: ModuleType, column: str) -> float:
    """Return the largest relative error that a column may have."""
    tolerance = experiment.TOLERANCE
    return float(tolerance[column] if isinstance(tolerance, dict) else tolerance)


def compare(experiment: ModuleType, ours: pd.DataFrame) -> pd.DataFrame:
    """Hold what an experiment computes against what was published, one row a number.

    Returns
    -------
    DataFrame
        row, quantity, kind (one of `KINDS`), sample (see `sample_of`), published, ours, error
        (relative), tolerance, verdict and note.
    """
    published, reasons = experiment.PUBLISHED, getattr(experiment, "MISSED", {})
    common = getattr(experiment, "WHY_MISSED", "")
    if not (ours.index.equals(published.index) and ours.columns.equals(published.columns)):
        raise ValueError(f"{experiment.__name__}.run() must have the rows and columns of PUBLISHED")
    rows = []
    for row in published.index:
        for column in published.columns:
            known, found = float(published.loc[row, column]), float(ours.loc[row, column])
            if np.isnan(known) and np.isnan(found):
                continue
            error, limit = found / known - 1, tolerance_of(experiment, column)
            verdict = WITHIN if abs(error) <= limit else MISSED
            rows.append(
                {
                    "row": label(row, published.index),
                    "quantity": column,
                    "kind": kind_of(experiment, column),
                    "sample": sample_of(experiment, row, column),
                    "published": known,
                    "ours": found,
                    "error": error,
                    "tolerance": limit,
                    "verdict": verdict if np.isfinite(known) else UNPUBLISHED,
                    "note": reasons.get((row, column), common if verdict == MISSED else ""),
                }
            )
    return pd.DataFrame(rows)


def summarise(experiment: ModuleType, table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each quantity of an experiment; missed numbers are counted in all.

    Returns
    -------
    DataFrame
        experiment, machine, quantity, kind, num_values, num_missed, median_error and worst_error
        (relative, without sign), spearman (NaN below four different published values).
    """
    rows = []
    counted = table[table["verdict"] != UNPUBLISHED]
    for quantity, part in counted.groupby("quantity", sort=False):
        ranks = part[["published", "ours"]].rank()
        is_ranked = part["published"].nunique() >= 4
        rows.append(
            {
                "experiment": experiment.__name__.rpartition(".")[2],
                "machine": experiment.MACHINE,
                "quantity": quantity,
                "kind": part["kind"].iloc[0],
                "num_values": len(part),
                "num_missed": int((part["verdict"] == MISSED).sum()),
                "median_error": part["error"].abs().median(),
                "worst_error": part["error"].abs().max(),
                "spearman": ranks.corr().iloc[0, 1] if is_ranked else np.nan,
            }
        )
    return pd.DataFrame(rows)


def report(experiment: ModuleType) -> None:
    """Run an experiment, write its CSV and plot beside it, and print it."""
    path = Path(str(experiment.__file__)).with_suffix("")
    ours = experiment.run()
    table = compare(experiment, ours)
    table.to_csv(path.with_suffix(".csv"), index=False, float_format="%.6g", lineterminator="\n")
    with look():
        experiment.figure(ours).savefig(
            path.with_suffix(".png"), dpi=150, metadata={"Software": None}
        )
    print(f"\n{str(experiment.__doc__).splitlines()[0]}")
    print(table.drop(columns=["note"]).to_string(index=False, float_format=lambda x: f"{x:.4g}"))
    for _, row in table[table["verdict"] == MISSED].iterrows():
        print(f"missed: {row['quantity']} of {row['row']}: {row['note'] or 'no reason is known'}")
