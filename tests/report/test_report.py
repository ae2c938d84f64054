"""The page is one whole file, says what was asked and picked, and trusts no text of a user."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from dse.cli import main
from dse.errors import DseError
from dse.plots.units import words
from dse.report.decision import binding_text
from dse.report.figures import write_plots
from dse.report.finished import read_run
from dse.report.page import document, write_report
from dse.report.parts import Table, section
from dse.report.pick_words import change_text, reason_text, violation_text
from dse.report.pictures import picture
from tests.example_run import write_run

NASTY = "<script>alert(1)</script> & $x_1$"
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Outline(HTMLParser):
    """Checks that tags close in order, and collects ids, headings and external addresses."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.headings, self.addresses = [], [], [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids += [values["id"]] if "id" in values else []
        self.addresses += [values[k] for k in ("src", "href", "xlink:href") if values.get(k)]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


def outline(page):
    parser = Outline()
    parser.feed(page)
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page(run):
    return write_report(run).read_text(encoding="utf-8")


def test_sections_are_those_of_a_decision_record(page):
    assert outline(page).headings == [
        "A chip for resnet50", "Question", "Recommendation", "Scorecard", "The front",
        "Why it takes the time it takes", "DRAM traffic",
        "What the next step of each resource buys", "What this rests on", "Reproduce",
    ]  # fmt: skip


def test_page_needs_nothing_from_outside_and_ids_are_unique(page):
    found = outline(page)
    assert len(found.ids) == len(set(found.ids))
    assert all(address.startswith(("#", "data:")) for address in found.addresses)
    assert set(re.findall(r"url\(#([\w.-]+)\)", page)) <= set(found.ids)


def test_page_says_what_was_picked_and_what_binds(page):
    assert "The binding budget is area without DRAM interface" in page
    assert "array rows 32 \N{RIGHTWARDS ARROW} 48 would improve latency by 12 %" in page
    assert "The front is exact: all 5,096 designs" in page
    assert "Area is without the DRAM interface." in page
    assert "dse task=search budget.area_mm2=8" in page
    assert "area is extrapolated" in page


def test_plots_follow_the_page_from_light_to_dark(page):
    assert "prefers-color-scheme: dark" in page
    assert "var(--ink-1b1f24)" in page


@pytest.mark.slow
def test_page_is_the_same_byte_for_byte(run, page):
    assert write_report(run).read_text(encoding="utf-8") == page


@pytest.mark.slow
def test_plots_are_the_same_byte_for_byte(tmp_path):
    written = [write_plots(read_run(write_run(tmp_path / name))) for name in ("a", "b")]
    assert set(written[0]) == {"pareto", "convergence", "roofline", "time_by_cause", "traffic"}
    for name, svg in written[0].items():
        for suffix in (".svg", ".png"):
            file = svg.with_suffix(suffix)
            assert file.read_bytes() == written[1][name].with_suffix(suffix).read_bytes()
            assert b"<dc:date>" not in file.read_bytes()


def test_page_has_under_two_megabytes(page):
    assert len(page.encode()) < 2_000_000


def test_page_says_what_it_was_decided_on(page):
    for text in ("node28", "1 GHz", "input 8, weight 8, output 8, psum 32", "75 % of the peak rate",
                 "least time", "2026-11-30 12:00:00+00:00"):  # fmt: skip
        assert f">{text}</td>" in page


@pytest.mark.slow
def test_evaluation_has_a_shorter_page(tmp_path):
    page = write_report(write_run(tmp_path, task="evaluate")).read_text(encoding="utf-8")
    assert outline(page).headings == [
        "resnet50 on flexible", "Question", "Result", "Why it takes the time it takes",
        "DRAM traffic", "What this rests on", "Reproduce",
    ]  # fmt: skip
    assert "Plotly" not in page.partition("</style>")[2].partition("<script>")[0]


@pytest.mark.slow
def test_evaluation_says_whose_mappings_it_shows(tmp_path):
    for name, text in (
        ("nvdla", "the machine&#39;s own schedule"),
        ("flexible", "are exact: the"),
    ):
        home = tmp_path / name
        home.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(home)
            assert main(["task=evaluate", "workload=tiny", f"accelerator={name}"]) == 0
        (page,) = home.glob("outputs/*/*/report.html")
        assert text in page.read_text(encoding="utf-8")


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}), encoding="utf-8")


@pytest.mark.slow
def test_text_of_a_user_is_never_markup(tmp_path):
    run = write_run(tmp_path, task="search")
    layers = (run / "layers.csv").read_text(encoding="utf-8")
    (run / "layers.csv").write_text(layers.replace("conv1,", f'"{NASTY}",'), encoding="utf-8")
    change(run / "summary.json", workload=NASTY, warnings=[NASTY])
    change(run / "manifest.json", command=["dse", NASTY], notes=[NASTY])
    pick = json.loads((run / "pick.json").read_text())
    change(
        run / "pick.json", equals=[{NASTY: NASTY}], design={**pick["design"], "dram_part": NASTY}
    )
    page = write_report(run).read_text(encoding="utf-8")
    outline(page)
    assert "<script>alert(1)" not in page
    assert page.count("&lt;script&gt;alert(1)") > 5


def test_nothing_feasible_names_the_nearest_designs(tmp_path):
    run = write_run(tmp_path)
    for name in ("pick.json", "summary.json", "layers.csv", "traffic.csv", "history.csv"):
        (run / name).unlink()
    front = (run / "front.csv").read_text(encoding="utf-8").splitlines()
    (run / "front.csv").write_text(front[0] + "\n", encoding="utf-8")
    header = front[0] + ",area_mm2_violation,is_mapped"
    (run / "nearest.csv").write_text(f"{header}\n{front[1]},0.1,True\n", encoding="utf-8")
    page = write_report(run).read_text(encoding="utf-8")
    assert "No design meets every budget" in page
    assert "area without DRAM interface by 10 %" in page


def test_folder_without_a_finished_run_is_told(tmp_path):
    with pytest.raises(DseError, match="finished run"):
        write_report(tmp_path)


def test_binding_budget_is_told_in_words():
    row = {"budget": "power_w", "limit": 2.0, "value": 1.9, "slack": 0.05, "is_binding": False}
    assert binding_text({"binding": [row]}) == (
        "No budget binds; the tightest is power, 1.9 W of 2 W."
    )
    assert binding_text({"binding": []}) == "No budget was set, so none binds."


def test_columns_become_words():
    assert words("buffer_bytes buys nothing, area_mm2 is its objective") == (
        "on-chip buffer buys nothing, area without DRAM interface is its objective"
    )


def test_a_pick_is_told_in_words():
    pick = {"rule": "lexicographic", "num_candidates": 1234, "equals": [{"array_rows": 8}]}
    criterion = {"order": ["area_mm2", "power_w"], "tolerance": {"area_mm2": 0.02}}
    assert reason_text({**pick, "criterion": criterion}) == (
        "lexicographic: within 2 % of the best area without DRAM interface, then the best power of "
        "1,234 Pareto-optimal designs; 1 other design is as good in every objective: array rows 8"
    )
    step = {"resource": "buffer_bytes", "before": 65536, "after": 131072}
    assert change_text(step) == "on-chip buffer 64 KiB \N{RIGHTWARDS ARROW} 128 KiB"
    assert change_text({**step, "before": 1000, "after": 1100, "is_on_grid": False}).endswith(
        "+10 %"
    )
    parts = {"resource": "dram_bytes_per_s", "before": "a_x16 x 1", "after": "b_x32 x 1"}
    assert change_text(parts) == "a_x16 x 1 \N{RIGHTWARDS ARROW} b_x32 x 1"
    assert violation_text({"power_w_violation": 7.14, "area_mm2_violation": 0.0}) == (
        "misses power by 714 %"
    )
    assert violation_text({"power_w_violation": 7.14, "is_mapped": False}) == (
        "fits some layer with no mapping"
    )


def test_tables_have_headings_that_a_screen_reader_finds():
    table = Table("Caption", ("a", "b"), [("x", NASTY)])
    text = document("A page", [section("one", "One", table)])
    outline(text)
    assert "<caption><span>Caption</span></caption>" in text
    assert 'scope="col"' in text
    assert 'scope="row"' in text
    assert NASTY not in text


def test_ids_of_a_picture_are_its_own():
    svg = '<?xml version="1.0"?><svg width="10pt" height="5pt"><g id="a"/><use href="#a"/></svg>'
    text = picture("roofline", svg, "What it shows")
    assert 'id="roofline-a"' in text
    assert 'href="#roofline-a"' in text
    assert 'aria-label="What it shows"' in text
    assert "width=" not in text


def test_importing_dse_loads_no_plotting_library():
    code = "import dse, sys; print({'matplotlib', 'seaborn', 'plotly'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
