"""A second process draws the same as this one, and is done without if it cannot be had."""

import os
import signal

import pytest

from dse.report import drawing
from dse.report.drawing import Drawing
from dse.report.page import write_report
from tests.example_run import write_run


def contents(folder):
    """Return the bytes of all plots and of the page, by name."""
    drawn = [*folder.glob("plots/*"), folder / "report.html"]
    return {path.name: path.read_bytes() for path in drawn}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return what this process draws."""
    folder = write_run(tmp_path_factory.mktemp("run"))
    write_report(folder)
    return contents(folder)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a run folder to draw, on a machine of two processors."""
    monkeypatch.setattr(drawing, "num_workers", lambda: 2)
    return write_run(tmp_path)


def test_what_is_drawn_ahead_is_the_same(run, expected):
    ahead = Drawing(run)
    ahead.draw("pareto", "roofline")
    ahead.wait()
    assert sorted(path.stem for path in run.glob("plots/*.svg")) == ["pareto", "roofline"]
    before = (run / "plots" / "pareto.svg").stat().st_mtime_ns
    ahead.finish()
    assert contents(run) == expected
    assert (run / "plots" / "pareto.svg").stat().st_mtime_ns == before


def test_one_processor_draws_alone(run, expected, monkeypatch):
    monkeypatch.setattr(drawing, "num_workers", lambda: 1)
    monkeypatch.setattr(drawing, "_pool", None)
    alone = Drawing(run)
    alone.draw("pareto")
    alone.finish()
    assert contents(run) == expected


@pytest.mark.parametrize("is_drawing", [True, False])
def test_the_other_process_may_be_killed(run, expected, is_drawing):
    survivor = Drawing(run)
    process = survivor._pool.submit(os.getpid).result()
    if is_drawing:
        survivor.draw("pareto")
    os.kill(process, signal.SIGKILL)
    survivor.finish()
    assert contents(run) == expected
    again = Drawing(run)
    again.draw("pareto")
    again.wait()
    assert again._pool is not None


def test_what_goes_wrong_in_the_other_process_is_raised_here(run):
    (run / "manifest.json").unlink()
    broken = Drawing(run)
    broken.draw("pareto")
    with pytest.raises(Exception, match="finished run"):
        broken.wait()
