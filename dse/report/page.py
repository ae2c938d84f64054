"""report.html: the decision record of a run, one file that opens offline."""

from collections.abc import Collection, Mapping
from pathlib import Path

from dse.plots.files import write_plots
from dse.report.data import ReportData, report_from_folder
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
from dse.report.markup import details, figure, inks, section

_DESCRIPTIONS = {
    "pareto": "Pareto front with the pick and its runners-up; the table of the front has it all.",
    "convergence": "Share of the front's hypervolume against the designs costed.",
    "roofline": "Roofline with the layers; the table of the layers has the numbers.",
    "time_by_cause": "Time of the network and of its longest layers, by cause.",
    "traffic": "Least DRAM traffic against buffer size, with the lower bound.",
}


def write_report(folder: Path, *, drawn: Collection[str] = ()) -> Path:
    """Draw the plots of a run folder and write its report.html; return its path.

    Parameters
    ----------
    drawn
        Names of plots that are drawn already.

    Raises
    ------
    DseError
        If it is not the folder of a finished run.
    """
    data = report_from_folder(folder)
    pictures = write_plots(folder, chip=data.chip(), study=data.study(), drawn=drawn)
    path = folder / "report.html"
    svgs = {name: svg.read_text(encoding="utf-8") for name, svg in pictures.items()}
    path.write_text(page(data, svgs), encoding="utf-8")
    return path


def page(data: ReportData, svgs: Mapping[str, str]) -> str:
    """Return the page of a run: the decision record of a search, or a shorter one.

    Parameters
    ----------
    data
        The content of the run folder.
    svgs
        The pictures by name, as `dse.plots` wrote them.
    """
    plots = {name: figure(name, svg, _DESCRIPTIONS[name]) for name, svg in svgs.items()}
    table_of_front = front_table(data)
    sections = (
        question(data),
        recommendation(data),
        scorecard(data),
        section(
            "front",
            "The front",
            plots.get("pareto", ""),
            explorer(data),
            details("The front as a table", table_of_front) if table_of_front else "",
        ),
        why(data, plots),
        given(data),
        traffic(data, plots),
        marginal(data),
        trust(data, plots),
        reproduce(data),
    )
    return document(heading(data), "\n".join(part for part in sections if part))


def document(heading_html: str, content: str) -> str:
    """Return a whole page in the report's style, self-contained.

    Parameters
    ----------
    heading_html
        The title, already escaped.
    content
        Its sections.
    """
    here = Path(__file__)
    css = here.with_name("page.css").read_text(encoding="utf-8")
    script = here.with_name("page.js").read_text(encoding="utf-8")
    dark = f"@media screen and (prefers-color-scheme: dark){{:root{{{inks(is_dark=True)}}}}}"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading_html}</title>
<style>
:root{{{inks(is_dark=False)}}}
{dark}
{css}</style>
</head>
<body>
<main>
<h1>{heading_html}</h1>
{content}
</main>
<script>
{script}</script>
</body>
</html>
"""
