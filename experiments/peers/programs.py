"""The programs that are asked: their environments, their settings, and how one run is made."""

import json
import os
import platform
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.peers.question import differences, question

FOLDER = Path(__file__).parent
LIMIT_CPU_S = 300
"""CPU seconds after which a run is ended, imports included."""

NICENESS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A program in an environment of its own, and one of its settings.

    Attributes
    ----------
    environment
        Name of the environment, of its list of pinned packages and of its adapter.
    setting
        What its mapper is allowed, in words.
    options
        The same for its adapter.
    halo_is_kept, along_filter
        Which of our rules for the halo it follows; whether it keeps halos along the filter too.
    space
        What it chooses from, as far as it differs from ours.
    """

    environment: str
    setting: str
    options: dict[str, Any] = field(default_factory=dict)
    halo_is_kept: bool
    along_filter: bool = False
    space: str


PEERS = {
    "accelforge": Peer(
        environment="accelforge",
        setting="any bounds",
        options={"imperfect_loops": True},
        halo_is_kept=True,
        along_filter=True,
        space="a tile of its own for each operand, several loops on an axis; "
        "loops of the image and the filter are cut by divisors only",
    ),
    "accelforge_divisors": Peer(
        environment="accelforge",
        setting="divisors",
        options={"imperfect_loops": False},
        halo_is_kept=True,
        along_filter=True,
        space="as above, every loop cut by divisors only",
    ),
    "zigzag": Peer(
        environment="zigzag",
        setting="defaults",
        options={"loop_factors": 6, "spatial_mappings": 3},
        halo_is_kept=False,
        space="its 3 best unrollings, every order of at most 6 factors, "
        "a tile of its own for each operand",
    ),
}


def machine() -> dict[str, Any]:
    """Return the date, the load of the last minute and the processor."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": round(os.getloadavg()[0], 2),
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
    }


def _limit() -> None:
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_CPU_S, LIMIT_CPU_S + 5))


def run_adapter(python: Path, adapter: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Run an adapter with a peer's Python, at most `LIMIT_CPU_S` of CPU time.

    Returns
    -------
    dict
        ``status`` (answered, time limit), the machine, and ``answer``.

    Raises
    ------
    RuntimeError
        If it ends with an error.
    """
    before = machine()
    done = subprocess.run(
        [python, FOLDER / "adapters" / f"{adapter}_adapter.py"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_limit,
    )
    if done.returncode == 0:
        return {"status": "answered", **before, "answer": json.loads(done.stdout)}
    if done.returncode == -signal.SIGXCPU:
        return {"status": "time limit", **before}
    raise RuntimeError(f"{adapter} ended with {done.returncode}:\n{done.stderr[-2000:]}")


def ask(name: str, python: Path, problem: str, buffer_kib: int) -> dict[str, Any]:
    """Ask a peer one question.

    Raises
    ------
    RuntimeError
        If the peer understood another question.
    """
    peer, asked = PEERS[name], question(problem, buffer_kib)
    sent = {"question": asked, "options": peer.options}
    found = run_adapter(python, peer.environment, sent)
    if found["status"] == "answered":
        wanted = {key: asked[key] for key in ("bounds", "buffer_bits", "axis_sizes", "bits")}
        wrong = differences(wanted, found["answer"]["understood"])
        if wrong:
            raise RuntimeError(f"{name} was asked something else: {'; '.join(wrong)}")
    return {"peer": name, "problem": problem, "buffer_kib": buffer_kib, **found}


def pinned(environment: str) -> Path:
    """Return the list of the packages of an environment."""
    return FOLDER / "environments" / f"{environment}.txt"


def python_of(environment: str, folder: Path) -> Path:
    """Return the Python of a peer's environment, which is made if it is not there."""
    place = folder / environment
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([_suitable_python(environment), "-m", "venv", place], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "-r", pinned(environment)], check=True
        )
    return python


def _suitable_python(environment: str) -> str:
    """Return a Python of the versions that the list of packages names on its first line."""
    first = pinned(environment).read_text(encoding="utf-8").splitlines()[0]
    versions = first.partition("Python ")[2].split(" or ")
    homes = Path.home() / ".pyenv" / "versions"
    found = [f"python{x}" for x in versions]
    found += [str(x) for v in versions for x in sorted(homes.glob(f"{v}.*/bin/python"))]
    for python in [sys.executable, *found]:
        try:
            done = subprocess.run(
                [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                capture_output=True,
                text=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        if done.stdout.strip() in versions:
            return python
    raise RuntimeError(f"{environment} needs Python {' or '.join(versions)}, and none was found")
