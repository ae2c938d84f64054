"""What a run found stays: interrupts, closed pipes, runs of one moment, places that hold a run."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.singleton import Singleton

from dse.cli import main
from dse.errors import DseError
from dse.report.csv_files import write_csv
from dse.report.files import replacing, write_text
from dse.report.finished import read_run
from dse.report.run_folder import staged, sweep_stale

CHECKOUT = Path(__file__).parents[1]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")]),
}
PROGRAM = [sys.executable, "-m", "dse"]
ONE = ["task=evaluate", "workload=tiny", "accelerator=flexible", "report=none"]
SMALL = [
    *("workload=tiny", "space.knobs={array_rows:[8,16],buffer_bytes:[65536,131072]}"),
    *("budget=none", "search.trials=4", "report=none"),
]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def manifests(home: Path) -> list[dict]:
    return [json.loads(x.read_text()) for x in sorted(home.glob("outputs/*/*/manifest.json"))]


def run_folder(home: Path) -> Path:
    (folder,) = home.glob("outputs/*/*")
    return folder


def test_a_run_has_its_own_hydra_folder_log_and_hashes(home):
    assert main([*ONE, "accelerator.buffer_bytes=65536"]) == 0
    folder = run_folder(home)
    overrides = (folder / ".hydra" / "overrides.yaml").read_text()
    assert "accelerator.buffer_bytes=65536" in overrides
    assert "Result" in (folder / "run.log").read_text()
    (manifest,) = manifests(home)
    assert manifest["state"] == "complete"
    assert set(manifest["outputs_sha256"]) == {"layers.csv", "summary.json"}
    assert not [x for x in folder.rglob(".*") if x.name != ".hydra"]


def test_jobs_of_a_sweep_have_their_own_command(home):
    assert main(["-m", *ONE, "accelerator.buffer_bytes=65536,131072"]) == 0
    found = [json.loads(x.read_text()) for x in sorted(home.glob("outputs/*/*/*/manifest.json"))]
    assert [x["command"][-1] for x in found] == [
        "accelerator.buffer_bytes=65536",
        "accelerator.buffer_bytes=131072",
    ]
    for manifest in found:
        assert main([*manifest["command"][1:], "report=none"]) == 0


def test_a_place_that_holds_a_run_is_not_written_over(home, capsys):
    assert main([*ONE, "hydra.run.dir=here"]) == 0
    before = (home / "here" / "manifest.json").read_bytes()
    (home / "mine").mkdir()
    (home / "mine" / "notes.txt").write_text("precious")
    capsys.readouterr()
    for place, holds in (("here", "a run"), ("mine", "other files")):
        assert main([*ONE, f"hydra.run.dir={place}"]) == 2
        assert holds in capsys.readouterr().err
    assert (home / "here" / "manifest.json").read_bytes() == before
    assert list((home / "mine").iterdir()) == [home / "mine" / "notes.txt"]


def test_a_sweep_into_a_place_that_holds_one(home, capsys):
    sweep = ["-m", *ONE, "workload.batch=1,2", "hydra.sweep.dir=here"]
    assert main(sweep) == 0
    before = (home / "here" / "0" / "manifest.json").read_bytes()
    assert main(sweep) == 2
    assert "holds a run" in capsys.readouterr().err
    assert (home / "here" / "0" / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_what_was_told_is_kept(home, capsys, monkeypatch, name):
    number = getattr(signal, name)

    def stop(*_: object, **__: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr("dse.tasks.write_study", stop)  # comes after the pick is told
    assert main(SMALL) == 128 + number
    streams = capsys.readouterr()
    assert streams.out.startswith("Pick")
    folder = run_folder(home)
    place = folder.relative_to(home)
    assert streams.err == f"dse: interrupted, what was known is in {place}, marked partial\n"
    assert json.loads((folder / "manifest.json").read_text())["state"] == "partial"
    assert len(pd.read_csv(folder / "front.csv")) > 0
    assert (folder / "pick.yaml").is_file()
    assert read_run(folder).pick is not None


def test_a_full_disk_names_the_file_and_what_is_kept(home, capsys, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        with replacing(Path("designs.parquet")):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("dse.tasks.write_study", fail)
    assert main(SMALL) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "designs.parquet cannot be written: No space left on device; what was known" in error


def test_a_closed_pipe_loses_nothing(home):
    command = f"{sys.executable} -m dse {' '.join(map(repr, SMALL))} | head -1"
    run = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert (run.returncode, run.stderr, run.stdout.count("\n")) == (0, "", 1)
    (manifest,) = manifests(home)
    assert manifest["state"] == "complete"
    assert (run_folder(home) / "designs.parquet").is_file()


@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-", "> /dev/full"])
def test_closed_and_full_streams(home, streams):
    command = f"{sys.executable} -m dse {' '.join(ONE)} {streams}"
    run = subprocess.run(["bash", "-c", command], env=ENVIRONMENT, check=False)
    assert run.returncode == 0
    assert [x["state"] for x in manifests(home)] == ["complete"]


def test_output_in_ascii(home):
    run = subprocess.run(
        [*PROGRAM, *ONE],
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "mm^2" in run.stdout


STUCK = """
import sys, time
import numpy as np
import dse.tasks
from numba import njit

@njit(nogil=True)
def spin(n):
    x = 0.0
    for i in range(n):
        x = (x + i) % 7.0
    return x

spin(3)

def run(*_):
    print("stuck", flush=True)
    spin(10**12)

dse.tasks.run_task = run
from dse.__main__ import run as command
sys.argv = ["dse", "task=evaluate", "workload=tiny"]
command()
"""


def test_compiled_code_does_not_keep_a_run_from_ending(home):
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", STUCK], env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "stuck\n"
        run.send_signal(signal.SIGTERM)
        _, errors = run.communicate(timeout=30)
    assert run.returncode == 143
    assert errors == "dse: interrupted, nothing was written\n"
    assert not list(home.iterdir())


def test_runs_that_were_killed_are_marked_or_swept(home):
    known, empty = home / "known", home / "empty"
    for folder, values in ((known, {"config": {}}), (empty, {})):
        folder.mkdir()
        process = subprocess.Popen(["true"])
        process.wait()
        head = {"state": "running", "pid": process.pid, "host": os.uname().nodename, **values}
        (folder / "manifest.json").write_text(json.dumps(head))
    sweep_stale(home / "other")
    assert json.loads((known / "manifest.json").read_text())["state"] == "partial"
    assert not empty.exists()


def test_runs_of_one_moment_get_folders_of_their_own(home):
    told: list[tuple[int, Path]] = []

    def run(number: int) -> None:
        for _ in range(5):
            with staged(home / "outputs" / "same", ["dse", str(number)]) as stage:
                stage.write_manifest({"config": {}, "number": number})
                write_text(stage.folder / "x.txt", str(number))
                told.append((number, stage.folder))

    threads = [threading.Thread(target=run, args=(x,)) for x in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({folder for _, folder in told}) == 40
    for number, folder in told:
        assert json.loads((folder / "manifest.json").read_text())["number"] == number
        assert (folder / "x.txt").read_text() == str(number)


def test_files_go_through_no_link(home):
    (home / "precious").write_text("precious")
    (home / "run").mkdir()
    (home / "run" / "report.html").symlink_to(home / "precious")
    write_text(home / "run" / "report.html", "page")
    assert (home / "precious").read_text() == "precious"
    (home / "run" / "plots").symlink_to(home)
    with pytest.raises(DseError, match="not a link"):
        write_text(home / "run" / "plots" / "precious", "picture")
    assert (home / "precious").read_text() == "precious"


def test_texts_that_act_are_spelt_out(home):
    names = ["=cmd|' /C calc'!A0", "+1", "@x", "-x", "-1.5", "a\u202eb", "c\x1b[31m", "plain"]
    write_csv(home / "t.csv", pd.DataFrame({"name": names, "number": range(8)}))
    assert list(pd.read_csv(home / "t.csv")["name"]) == [
        "'=cmd|' /C calc'!A0",
        "'+1",
        "'@x",
        "'-x",
        "-1.5",
        "a\\u202eb",
        "c\\u001b[31m",
        "plain",
    ]


def test_names_reach_the_terminal_without_codes(home, capsys):
    Path("n.yaml").write_text('name: "a\\e[31m\\u202eb"\nlayers: [{name: "=x", k: 8, c: 8}]\n')
    assert main([*ONE[:1], "accelerator=flexible", "report=none", "workload.path=n.yaml"]) == 0
    out = capsys.readouterr().out
    assert "a\\u001b[31m\\u202eb" in out
    assert "\x1b" not in out
    layers = (run_folder(home) / "layers.csv").read_text(encoding="utf-8")
    assert "'=x" in layers


def test_quiet(home, capsys):
    assert main([*ONE, "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert "Result" in (run_folder(home) / "run.log").read_text()
    assert main(["-q", "seed=-1"]) == 2
    assert capsys.readouterr().err.startswith("dse: seed")


@pytest.mark.parametrize(
    ("level", "files"), [("none", set()), ("data", {"traffic.csv"}), ("full", {"report.html"})]
)
def test_how_much_of_a_report_is_written(home, level, files):
    assert main([*ONE[:-1], f"report={level}"]) == 0
    names = {x.name for x in run_folder(home).iterdir()}
    assert files <= names
    assert ("traffic.csv" in names) == (level != "none")
    assert ("report.html" in names) == (level == "full")


def test_jobs_of_a_launcher_that_fail_are_told(home):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    sweep = ["-m", "hydra/launcher=joblib", *ONE, "accelerator.buffer_bytes=65536,-1"]
    run = subprocess.run(
        [*PROGRAM, *sweep], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    told = [x for x in run.stderr.splitlines() if x.startswith("dse: job 1 (")]
    assert len(told) == 1
    assert "accelerator.buffer_bytes=-1" in told[0]
    assert len(list(home.glob("outputs/*/*/0/layers.csv"))) == 1


@pytest.fixture
def heard_signals():
    """Have programs that are started hear every signal: nohup and & have some ignored."""
    heard = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {x: signal.getsignal(x) for x in heard}
    for number, handler in before.items():
        if handler == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield heard
    for number, handler in before.items():
        signal.signal(number, handler)


def test_processes_of_a_launcher_read_files_as_this_one_does(home):
    assert main([*ONE, "--cfg", "job"]) == 0
    Singleton.set_state(Singleton.get_state())  # as launchers do in another process
    source = SourcesRegistry.instance().types["file"]
    assert source.__module__ == "dse.config.source"


@pytest.mark.slow
def test_interrupts_at_random_moments(home, heard_signals):
    moments = random.Random(0)
    told_but_lost = []
    for number in range(60):
        place = home / str(number)
        place.mkdir()
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [*PROGRAM, *SMALL[:-1]], cwd=place, env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True
        ) as run:
            time.sleep(moments.uniform(0.2, 8))
            run.send_signal(moments.choice(heard_signals))
            out, errors = run.communicate(timeout=10)
        assert "Traceback" not in errors
        folders = list(place.glob("outputs/*/*"))
        states = [json.loads((x / "manifest.json").read_text())["state"] for x in folders]
        if "Pick" in out and (len(folders) != 1 or not (folders[0] / "front.csv").is_file()):
            told_but_lost.append(number)
        assert states in ([], ["partial"], ["complete"])
        assert not [x for x in place.rglob(".*") if x.name != ".hydra"]
    assert not told_but_lost


@pytest.mark.slow
def test_200_runs_that_end_together(home):
    code = (
        "import sys; from pathlib import Path; from dse.report.run_folder import staged\n"
        "from dse.report.files import write_text\n"
        "n = sys.argv[1]\n"
        "with staged(Path('outputs/day/same'), ['dse', n]) as stage:\n"
        "    stage.write_manifest({'config': {}, 'n': n})\n"
        "    sys.stdin.read(1)\n"
        "    write_text(stage.folder / 'x.txt', n)\n"
    )
    for _ in range(10):
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(x)], stdin=subprocess.PIPE, env=ENVIRONMENT
            )
            for x in range(20)
        ]
        time.sleep(3)
        for run in runs:
            assert run.stdin is not None
            run.stdin.close()
        assert [run.wait(60) for run in runs] == [0] * 20
    folders = list(home.glob("outputs/day/*"))
    assert len(folders) == 200
    for folder in folders:
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["state"] == "complete"
        assert manifest["n"] == (folder / "x.txt").read_text()
