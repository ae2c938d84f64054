"""The README and the notes say what is there."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from experiments.search_quality import in_order
from experiments.search_report import by_sampler, by_space, verdict

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


def test_the_quality_of_the_search_is_that_of_the_stored_studies() -> None:
    folder, renew = ROOT / "experiments", "renew with: python -m experiments.search_quality"
    table = pd.read_csv(folder / "search_quality.csv")
    pd.testing.assert_frame_equal(table, in_order(table), obj=f"studies ({renew})")
    assert by_sampler(table).strip() in README, "copy experiments/search_quality.md"
    assert verdict(table) in README, "copy experiments/search_quality.md"
    page = (folder / "search_quality.md").read_text(encoding="utf-8")
    assert by_space(table) in page, renew


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
