"""A second process draws the same as this one, and is done without if it cannot be had."""

import subprocess
import sys

import pytest

from dse.errors import DseError
from dse.report import drawing
from dse.report.drawing import Drawing
from dse.report.page import write_report
from tests.example_run import write_run

SCRIPT = """
from pathlib import Path

from dse.report import drawing

print("once", flush=True)
drawing.num_workers = lambda: 2
ahead = drawing.Drawing(Path({run!r}))
ahead.draw("pareto")
ahead.wait()
assert not ahead._is_alone
ahead.finish()
"""


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
    monkeypatch.setattr(drawing, "_other", None)
    alone = Drawing(run)
    alone.draw("pareto")
    alone.finish()
    assert contents(run) == expected


@pytest.mark.parametrize("is_drawing", [True, False])
def test_the_other_process_may_be_killed(run, expected, is_drawing):
    survivor = Drawing(run)
    if is_drawing:
        survivor.draw("pareto")
    drawing.begin_loading().process.kill()
    survivor.finish()
    assert contents(run) == expected
    again = Drawing(run)
    again.draw("pareto")
    again.wait()
    assert not again._is_alone


def test_an_interrupt_ends_what_is_being_drawn(run):
    def interrupted():
        with Drawing(run) as begun:
            begun.draw("pareto")
            raise KeyboardInterrupt

    process = drawing.begin_loading().process
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert process.poll() is not None


def test_what_goes_wrong_in_the_other_process_is_raised_here(run):
    (run / "manifest.json").unlink()
    broken = Drawing(run)
    broken.draw("pareto")
    with pytest.raises(DseError, match="finished run"):
        broken.finish()


def test_a_script_without_a_guard_runs_once_and_no_file_beside_it_is_loaded(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('not the library')")
    script = tmp_path / "scripts" / "mine.py"
    script.parent.mkdir()
    run = write_run(tmp_path / "run")
    script.write_text(SCRIPT.format(run=str(run)))
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("once\n", "")
    assert (run / "report.html").is_file()
