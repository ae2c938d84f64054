"""The README and the notes say what is there."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "dse" / "notes").glob("*.md"))]
README = PAGES[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    missing = [x for x in links if "://" not in x and not (page.parent / x).exists()]
    assert not missing


def test_every_note_is_linked() -> None:
    assert all(f"dse/notes/{page.name}" in README for page in PAGES[1:])


def test_the_table_of_experiments_is_the_last_summary() -> None:
    summary = (ROOT / "experiments" / "summary.md").read_text(encoding="utf-8").strip()
    assert summary in README, "copy experiments/summary.md into the README"


def test_examples_of_files_can_be_read() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 4
    assert all(yaml.safe_load(block)["name"] for block in blocks)


def test_commands_name_what_exists() -> None:
    groups = "workload|accelerator|space|budget|search|task"
    own = {"keyword_net", "mine", "small"}
    named = set(re.findall(rf"(?<=[ `])({groups})=(\w+)", README))
    assert len(named) > 10
    for group, name in sorted(named):
        assert name in own or (ROOT / "conf" / group / f"{name}.yaml").is_file(), (group, name)
