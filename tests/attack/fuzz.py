"""Cases of `tests.attack.fuzz_inputs`, run one after another in a process that is watched."""

import contextlib
import io
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.attack.fuzz_inputs import CANARY, SECRET, Case, case

LONGEST_S = 10
"""Processor time of a case."""

LONGEST_WAIT_S = 120
LARGEST_KIB = 2 * 2**20
USER_ERROR = 2
STATUSES = (0, USER_ERROR, 3)

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Failure:
    """A case that did not end as it must."""

    number: int
    kind: str
    command: list[str]
    what: str


def environment() -> dict[str, str]:
    """Return the environment of a program that runs from the checkout, and holds a secret."""
    paths = os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": paths, "DSE_SECRET": SECRET}


def wrong_with(status: int, out: str, errors: str) -> str:
    """Return what is wrong with how a case ended, nothing if it ended as it must."""
    if status not in STATUSES:
        return f"status {status}: {errors[-1500:]}"
    if "Traceback" in errors or errors.count("\n") > 1 or (status == 2 and not errors.strip()):
        return f"status {status} and not one line: {errors[-1500:]!r}"
    if SECRET in out + errors:
        return "the environment was printed"
    if Path(CANARY).exists():
        return "a canary was written"
    written = (x for x in Path("outputs").rglob("*") if x.is_file())
    leaks = [str(x) for x in written if SECRET.encode() in x.read_bytes()]
    return f"the environment is in {leaks}" if leaks else ""


def run_here(number: int, command: list[str]) -> tuple[int, str, str]:
    """Run a case in this process; return its status, output and errors.

    One case in ten is a command line; the others call what it would, where that is known, since
    to compose a configuration takes longer than all the rest.
    """
    from dse.cli import main
    from dse.errors import DseError

    out, errors = io.StringIO(), io.StringIO()
    call = None if number % 10 == 0 else _call(command)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            status = 0
            if call is None:
                status = main(_drawing(command))
            else:
                call()
        except DseError as error:
            errors.write(" ".join(str(error).split()) + "\n")
            status = USER_ERROR
        except SystemExit as end:
            status = int(end.code or 0)
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
            status = 1
    return status, out.getvalue(), errors.getvalue()


def _call(command):
    """Return what a command line would call, None if that is not known."""
    import dse

    task, path = command[0], command[-2].partition("=")[2]
    if task in ("task=page", "task=table"):
        return partial(_read, task)
    if command[:-1] == ["task=import"]:
        return partial(dse.load_workload, command[-1].partition("=")[2])
    if command[-2].startswith("workload.path="):
        chip = dse.load_accelerator("flexible")
        return lambda: dse.evaluate(dse.load_workload(path), chip)
    if command[-2].startswith("accelerator.path="):
        network = dse.load_workload("tiny")
        return lambda: dse.evaluate(network, dse.load_accelerator(path))
    return None


def _read(task: str) -> None:
    """Write the page of a run without its pictures, or its row of a comparison."""
    from dse.report.compare import comparison
    from dse.report.finished import read_run
    from dse.report.page import page
    from dse.report.run_files import fitting_together

    with fitting_together("run"):
        run = read_run(Path("run"))
        page(run, {}) if task == "task=page" else comparison([run, run])


def _drawing(command: list[str]) -> list[str]:
    return ["task=report" if x in ("task=page", "task=table") else x for x in command]


def _work(start: int, stop: int, step: int, finished: Path) -> None:
    """Run cases; print a line for each: its number, kind, command and what was wrong."""
    results = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for number in range(start, stop, step):
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            kind, command = case(number, finished)
            results.write(json.dumps([number, kind, command, None]) + "\n")
            results.flush()
            what = wrong_with(*run_here(number, command))
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if used > LARGEST_KIB:
                what = f"{used:,} KiB of memory"
            results.write(json.dumps([number, kind, command, what]) + "\n")
            results.flush()
        if used > LARGEST_KIB:
            return


def failures(start: int, stop: int, finished: Path, *, step: int = 1) -> Iterator[Failure]:
    """Run cases in a process of their own, and yield those that failed.

    Parameters
    ----------
    start, stop, step
        Numbers of the cases.
    finished
        The run folder that some of them change.
    """
    while start < stop:
        command = [sys.executable, __file__, *map(str, (start, stop, step, finished))]
        with subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as worker:
            last = [start, "", [], None]
            for last in _results(worker):
                if last[3]:
                    yield Failure(*last)
            worker.kill()
        if last[3] is None:
            yield Failure(*last[:3], f"no end after {LONGEST_S} s, or the process died")
        start = last[0] + step


def _results(worker):
    """Yield what a worker prints, until it ends or a case takes too long."""
    assert worker.stdout is not None
    since, used = time.monotonic(), _processor_s(worker.pid)
    while True:
        if select.select([worker.stdout], [], [], 1)[0]:
            line = worker.stdout.readline()
            if not line:
                return
            yield json.loads(line)
            since, used = time.monotonic(), _processor_s(worker.pid)
        elif (
            time.monotonic() - since > LONGEST_WAIT_S or _processor_s(worker.pid) - used > LONGEST_S
        ):
            return


def _processor_s(pid: int) -> float:
    """Return the processor time of a process. [s]."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def run_as_program(number: int, finished: Path) -> tuple[Case, str]:
    """Run a case through the real command line; return it and what was wrong."""
    kind, command = case(number, finished)
    command = _drawing(command)
    done = subprocess.run(
        [sys.executable, "-m", "dse", *command],
        env=environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=LONGEST_WAIT_S,
    )
    return (kind, command), wrong_with(done.returncode, done.stdout, done.stderr)


if __name__ == "__main__":
    _work(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
