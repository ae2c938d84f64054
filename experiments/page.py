"""The page of all experiments, and the numbers that the project's README quotes of them.

Run with ``python -m experiments.page``: it reads the stored tables, runs nothing, and writes
summary.csv, README.md beside it, and what stands between two marks in the README of the project.
"""

import re
from collections.abc import Iterable
from string import Template
from types import ModuleType

import numpy as np
import pandas as pd

from experiments.comparison import FOLDER, UNPUBLISHED, WITHIN, experiments, summarise
from experiments.evidence import (
    COUNTED,
    HELD_OUT,
    IN,
    KINDS,
    MEASURED,
    OUT,
    SAMPLES,
    SIMULATED,
)
from experiments.search_report import by_sampler, by_space, verdict

PAGE, README = FOLDER / "README.md", FOLDER.parent / "README.md"
TEMPLATE = FOLDER / "page_template.md"
RENEW = "python -m experiments.page"
BEGIN, END = f"<!-- {RENEW} writes these lines -->", "<!-- end of these lines -->"
LEARNED = "chen2023_layers"
"""The experiment whose machine was learned on its own layers, and that has most values."""


def name_of(experiment: ModuleType) -> str:
    """Return the name of an experiment, which is that of its files."""
    return experiment.__name__.rpartition(".")[2]


def stored() -> pd.DataFrame:
    """Return the tables of all experiments, with experiment and machine, as they are stored."""
    parts = [
        pd.read_csv(FOLDER / f"{name_of(x)}.csv").assign(experiment=name_of(x), machine=x.MACHINE)
        for x in experiments()
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[table["verdict"] != UNPUBLISHED]


def summary() -> pd.DataFrame:
    """Return one row for each quantity of each experiment, of the stored tables."""
    parts = [summarise(x, pd.read_csv(FOLDER / f"{name_of(x)}.csv")) for x in experiments()]
    return pd.concat(parts, ignore_index=True)


def is_counted(table: pd.DataFrame) -> "pd.Series[bool]":
    """Return which numbers say how good the model is, held-out ones apart."""
    return table["kind"].isin(COUNTED) & (table["sample"] != HELD_OUT)


def counts(table: pd.DataFrame) -> str:
    """Return three cells: published values, those within tolerance, and the median error."""
    within = int((table["verdict"] == WITHIN).sum())
    error = f"{table['error'].abs().median():.1%}" if len(table) else ""
    return f"{len(table):,} | {within:,} | {error}"


def rows_of(head: str, lines: Iterable[str]) -> str:
    """Return a table of Markdown from its head and its rows, cells apart by bars."""
    rule = "|".join([" --- "] * (head.count("|") + 1))
    return "\n".join([f"| {head} |", f"|{rule}|", *(f"| {line} |" for line in lines)]) + "\n"


def by_kind(table: pd.DataFrame) -> str:
    """Return one row for each kind and sample, measured numbers first, and what is not counted."""
    lines = []
    for kind, meaning in KINDS.items():
        for sample in SAMPLES:
            part = table[(table["kind"] == kind) & (table["sample"] == sample)]
            if kind in COUNTED and len(part):
                lines.append(f"{kind}, {sample} | {counts(part)} | {meaning}; {SAMPLES[sample]}")
    lines.append(f"**counted** (held out apart) | {counts(table[is_counted(table)])} | ")
    for kind in KINDS:
        part = table[(table["kind"] == kind) & (table["sample"] != HELD_OUT)]
        if kind not in COUNTED:
            lines.append(f"{kind}, not counted | {counts(part)} | {KINDS[kind]}")
    return rows_of("kind | values | within tolerance | median error | meaning", lines)


def by_machine(table: pd.DataFrame) -> str:
    """Return one row a machine, of counted numbers."""
    lines = []
    for machine, part in table.groupby("machine", sort=False):
        own = part[part["kind"].isin(COUNTED)]
        links = ", ".join(f"[{x}]({x}.csv)" for x in part["experiment"].unique())
        measured = int((own["kind"] == MEASURED).sum())
        chosen = int((own["sample"] == IN).sum())
        lines.append(f"{machine} | {counts(own)} | {measured:,} | {chosen:,} | {links}")
    head = "machine | counted | within tolerance | median error | measured | in sample | tables"
    return rows_of(head, lines)


def by_quantity(summary: pd.DataFrame) -> str:
    """Return one row a quantity of an experiment."""
    lines = []
    for _, row in summary.iterrows():
        rank = "" if np.isnan(row["spearman"]) else f"{row['spearman']:.3f}"
        lines.append(
            f"{row['machine']} | {row['quantity']} ([{row['experiment']}]({row['experiment']}.csv))"
            f" | {row['kind']} | {row['num_values']} | {row['num_missed']} | "
            f"{row['median_error']:.1%} | {row['worst_error']:.1%} | {rank}"
        )
    head = "machine | quantity | kind | values | missed | median error | worst error | Spearman"
    return rows_of(head, lines)


def choices() -> str:
    """Return one row for each rule or constant that was chosen on published numbers."""
    lines = [
        f"[{name_of(x)}]({name_of(x)}.py) | {choice.rule} | {choice.how} {choice.on}"
        for x in experiments()
        for choice in x.CHOSEN_ON
    ]
    return rows_of("experiment | rule or constant | where it comes from", lines)


def headline(table: pd.DataFrame) -> str:
    """Return the numbers that the project's README quotes."""
    lines = []
    for kind, sample, words in (
        (MEASURED, OUT, "measured on chips and boards, machine made without them"),
        (MEASURED, IN, "measured, and a rule of the machine was chosen on them"),
        (SIMULATED, IN, "simulated in RTL, and a rule of the machine was chosen on them"),
        (MEASURED, HELD_OUT, "held out: machines from a data sheet, nothing fitted"),
    ):
        part = table[(table["kind"] == kind) & (table["sample"] == sample)]
        lines.append(f"{words} | {counts(part)}")
    whole = table[is_counted(table)]
    rest = whole[whole["experiment"] != LEARNED]
    ranks = [
        part[["published", "ours"]].rank().corr().iloc[0, 1]
        for _, part in table[table["sample"] == HELD_OUT].groupby("experiment")
    ]
    return (
        rows_of("published values | values | within tolerance | median error", lines)
        + f"\nOf {len(table[table['sample'] != HELD_OUT]):,} published values "
        f"{len(whole):,} tell how good the model is (others are laws, echoes of what was typed in, "
        f"or printed twice): {int((whole['verdict'] == WITHIN).sum()):,} are within tolerance. "
        f"Without the FPGA whose port was learned on its own layers {len(rest):,} are left, "
        f"{int((rest['verdict'] == WITHIN).sum()):,} within, median error "
        f"{rest['error'].abs().median():.1%}. In the {len(ranks)} tables held out the rank "
        f"correlation is {min(ranks):.2f} to {max(ranks):.2f}.\n"
    )


def text() -> str:
    """Return the whole page."""
    table, studies = stored(), pd.read_csv(FOLDER / "search_quality.csv")
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        renew=RENEW,
        by_kind=by_kind(table),
        by_machine=by_machine(table),
        by_quantity=by_quantity(summary()),
        choices=choices(),
        peers=(FOLDER / "peers" / "comparison.md").read_text(encoding="utf-8"),
        wild=(FOLDER / "wild.md").read_text(encoding="utf-8"),
        speed=(FOLDER / "speed.md").read_text(encoding="utf-8"),
        by_sampler=by_sampler(studies),
        by_space=by_space(studies),
        verdict=verdict(studies),
    )


def with_headline(readme: str, table: pd.DataFrame) -> str:
    """Return the project's README with the numbers of the stored tables between its marks."""
    pattern = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{headline(table)}\n{END}", readme)


def main() -> None:
    """Write the summary, the page, and the numbers that the project's README quotes."""
    options = {"index": False, "float_format": "%.6g", "lineterminator": "\n"}
    summary().to_csv(FOLDER / "summary.csv", **options)
    PAGE.write_text(text(), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(with_headline(readme, stored()), encoding="utf-8")
    print(headline(stored()))


if __name__ == "__main__":
    main()
