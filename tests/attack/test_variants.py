"""Variants of an attack's first three rows: nothing runs, no file is written, nothing is printed.

A stranger's file may be of any kind that the command reads. In each the canary is a file that the
file's author would have written, and the secret a variable of the environment.
"""

import json
import shutil
from pathlib import Path

import pytest
from onnx import TensorProto, helper, save

from dse.cli import main

SECRET = "hunter2-of-the-environment"
NETWORK = "name: n\nlayers: [{name: a, k: 4, c: 4}]\n"
EVALUATE = ["task=evaluate", "accelerator=flexible", "report=data"]
BY_NAME = [*EVALUATE, "--config-dir", "m", "workload=n"]
BY_PATH = [*EVALUATE, "workload.path=m/workload/n.yaml"]

TEXTS = {
    "a byte-order mark": "\ufeff# @package _global_\nhydra: {run: {dir: CANARY}}\n",
    "lines of Windows": "# @package _global_\r\nhydra: {run: {dir: CANARY}}\r\n",
    "lines of old Macintoshes": "# a net\r# @package _global_\rhydra: {run: {dir: CANARY}}\r",
    "a line mark of Unicode": "# a\u2028# @package _global_\nhydra: {run: {dir: CANARY}}\n",
    "two documents": f"{NETWORK}---\nhydra: {{run: {{dir: CANARY}}}}\n",
    "a merged key": "x: &x {hydra: {run: {dir: CANARY}}}\n<<: *x\n",
    "a key in another writing": "? !!str hydra\n: {run: {dir: CANARY}}\n",
    "an object of Python": "limits: !!python/object/new:os.system ['touch CANARY']\n",
    "a module of Python": "limits: !!python/module:CANARY\n",
    "a target": "limits: {_target_: pathlib.Path.touch, _args_: [CANARY]}\n",
    "environment for a child": "# @package hydra.job.env_set\nLD_PRELOAD: CANARY.so\n",
    "environment that is copied": "# @package hydra.job\nenv_copy: [DSE_SECRET]\n",
    "a callback": "# @package hydra.callbacks\nx: {_target_: os.system}\n",
    "a working directory": "# @package hydra.job\nchdir: true\n",
    "a log": "# @package hydra.hydra_logging\nhandlers: {x: {class: logging.FileHandler}}\n",
    "a variable in a default": "defaults: ['${oc.env:DSE_SECRET}']\n",
    "a variable with another default": "batch: ${oc.env:NOWHERE,${oc.env:DSE_SECRET}}\n",
    "a variable as a key": "${oc.env:DSE_SECRET}: 3\n",
    "a variable that is selected": "source: ${oc.select:hydra.runtime.cwd}\n",
    "a variable that is made": "source: '${oc.create:{a: \"${oc.env:DSE_SECRET}\"}}'\n",
    "keys of another node": "source: ${oc.dict.keys:hydra}\n",
    "a variable behind an escape": "source: '\\\\${oc.env:DSE_SECRET}'\n",
    "the whole node of the command": "source: ${hydra:}\n",
    "another node of the run": "source: ${/accelerator.name}\n",
    "an escape in the YAML": 'source: "$\\x7boc.env:DSE_SECRET}"\n',
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a working directory with a stranger's folder m."""
    (tmp_path / "m" / "workload").mkdir(parents=True)
    (tmp_path / "m" / "CANARY.py").write_text("open('CANARY', 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DSE_SECRET", SECRET)
    return tmp_path


def check_nothing_leaked(home, capsys, arguments, *, statuses=(0, 2)):
    status = main(arguments)
    streams = capsys.readouterr()
    assert status in statuses, streams.err
    assert "Traceback" not in streams.err
    assert SECRET not in streams.out + streams.err
    for path in home.rglob("*"):
        assert path.name != "CANARY"
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    return status


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_network_of_a_stranger(home, capsys, text):
    own = "" if "---" in text else NETWORK
    Path("m/workload/n.yaml").write_text(text + own, encoding="utf-8", newline="")
    arguments = BY_PATH if "${" in text else BY_NAME
    assert check_nothing_leaked(home, capsys, arguments) == 2


def test_names_of_an_onnx_file_that_look_like_interpolations(home, capsys):
    name = "${oc.env:DSE_SECRET}"
    shapes = {"x": [1, 4], "w": [4, 4], "y": [1, 4]}
    x, w, y = (helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in shapes.items())
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name=name)
    model = helper.make_model(helper.make_graph([node], name, [x, w], [y]), producer_name=name)
    save(model, "n.onnx")
    check_nothing_leaked(home, capsys, [*EVALUATE, "workload.path=n.onnx"])
    check_nothing_leaked(home, capsys, ["task=import", "workload.path=n.onnx", "hydra.run.dir=i"])
    if Path("i/workload.yaml").exists():
        check_nothing_leaked(home, capsys, [*EVALUATE, "workload.path=i/workload.yaml"])


def test_a_configuration_of_a_transformer_with_interpolations(home, capsys):
    values = {
        "model_type": "bert",
        "hidden_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "vocab_size": 100,
        "max_position_embeddings": 64,
        "_name_or_path": "${oc.env:DSE_SECRET}",
    }
    Path("config.json").write_text(json.dumps(values))
    check_nothing_leaked(home, capsys, ["task=import", "workload.path=config.json"])
    values["hidden_size"] = "${oc.env:DSE_SECRET}"
    Path("config.json").write_text(json.dumps(values))
    check_nothing_leaked(home, capsys, ["task=import", "workload.path=config.json"], statuses=(2,))


def test_a_run_folder_with_interpolations(home, capsys):
    small = ["workload=tiny", "space.knobs={array_rows:[8,16]}", "search.trials=2", "report=none"]
    assert main([*small, "hydra.run.dir=run"]) == 0
    path = Path("run/manifest.json")
    values = json.loads(path.read_text())
    values["config"]["workload"]["name"] = "${oc.env:DSE_SECRET}"
    values["config"]["accelerator"]["source"] = "${oc.env:DSE_SECRET}"
    path.write_text(json.dumps(values))
    capsys.readouterr()
    check_nothing_leaked(home, capsys, ["task=pick", "run=run", "report=none"])


def test_groups_of_hydra_in_a_strangers_folder(home, capsys):
    for group in ("hydra/job_logging", "hydra/launcher", "hydra/callbacks", "hydra/env"):
        (home / "m" / group).mkdir(parents=True)
        text = (
            "_target_: os.system\nhandlers: {x: {class: logging.FileHandler, filename: CANARY}}\n"
        )
        for name in ("default", "basic", "evil"):
            (home / "m" / group / f"{name}.yaml").write_text(text)
    Path("m/workload/n.yaml").write_text(NETWORK)
    check_nothing_leaked(home, capsys, BY_NAME)


def test_a_folder_that_is_a_link_to_another(home, capsys):
    (home / "elsewhere").mkdir()
    (home / "elsewhere" / "n.yaml").write_text(f"source: x\n{NETWORK}")
    shutil.rmtree("m/workload")
    Path("m/workload").symlink_to(home / "elsewhere")
    check_nothing_leaked(home, capsys, BY_NAME)
