"""The README says what is there."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from dse.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXTENDING = (ROOT / "dse" / "docs" / "extending.md").read_text(encoding="utf-8")


def test_it_is_short() -> None:
    size = len(README.encode())
    assert size < 14_000
    assert len(README.partition("## Five things to try")[0].encode()) < 6_000


def test_examples_of_files_can_be_read() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", EXTENDING, re.DOTALL)
    assert len(blocks) == 4
    assert all(yaml.safe_load(block)["name"] for block in blocks)


def test_commands_name_what_exists() -> None:
    groups = "workload|accelerator|space|budget|search|task"
    own = {"keyword_net", "mine", "small"}
    named = set(re.findall(rf"(?<=[ `])({groups})=(\w+)", README + EXTENDING))
    assert len(named) > 10
    for group, name in sorted(named):
        assert name in own or (ROOT / "conf" / group / f"{name}.yaml").is_file(), (group, name)


def shown(text: str) -> list[tuple[str, list[str]]]:
    """Return the commands that a page shows, and the lines that it shows of what each says."""
    found: list[tuple[str, list[str]]] = []
    without_code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for line in re.findall(r"^    (.+)$", without_code, re.MULTILINE):
        if line.startswith("$ dse "):
            found.append((line.removeprefix("$ dse "), []))
        elif found and not line.startswith((" ", "python3")):
            found[-1][1].append(line)
    return found


def printed(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command, and return what it says."""
    assert main(shlex.split(command)) == 0
    return capsys.readouterr().out


def check(out: str, lines: list[str]) -> None:
    """Check that each line that is shown was said, up to three dots."""
    for line in lines:
        assert line.partition(" ...")[0].rstrip(";") in out, line


@pytest.mark.slow
def test_the_main_job_says_what_is_shown(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    said = README.partition("## What the main job says")[2].partition("\nIt sizes")[0]
    check(printed("hydra.run.dir=run", capsys), re.findall(r"^    (.+)$", said, re.MULTILINE))
    steps = json.loads((tmp_path / "run" / "pick.json").read_text("utf-8"))["marginal"]
    names = ("throughput_per_s_change", "area_mm2_change", "dram_bytes_per_inference_change")
    changes = {tuple(round(100 * step[name], 1) for name in names) for step in steps}
    for row in re.findall(r"^\| .+ \| (.+) % \| (.+) % \| (.+) % \|$", README, re.MULTILINE):
        assert tuple(map(float, row)) in changes, row
    for command, lines in shown(README):
        if "run=outputs/<run>" in command:
            check(printed(command.replace("outputs/<run>", "run"), capsys), lines)


@pytest.mark.slow
def test_commands_say_what_is_shown(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```yaml\n(.*?)```", EXTENDING, re.DOTALL):
        path = tmp_path / block.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
    for command, lines in shown(README) + shown(EXTENDING):
        if "<run>" not in command and ".onnx" not in command:
            check(printed(command, capsys), lines)
