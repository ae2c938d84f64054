"""Ask all programs, or ours alone; write the tables and the plot.

    python -m experiments.peers [--environments FOLDER] [--ours]

Each peer runs in an environment of its own, made in the folder from the pinned packages in
``environments/`` (in a temporary folder if none is given). Answers that are stored stay: delete
answers.jsonl and fixed_schedule.jsonl to begin anew. ``--ours`` measures ours only, and holds it
against what is stored. Writes ours.json, comparison.csv, .md and .png, and fixed_schedule.csv.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from dse.plots.style import look
from experiments.peers import answers, fixed_schedule, ours, report
from experiments.peers.programs import FOLDER, PEERS
from experiments.peers.table import comparison

OURS, COMPARISON = FOLDER / "ours.json", FOLDER / "comparison.csv"


def write(measured: dict[str, Any]) -> None:
    """Write the tables and the plot of what is stored."""
    OURS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    table = comparison(measured, answers.stored())
    fixed = fixed_schedule.table(fixed_schedule.stored())
    for frame, path in ((table, COMPARISON), (fixed, FOLDER / "fixed_schedule.csv")):
        frame.to_csv(path, index=False, float_format="%.5g", lineterminator="\n")
    text = report.markdown(table, measured)
    COMPARISON.with_suffix(".md").write_text(text, encoding="utf-8")
    with look():
        report.figure(table, measured, finding=finding(table)).savefig(
            COMPARISON.with_suffix(".png"), dpi=150, metadata={"Software": None}
        )
    print(text)
    for column in ("losses", "differences"):
        for _, row in table[table[column] != ""].iterrows():
            asked = f"{row['problem']}, {row['buffer_kib']} KiB, {row['peer']} ({row['setting']})"
            print(f"{column}: {asked}: {row[column]}")


def finding(table: pd.DataFrame) -> str:
    """Return what the plot shows, in words."""
    times = f"{table['ratio'].min() // 10 * 10:.0f}"
    return f"Never more traffic than other mappers find, in at least {times} times less CPU time"


def main() -> None:
    """Ask, measure and write."""
    parser = argparse.ArgumentParser(prog="python -m experiments.peers")
    parser.add_argument("--environments", type=Path, help="a folder that keeps them")
    parser.add_argument("--ours", action="store_true", help="ask no peer")
    given = parser.parse_args()
    if not given.ours:
        with tempfile.TemporaryDirectory() as temporary:
            folder = given.environments or Path(temporary)
            answers.run(list(PEERS), folder)
            fixed_schedule.run(folder)
    write(ours.measure())


if __name__ == "__main__":
    main()
