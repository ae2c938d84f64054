"""The first half of the report: the question, the answer, and what it was chosen over."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dse.columns import COSTS, column
from dse.plots.units import (
    NOT_KNOWN,
    budget_text,
    design_text,
    knobs_of,
    lower_label,
    show,
    show_knob,
    signed_percent,
    words,
)
from dse.report.data import ReportData
from dse.report.markup import bullets, escape, paragraph, section, table
from dse.report.pick_words import (
    binding_reason,
    change_text,
    no_effect_text,
    reason_text,
    violation_text,
)

_SCORES = tuple(COSTS)


def question(data: ReportData) -> str:
    """Return what was asked: network, machine or space, objectives, budgets."""
    if not data.is_search:
        text = f"How does {data.workload} run on {data.machine}, layer by layer?"
        return section("question", "Question", paragraph(text))
    space = str((data.config.get("space") or {}).get("name") or "the given space")
    aims = ", ".join(
        f"{'most' if column(name).is_better_up else 'least'} {lower_label(name)}"
        for name in data.objectives
    )
    text = f"Which chip of the space {space} should run {data.workload}? Wanted: {aims}."
    limits = [f"{budget_text(name, limit)}." for name, limit in data.budget.items()]
    heading = "Budgets, all hard:" if limits else "No budget was set."
    return section(
        "question", "Question", paragraph(text), paragraph(heading),
        bullets(line[0].upper() + line[1:] for line in limits),
    )  # fmt: skip


def recommendation(data: ReportData) -> str:
    """Return the pick in one sentence, with the budget that binds it; or the totals."""
    if data.pick is not None:
        design = data.pick["design"]
        values = ", ".join(show(name, design[name]) for name in data.objectives)
        text = f"Build {design_text(design)}: {values}. {binding_text(data.pick)}"
        why = f"Chosen by {reason_text(data.pick)}."
        return section(
            "recommendation", "Recommendation", paragraph(text, "recommendation"),
            paragraph(why, "muted"),
        )  # fmt: skip
    if data.summary is not None:
        return section("result", "Result", totals(data))
    text = "No design meets every budget. Those below come nearest."
    return section(
        "recommendation", "Recommendation", paragraph(text, "recommendation"), _nearest(data)
    )


def binding_text(pick: Mapping[str, Any]) -> str:
    """Return which budget binds a pick, or which is the tightest, in a sentence or two."""
    rows = pick.get("binding") or []
    if not rows:
        return "No budget was set, so none binds."
    first = rows[0]
    name = str(first["budget"])
    used = f"{lower_label(name)}, {show(name, first['value'])} of {show(name, first['limit'])}"
    if not first.get("is_binding", True):
        return f"No budget binds; the tightest is {used}."
    return f"The binding budget is {used}: {binding_reason(first)}."


def _nearest(data: ReportData) -> str:
    if data.nearest is None or data.nearest.empty:
        return ""
    rows = [
        (design_text(knobs_of(_without_violations(row))), violation_text(row))
        for row in _records(data.nearest)
    ]
    return table("Designs that miss the budgets least", ("Design", "Misses"), rows,
                 text_columns=(0, 1))  # fmt: skip


def _without_violations(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "is_mapped"
            and not key.endswith("_violation")}  # fmt: skip


def totals(data: ReportData) -> str:
    """Return the totals of one evaluated machine as a table."""
    summary = data.summary or {}
    names = [name for name in (*_SCORES, "num_macs", "peak_macs_per_s", "buffer_bytes")
             if name in summary]  # fmt: skip
    rows = [(column(name).label, show(name, summary[name])) for name in names]
    return table(f"{data.workload} on {data.machine}", ("Quantity", "Value"), rows)


def scorecard(data: ReportData) -> str:
    """Return the pick beside its runners-up: knobs, then costs with their difference."""
    if data.pick is None:
        return ""
    pick = data.pick["design"]
    others = data.runners_up
    header = ["", "Budget", "Pick", *(f"Runner-up {i}" for i in range(1, len(others) + 1))]
    rows = [
        [column(name).label, "", show_knob(name, pick[name]),
         *(show_knob(name, other.get(name)) for other in others)]
        for name in data.knobs
    ] + [
        [column(name).label, _limit(data, name),
         show(name, pick[name]),
         *(_compared(name, other.get(name), pick[name]) for other in others)]
        for name in _SCORES if name in pick and name not in ("dram_bytes", "energy_pj")
    ]  # fmt: skip
    caption = "In brackets: difference from the pick. Area is without the DRAM interface."
    return section("scorecard", "Scorecard", table(caption, header, rows))


def _limit(data: ReportData, name: str) -> str:
    if name not in data.budget:
        return ""
    sign = (
        "\N{GREATER-THAN OR EQUAL TO}"
        if column(name).is_better_up
        else ("\N{LESS-THAN OR EQUAL TO}")
    )
    return f"{sign} {show(name, data.budget[name])}"


def _compared(name: str, value: Any, reference: Any) -> str:
    if value is None or reference is None:
        return NOT_KNOWN
    if not reference or value == reference:
        return show(name, value)
    return f"{show(name, value)} ({signed_percent(value / reference - 1, 0)})"


def marginal(data: ReportData) -> str:
    """Return what the next step of each resource would buy, re-evaluated exactly."""
    rows = (data.pick or {}).get("marginal") or []
    if not rows:
        return ""
    changes = [name for name in rows[0] if name.endswith("_change")]
    header = ["Resource", "Change", *(_short(name[: -len("_change")]) for name in changes),
              "Note"]  # fmt: skip
    shown = [
        [column(str(row["resource"])).label, change_text(row),
         *(_signed(row[name]) for name in changes), _note(row)]
        for row in rows
    ]  # fmt: skip
    last = len(header) - 1
    caption = "One step of one resource, all else unchanged, the mapper free: each a re-evaluation."
    return section("marginal", "What the next step of each resource buys",
                   table(caption, header, shown, text_columns=(0, 1, last)))  # fmt: skip


def _note(row: Mapping[str, Any]) -> str:
    """Return what the numbers do not say: a budget that breaks, or why nothing changes."""
    if row.get("breaks"):
        return f"over budget: {words(str(row['breaks']))}"
    return no_effect_text(row)


def _short(name: str) -> str:
    label = column(name).label
    return {"area_mm2": "Area", "dram_bytes_per_s": "Bandwidth",
            "dram_bytes_per_inference": "Traffic"}.get(name, label)  # fmt: skip


def _signed(value: Any) -> str:
    if value is None:
        return NOT_KNOWN
    return signed_percent(value)


def front_table(data: ReportData, most: int = 200) -> str:
    """Return the first rows of the front as a table, for readers without the plot."""
    front = data.front
    if front is None or front.empty:
        return ""
    names = list(dict.fromkeys((*data.objectives, *data.budget)))
    rows = [
        [design_text(row), *(show(name, row[name]) for name in names)]
        for row in _records(front.head(most))
    ]
    more = f"the first {most} of {len(front):,}" if len(front) > most else f"all {len(front)}"
    return table(f"Designs of the front, {more}; front.csv has every column.",
                 ["Design", *(column(name).label for name in names)], rows)  # fmt: skip


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict(orient="records")]


def heading(data: ReportData) -> str:
    """Return the title of the page."""
    if data.is_search:
        return f"A chip for {escape(data.workload)}"
    return f"{escape(data.workload)} on {escape(data.machine)}"
