"""Pages say what is there: links lead somewhere, and nothing refers to a page of elsewhere."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from dse.columns import QUANTITIES, columns_markdown
from dse.config import accelerators, catalogue, mappings, schedules
from dse.config.spaces import SEARCH_KEYS
from dse.config.workloads import LAYER_KEYS, WORKLOAD_KEYS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "dse" / "docs"
ROOMS = ("dse", "tests", "conf", "experiments", ".ci", ".github")
PAGES = [
    ROOT / "README.md",
    *sorted(page for room in ROOMS for page in (ROOT / room).rglob("*.md")),
]

KEYS = (DOCS / "keys.md").read_text(encoding="utf-8")
CONFIG = {
    key: value if isinstance(value, dict) else {}
    for key, value in yaml.safe_load((ROOT / "conf" / "config.yaml").read_text("utf-8")).items()
    if key not in ("defaults", "hydra")
}
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(
    r"(?<![\w/.-])((?:dse|tests|conf|experiments)/[\w./-]+\.(?:csv|jsonl?|md|png|py|txt|yaml))"
    r"(#[\w-]+)?\b"
)
OUTSIDE = re.compile(r"\b(?:DESIGN|INTERFACE|STYLE|USERS)\.md|\bground[- ]truth\b", re.IGNORECASE)
LARGEST_PAGE = 40_000


def text_files() -> Iterator[Path]:
    """Yield what a maintainer reads: code, configuration and pages."""
    yield from (ROOT / "README.md", ROOT / "pyproject.toml", ROOT / ".ci" / "run")
    for room in ROOMS:
        for suffix in ("*.py", "*.yaml", "*.md"):
            yield from sorted((ROOT / room).rglob(suffix))


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", x.lower()).replace(" ", "-") for x in found}


def leads_somewhere(path: Path, anchor: str) -> bool:
    """Whether there is such a file or folder, and such a heading in it."""
    return path.exists() and (not anchor or anchor.removeprefix("#") in headings(path))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in link:
            path, mark, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert leads_somewhere(target, mark + anchor), link


def test_every_page_of_the_documentation_is_in_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    own = {page.name for page in DOCS.glob("*.md")} - {"index.md"}
    assert own == {link for link in LINK.findall(index) if "/" not in link}
    assert all(page.stat().st_size < LARGEST_PAGE for page in DOCS.iterdir()), "docs are packaged"


def test_files_that_are_named_are_there() -> None:
    missing = [
        (str(file.relative_to(ROOT)), path)
        for file in text_files()
        for path, anchor in NAMED.findall(file.read_text(encoding="utf-8"))
        if not leads_somewhere(ROOT / path, anchor) and not is_made_up(file, path)
    ]
    assert not missing


def is_made_up(file: Path, path: str) -> bool:
    """Whether a test names a file of a run or of a configuration that it makes."""
    return (ROOT / "tests") in file.parents and not path.startswith(("tests/", "dse/docs/"))


def test_nothing_refers_to_pages_that_are_not_in_the_project() -> None:
    own = Path(__file__).resolve()
    found = [
        (str(file.relative_to(ROOT)), match[0])
        for file in text_files()
        if file != own
        for match in OUTSIDE.finditer(file.read_text(encoding="utf-8"))
    ]
    assert not found


def section(title: str) -> set[str]:
    """Return the names that a section of the page of keys explains, without what they belong to."""
    (text,) = re.findall(rf"^## {title}$(.*?)(?=^## |\Z)", KEYS, re.MULTILINE | re.DOTALL)
    return {name for code in re.findall(r"`([^`]+)`", text) for name in re.split(r"[ ,.]+", code)}


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("Workload", WORKLOAD_KEYS),
        ("Layer", [key for keys in LAYER_KEYS.values() for key in keys]),
        ("Layer", LAYER_KEYS),
        ("Accelerator", accelerators.KEYS),
        ("Accelerator", schedules.KEYS),
        ("DRAM part and technology", catalogue.CONSTANTS),
        ("Search and budget", [*SEARCH_KEYS, *QUANTITIES]),
        ("Mapping", mappings.KEYS),
        ("Run", [*CONFIG, *(key for part in CONFIG.values() for key in part)]),
    ],
)
def test_every_key_is_explained(title: str, known: Iterable[str]) -> None:
    assert not set(known) - section(title), f"add them to dse/docs/keys.md, section {title}"


def test_the_page_of_columns_is_that_of_the_code() -> None:
    page = (DOCS / "columns.md").read_text(encoding="utf-8")
    assert page.endswith(columns_markdown()), "renew with: python .ci/write_pages"
