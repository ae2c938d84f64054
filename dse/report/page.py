"""report.html: the decision record of a run, one file that opens offline."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dse.report.decision import (
    front_table,
    heading,
    marginal,
    question,
    recommendation,
    scorecard,
)
from dse.report.evidence import given, reproduce, traffic, trust, why
from dse.report.explorer import explorer
from dse.report.figures import write_plots
from dse.report.files import write_text
from dse.report.finished import FinishedRun, read_run
from dse.report.parts import Details, Explorer, Picture, Section, section
from dse.report.pictures import inks, picture

_HERE = Path(__file__).parent
_DESCRIPTIONS = {
    "pareto": "Pareto front with the pick and its runners-up; the table of the front has it all.",
    "convergence": "Share of the front's hypervolume against the designs costed.",
    "roofline": "Roofline with the layers; the table of the layers has the numbers.",
    "time_by_cause": "Time of the network and of its longest layers, by cause.",
    "traffic": "Least DRAM traffic against buffer size, with the lower bound.",
}


def write_report(folder: Path) -> Path:
    """Draw the plots of a run folder and write its report.html; return its path.

    Raises
    ------
    DseError
        If it is not the folder of a finished run.
    """
    run = read_run(folder)
    svgs = {name: svg.read_text(encoding="utf-8") for name, svg in write_plots(run).items()}
    path = folder / "report.html"
    write_text(path, page(run, svgs))
    return path


def page(run: FinishedRun, svgs: Mapping[str, str]) -> str:
    """Return the page of a run: the decision record of a search, or a shorter one.

    Parameters
    ----------
    run
        The content of the run folder.
    svgs
        The pictures by name, as `dse.report.figures` wrote them.
    """
    plots = {name: Picture(picture(name, svg, _DESCRIPTIONS[name])) for name, svg in svgs.items()}
    table_of_front = front_table(run)
    sections = (
        question(run),
        recommendation(run),
        scorecard(run),
        section(
            "front",
            "The front",
            plots.get("pareto"),
            explorer(run),
            table_of_front and Details("The front as a table", table_of_front),
        ),
        why(run, plots),
        given(run),
        traffic(run, plots),
        marginal(run),
        trust(run, plots),
        reproduce(run),
    )
    return document(heading(run), [it for it in sections if it is not None])


def document(title: str, sections: Sequence[Section]) -> str:
    """Return a whole page in the report's style, self-contained."""
    has_explorer = any(isinstance(part, Explorer) for it in sections for part in it.parts)
    return environment().get_template("page.html.j2").render(
        heading=title,
        sections=sections,
        light=inks(is_dark=False),
        dark=inks(is_dark=True),
        css=_asset("page.css"),
        script=_asset("page.js"),
        plotly=_asset("plotly-basic.min.js") if has_explorer else "",
    )  # fmt: skip


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the templates, which escape every text that is not markup already."""
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> Markup:
    return Markup((_HERE / "assets" / name).read_text(encoding="utf-8"))
