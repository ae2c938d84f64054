"""The wheel, installed alone outside the checkout, runs from any folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
CONSTRAINTS = CHECKOUT / ".ci" / "constraints.txt"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return the built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    python(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, CHECKOUT)
    (path,) = folder.glob("*.whl")
    return path


def python(*command: object, cwd: Path | None = None) -> str:
    environment = {key: x for key, x in os.environ.items() if key != "PYTHONPATH"}
    run = subprocess.run(
        [str(x) for x in command], capture_output=True, text=True, check=False, cwd=cwd,
        env=environment,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.slow
def test_wheel_holds_code_and_configuration_only(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"dse/cli.py", "dse/py.typed", "dse/conf/config.yaml", "dse/docs/index.md"} <= set(names)
    conf = {
        f"dse/conf/{x.relative_to(CHECKOUT / 'conf')}" for x in (CHECKOUT / "conf").rglob("*.yaml")
    }
    assert conf <= set(names)
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"dse", "chipfront"}


@pytest.mark.slow
def test_wheel_runs_outside_the_checkout(wheel, tmp_path):
    venv, home = tmp_path / "venv", tmp_path / "home"
    python(sys.executable, "-m", "venv", venv)
    python(venv / "bin" / "pip", "install", "-q", "-c", CONSTRAINTS, wheel)
    (home / "my_conf" / "workload").mkdir(parents=True)
    (home / "my_conf" / "accelerator").mkdir()
    network = "name: mine\nlayers: [{name: fc, k: 64, c: 64}]\n"
    (home / "my_conf" / "workload" / "mine.yaml").write_text(network)
    chip = "defaults: [flexible]\nname: mine\narray_rows: 4\n"
    (home / "my_conf" / "accelerator" / "mine.yaml").write_text(chip)
    out = python(
        venv / "bin" / "dse", "--config-dir", "my_conf", "task=evaluate", "workload=mine",
        "accelerator=mine", cwd=home,
    )  # fmt: skip
    assert "mine, batch 1, on mine" in out
    (summary,) = home.glob("outputs/*/*-evaluate/summary.json")
    assert summary.is_file()


def test_the_command_line_starts_without_the_libraries_that_its_tasks_need():
    heavy = ("numba", "onnx", "optuna", "matplotlib", "pandas", "scipy", "torch")
    code = f"import sys, dse.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
