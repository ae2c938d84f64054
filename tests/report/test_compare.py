"""Runs side by side are called by what differs, and many of them share legend entries."""

import json

import numpy as np
import pandas as pd
import pytest

from dse.plots.compare import MOST_NAMED, compare_figure
from dse.report.compare import compare_runs, comparison
from dse.report.finished import read_run
from tests.example_run import write_run

BATCHES, EFFICIENCIES, NODES = (1, 4, 16, 64, 256), (0.6, 0.75), ("node28", "node16")


def changed(folder, *, efficiency=0.75, **accelerator):
    """Write a run of an evaluation whose machine has other values."""
    run = write_run(folder, task="evaluate")
    path = run / "manifest.json"
    manifest = json.loads(path.read_text())
    machine = {**manifest["config"]["accelerator"], **accelerator}
    manifest["config"]["accelerator"] = {**machine, "dram": {"efficiency": efficiency}}
    path.write_text(json.dumps(manifest))
    return read_run(run)


def test_runs_are_called_by_what_differs_and_each_difference_is_a_column(tmp_path):
    runs = [changed(tmp_path / f"{e}-{n}", efficiency=e, technology=n)
            for e in EFFICIENCIES for n in NODES]  # fmt: skip
    table = comparison(runs)
    assert list(table["run"]) == [
        f"{n}, efficiency {e:g}" for e in EFFICIENCIES for n in NODES
    ]  # fmt: skip
    assert list(table["accelerator.dram.efficiency"]) == [0.6, 0.6, 0.75, 0.75]
    assert list(table["technology"]) == [*NODES, *NODES]


def test_runs_that_differ_in_nothing_are_called_by_their_folder(tmp_path):
    table = comparison([changed(tmp_path / name) for name in ("a", "b")])
    assert list(table["run"]) == ["a", "b"]


def test_finding_names_the_run_and_not_its_folder(tmp_path):
    runs = [changed(tmp_path / f"19-54-3{i}-evaluate", clock_hz=i * 1e9) for i in (1, 2)]
    compare_runs(tmp_path, runs)
    svg = (tmp_path / "plots" / "compare.svg").read_text(encoding="utf-8")
    assert "<!-- clock hz 1e+09 has the highest throughput of 2 runs -->" in svg


@pytest.mark.parametrize("count", [2, MOST_NAMED, 70, 144])
def test_many_runs_have_few_entries_in_the_legend(count):
    rng = np.random.default_rng(0)
    batches = [BATCHES[i % len(BATCHES)] for i in range(count)]
    table = pd.DataFrame({
        "run": [f"run {i}" for i in range(count)], "batch": batches,
        "workload": [f"net{i % 3}" for i in range(count)],
        "area_mm2": rng.uniform(1, 10, count), "throughput_per_s": rng.uniform(1, 1e3, count),
    })  # fmt: skip
    figure = compare_figure(
        table, [None] * count, x="area_mm2", y="throughput_per_s", finding="one is fastest",
        groups=["workload", "batch"],
    )  # fmt: skip
    figure.canvas.draw()
    (legend,), (ax,) = figure.legends, figure.axes
    assert len(legend.get_texts()) <= 3 + len(BATCHES) + 2
    assert legend.get_window_extent().y1 <= ax.get_window_extent().y0
