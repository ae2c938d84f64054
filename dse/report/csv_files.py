"""Tables of a run folder as CSV, in which no cell is a formula."""

import re
from pathlib import Path

import pandas as pd

from dse.report.files import replacing, shown

_FORMULA = re.compile(r"[=+@\t\r]|-(?![\d.])")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table; a text that a spreadsheet would run gets an apostrophe before it."""
    safe = table.copy(deep=False)
    for name in table.columns[[not pd.api.types.is_numeric_dtype(x) for x in table.dtypes]]:
        safe[name] = pd.Series([_cell(x) for x in table[name]], table.index, object)
    with replacing(path) as draft:
        safe.to_csv(draft, index=False, lineterminator="\n")


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    return shown(f"'{value}" if _FORMULA.match(value) else value)
