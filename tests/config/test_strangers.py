"""A stranger's folder: nothing in it runs, leaks, writes or hangs; each rule in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dse
from dse.cli import main
from dse.config.files import load_group
from dse.config.references import check_expansion, references

CHECKOUT = Path(__file__).parents[2]
SECRET = "hunter2-of-the-environment"
NETWORK = "name: n\nlayers: [{name: a, k: 4, c: 4}]\n"
ONE = ["task=evaluate", "accelerator=flexible", "--config-dir", "m", "workload=n"]

LAUGHS = "\n".join(
    f"a{i}: &a{i} [{', '.join(['1' if i == 0 else f'*a{i - 1}'] * 9)}]" for i in range(9)
)
CHAIN = "".join(f"v{i}: ${{mul:{','.join([f'${{.v{i + 1}}}'] * 10)}}}\n" for i in range(12))
LISTS = "".join(f"v{i}: [{', '.join([repr(f'${{..v{i + 1}}}')] * 9)}]\n" for i in range(10))

REFUSED = {
    # rows 1 and 2: Hydra's own node
    "environment": ("# @package _global_\nhydra: {job: {env_set: {PYTHONPATH: m/e}}}\n", "header"),
    "environment of another package": (
        "# @package hydra.job\nenv_set: {LD_PRELOAD: m/e.so}\n",
        "header",
    ),
    "a log that empties a file": (
        "# @package _global_\nhydra:\n  job_logging: {version: 1, handlers: {x: {class: "
        "logging.FileHandler, filename: CANARY, mode: w}}, root: {handlers: [x]}}\n",
        "header",
    ),
    "a run elsewhere": ("# @package _global_\nhydra: {run: {dir: CANARY}}\n", "header"),
    "an indented header": (" \t# @package _global_\nhydra: {run: {dir: CANARY}}\n", "header"),
    "a header after a comment": ("# a net\n#   @package _global_\nhydra: {}\n", "header"),
    "a header with a colon": ("# @package: _global_\nhydra: {run: {dir: CANARY}}\n", "header"),
    "a header after a blank line": ("\n\n#@package _global_\nhydra: {run: {dir: C}}\n", "header"),
    "a node of Hydra": ("hydra: {run: {dir: CANARY}}\n", "'hydra'"),
    "a quoted node of Hydra": ('"\\x68ydra": {run: {dir: CANARY}}\n', "'hydra'"),
    "a launcher": ("defaults: [override hydra/launcher: basic]\n", "defaults"),
    "a launcher, as a mapping": ("defaults: [{override hydra/launcher: basic}]\n", "defaults"),
    "a log of Hydra": ("defaults: [{/hydra/job_logging@_global_: default}]\n", "defaults"),
    "another group": ("defaults: [/budget/edge]\n", "defaults"),
    "another place": ("defaults: [flexible@_global_]\n", "defaults"),
    "a folder above": ("defaults: [../../secret]\n", "defaults"),
    "a file of the system": ("defaults: [/etc/passwd]\n", "defaults"),
    "a number of defaults": ("defaults: 3\n", "defaults"),
    "an interpolated default": ("defaults: ['${oc.env:HOME}']\n", "interpolation"),
    "code": ("a: !!python/object/apply:os.system ['touch CANARY']\n", "YAML"),
    # row 3: the environment
    "a variable": ("source: ${oc.env:DSE_SECRET}\n", "interpolation"),
    "a variable in arithmetic": ("batch: ${mul:${oc.env:DSE_SECRET},1}\n", "interpolation"),
    "a variable in a text": ("source: a ${oc.env:DSE_SECRET} b\n", "interpolation"),
    "a variable by another name": ("source: ${oc.decode:${oc.env:DSE_SECRET}}\n", "interpolation"),
    "a variable in an unused key": ("limits: {x: '${oc.env:DSE_SECRET}'}\n", "interpolation"),
    "a variable with a default": ("source: '${oc.env: DSE_SECRET, 3}'\n", "interpolation"),
    "a variable behind spaces": ("source: '${  oc.env:DSE_SECRET }'\n", "interpolation"),
    "a variable by a name that is made": ("source: '${${.resolver}:X}'\n", "interpolation"),
    "the command's own node": ("source: ${hydra:runtime.cwd}\n", "interpolation"),
    "the time": ("source: ${now:%Y}\n", "interpolation"),
    # row 7: what has no end
    "laughs": (f"{LAUGHS}\n", "values"),
    "a list in itself": ("a: &a [*a]\n", "alias"),
    "a deep list": ("a: " + "[" * 100 + "]" * 100 + "\n", "nested"),
    "arithmetic on itself": (f"{CHAIN}v12: 10\n", "at most"),
    "lists of lists": (f"{LISTS}v10: 1\n", "at most"),
    "a product of texts": ("batch: ${mul:ab,2000000000}\n", "interpolation"),
    "a product of texts by name": ("t: ab\nbatch: '${mul:${.t},2000000000}'\n", "numbers"),
    "a product beyond numbers": (f"batch: ${{mul:{','.join(['4000000000'] * 9)}}}\n", "2^62"),
    "a division by nothing": ("batch: ${floor_div:4,0}\n", "other than 0"),
    "a number of 5,000 digits": (f"batch: {'9' * 5000}\n", "digits"),
    "a number of 400 digits": (f"extra_parameters: {'9' * 400}\n", "digits"),
    "a long text": (f"source: {'a' * 200_000}\n", "characters"),
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a working directory with a stranger's folder m in it."""
    (tmp_path / "m" / "e").mkdir(parents=True)
    (tmp_path / "m" / "workload").mkdir()
    (tmp_path / "m" / "e" / "sitecustomize.py").write_text("open('CANARY', 'w')\n")
    (tmp_path / "secret.yaml").write_text(f"source: {SECRET}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DSE_SECRET", SECRET)
    return tmp_path


@pytest.mark.parametrize(("text", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_a_strangers_network_is_refused(home, capsys, text, rule):
    path = home / "m" / "workload" / "n.yaml"
    path.write_text(text + NETWORK)
    before = sorted(home.rglob("*"))
    for arguments in (ONE, [*ONE[:2], "workload.path=m/workload/n.yaml"]):
        assert main(arguments) == 2
        streams = capsys.readouterr()
        assert streams.out == ""
        assert streams.err.count("\n") == 1, streams.err
        assert rule in streams.err
        assert SECRET not in streams.err
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize("group", ["accelerator", "space", "search", "budget", "mapping", "task",
                                   "technology", "dram"])  # fmt: skip
@pytest.mark.parametrize(
    "text",
    ["# @package _global_\nhydra: {run: {dir: CANARY}}\n", f"{LAUGHS}\n",
     "hydra: {run: {dir: CANARY}}\n", "name: ${oc.env:DSE_SECRET}\n", "defaults: [../x]\n"],
    ids=["header", "laughs", "node", "variable", "defaults"],
)  # fmt: skip
def test_every_group_is_held_to_the_rules(home, capsys, group, text):
    (home / "m" / group).mkdir()
    (home / "m" / group / "evil.yaml").write_text(text)
    before = sorted(home.rglob("*"))
    assert main(["--config-dir=m", "workload=tiny", f"{group}=evil"]) == 2
    streams = capsys.readouterr()
    assert (streams.out, streams.err.count("\n")) == ("", 1), streams.err
    assert f"{group}/evil.yaml: " in streams.err
    assert SECRET not in streams.err
    assert sorted(home.rglob("*")) == before


def test_defaults_that_fan_out(home, capsys):
    for number in range(8):
        names = ", ".join([f"d{number + 1}"] * 10) if number < 7 else ""
        path = home / "m" / "workload" / f"d{number}.yaml"
        path.write_text(f"defaults: [{names}]\n{NETWORK}")
    assert main([*ONE[:-1], "workload=d0"]) == 2
    assert "at most 64 files" in capsys.readouterr().err


def test_a_link_out_of_the_folder(home, capsys):
    (home / "m" / "workload" / "n.yaml").symlink_to(home / "secret.yaml")
    assert main(ONE) == 2
    streams = capsys.readouterr()
    assert "leads out of it" in streams.err
    assert SECRET not in streams.err


def test_groups_that_are_none(home, capsys):
    (home / "m" / "hydra" / "launcher").mkdir(parents=True)
    (home / "m" / "hydra" / "launcher" / "evil.yaml").write_text("_target_: os.system\n")
    (home / "m" / "config.yaml").write_text("hydra: {run: {dir: CANARY}}\n")
    (home / "m" / "workload" / "n.yaml").write_text(NETWORK)
    assert main([*ONE, "hydra/launcher=evil"]) == 2
    assert "launcher" in capsys.readouterr().err
    assert main(ONE) == 0
    assert not (home / "CANARY").exists()


def test_a_name_in_both_folders_is_the_users(home, capsys):
    (home / "m" / "accelerator").mkdir()
    chip = (CHECKOUT / "conf" / "accelerator" / "flexible.yaml").read_text(encoding="utf-8")
    rows = next(line for line in chip.splitlines() if line.startswith("array_rows:"))
    own = home / "m" / "accelerator" / "flexible.yaml"
    own.write_text(chip.replace(rows, "array_rows: 1"), encoding="utf-8")
    task = ["task=evaluate", "workload=tiny", "--config-dir", "m"]
    for number, more in enumerate((["accelerator=flexible"], [])):  # chosen, and named by the space
        assert main([*task, *more, f"hydra.run.dir=run{number}"]) == 0
        layers = Path(f"run{number}/manifest.json").read_text(encoding="utf-8")
        assert '"array_rows": 1,' in layers
        assert "accelerator 'flexible' is m/accelerator/flexible.yaml" in capsys.readouterr().out
    assert dse.load_accelerator("flexible").array_rows > 1


def test_the_interpolations_of_a_file():
    assert references("${..batch}") == ["..batch"]
    assert references("${mul:${add:${.a},-1},${b.c[0]},2.5}") == [".a", "b.c[0]"]
    check_expansion({"a": ["${b}"] * 1000, "b": [1] * 1000})
    with pytest.raises(dse.DseError, match="at most 2,000,000 values"):
        check_expansion({"a": ["${b}"] * 2000, "b": [1] * 2000})


def test_bounds_let_the_project_and_large_networks_through(home):
    layers = "".join(f"  - {{name: l{i}, k: 8, c: 8, oy: '${{...size}}'}}\n" for i in range(3000))
    path = home / "m" / "workload" / "big.yaml"
    path.write_text(f"name: big\nsize: 4\nlayers:\n{layers}")
    values = load_group("workload", path)
    assert len(values["layers"]) == 3000
    assert values["layers"][-1]["oy"] == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["environment", "a log that empties a file", "a run elsewhere"])
def test_a_stranger_gets_no_process(home, name):
    (home / "m" / "workload" / "n.yaml").write_text(REFUSED[name][0] + NETWORK)
    (home / "CANARY").write_text("precious")
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    run = subprocess.run(
        [sys.executable, "-m", "dse", *ONE],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert (home / "CANARY").read_text() == "precious"
