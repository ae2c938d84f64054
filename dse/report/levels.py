"""How much of a report a run writes, beside its results."""

from pathlib import Path

from dse.evaluation.result import Evaluation
from dse.report.traffic import write_traffic

LEVELS = ("none", "data", "full")
"""Results alone; with the tables of the report (traffic.csv); with plots and report.html too."""


def write_level(folder: Path, evaluation: Evaluation | None, level: str = "full") -> None:
    """Write what a level of report has beside the results, which are in the folder already.

    Parameters
    ----------
    folder
        Of the run, its manifest included.
    evaluation
        Of the picked or evaluated machine; None where nothing was picked.
    level
        One of `LEVELS`. Plotting libraries load for ``full`` only.

    Raises
    ------
    DseError
        If it is not the folder of a finished run.
    """
    if level != "none" and evaluation is not None:
        write_traffic(folder, evaluation)
    if level == "full":
        from dse.report.page import write_report  # matplotlib loads when something is drawn

        write_report(folder)
