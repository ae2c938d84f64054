"""The README says what is there."""

import re
from pathlib import Path

import pandas as pd
import yaml

from experiments.search_quality import in_order
from experiments.search_report import by_sampler, by_space, verdict

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
