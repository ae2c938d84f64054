"""The README says what is there."""

import re
from pathlib import Path

import yaml

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
