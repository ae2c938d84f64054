"""Every column that a run writes, and every total, is in the one table of columns."""

import json

import pandas as pd
import pytest

from dse.cli import main
from dse.columns import CAUSES, COLUMNS, COSTS, MAXIMISED, QUANTITIES, base_name, columns_markdown
from dse.evaluation.causes import CAUSES as CAUSES_OF_THE_MODEL

TABLES = ("layers.csv", "front.csv", "traffic.csv", "given.csv", "nearest.csv", "history.csv",
          "compare.csv")  # fmt: skip
SEARCH = ("workload=tiny", "space.knobs.buffer_bytes=[16384,32768]", "search.trials=8")


def names_in(folder):
    """Return the columns of every table of a folder, and the totals of its summary."""
    found = {name: list(pd.read_csv(folder / name).columns) for name in TABLES
             if (folder / name).exists()}  # fmt: skip
    if (folder / "designs.parquet").exists():
        found["designs.parquet"] = list(pd.read_parquet(folder / "designs.parquet").columns)
    if (folder / "summary.json").exists():
        found["summary.json"] = list(json.loads((folder / "summary.json").read_text()))
    return found


def run(folder, *arguments):
    assert main([*arguments, f"hydra.run.dir={folder}"]) == 0
    return names_in(folder)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the columns of the files of each kind of run."""
    home = tmp_path_factory.mktemp("runs")
    found = [
        run(home / "search", *SEARCH),
        run(home / "none", *SEARCH, "budget.area_mm2=0.001", "pick.require=false"),
        run(home / "given", "task=evaluate", "workload=tiny", "mapping.tile.oy=2"),
        run(home / "import", "task=import", "workload=tiny"),
    ]
    both = f"run=[{home / 'search'},{home / 'given'}]"
    found.append(run(home / "compare", "task=compare", both))
    return found


@pytest.mark.slow
def test_every_column_of_every_file_is_explained(written):
    assert {file for names in written for file in names} == {
        *TABLES, "designs.parquet", "summary.json"
    }  # fmt: skip
    unknown = {
        (file, name) for names in written for file, columns in names.items() for name in columns
        if base_name(name) not in COLUMNS and "." not in name  # a key of the configuration
    }  # fmt: skip
    assert unknown == set()


def test_causes_are_those_of_the_model_in_its_order():
    assert list(CAUSES) == [f"time_{cause}_s" for cause in CAUSES_OF_THE_MODEL]


def test_objectives_are_costs_with_a_direction():
    assert set(QUANTITIES) <= set(COSTS)
    assert all(COSTS[name].better for name in QUANTITIES)
    assert {"throughput_per_s"} == MAXIMISED


def test_every_column_has_a_meaning_and_a_row_of_markdown():
    rows = [line for line in columns_markdown().splitlines() if line.startswith("| `")]
    assert len(rows) == len(COLUMNS)
    assert all(column.meaning.endswith(".") for column in COLUMNS.values())
    assert all(row.count("|") == 6 for row in rows)
