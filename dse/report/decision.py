"""The first half of the report: the question, the answer, and what it was chosen over."""

from collections.abc import Mapping
from typing import Any

from dse.columns import COSTS, ENERGIES, column
from dse.plots.units import (
    NOT_KNOWN,
    budget_text,
    design_text,
    knobs_of,
    lower_label,
    percent,
    show,
    show_knob,
    signed_percent,
    words,
)
from dse.report.facts import facts
from dse.report.finished import FinishedRun, records
from dse.report.parts import Bullets, Paragraph, Section, Table, section
from dse.report.pick_words import (
    binding_reason,
    change_text,
    no_effect_text,
    reason_text,
    violation_text,
)

_SCORES = tuple(name for name in COSTS if name not in ("dram_bytes", "energy_pj"))
_TOTALS = (*COSTS, "num_macs", "peak_macs_per_s", "buffer_bytes")


def heading(run: FinishedRun) -> str:
    """Return the title of the page."""
    return f"A chip for {run.workload}" if run.is_search else f"{run.workload} on {run.machine}"


def question(run: FinishedRun) -> Section:
    """Return what was asked, and on what: network, machine or space, objectives, budgets."""
    if not run.is_search:
        text = f"How does {run.workload} run on {run.machine}, layer by layer?"
        return section("question", "Question", Paragraph(text), facts(run))
    space = str((run.config.get("space") or {}).get("name") or "the given space")
    aims = ", ".join(
        f"{'most' if column(name).is_better_up else 'least'} {lower_label(name)}"
        for name in run.objectives
    )
    text = f"Which chip of the space {space} should run {run.workload}? Wanted: {aims}."
    limits = [f"{budget_text(name, limit)}." for name, limit in run.budget.items()]
    return section(
        "question",
        "Question",
        Paragraph(text),
        Paragraph("Budgets, all hard:" if limits else "No budget was set."),
        Bullets([line[0].upper() + line[1:] for line in limits]) if limits else None,
        facts(run),
    )


def recommendation(run: FinishedRun) -> Section:
    """Return the pick in one sentence, with the budget that binds it; or the totals."""
    if run.pick is not None:
        design = run.pick["design"]
        values = ", ".join(show(name, design[name]) for name in run.objectives)
        text = f"Build {design_text(design)}: {values}. {binding_text(run.pick)}"
        return section(
            "recommendation",
            "Recommendation",
            Paragraph(text, "recommendation"),
            Paragraph(f"Chosen by {reason_text(run.pick)}.", "muted"),
            energy_split(run),
        )
    if run.summary is not None:
        return section("result", "Result", totals(run), energy_split(run))
    text = "No design meets every budget. Those below come nearest."
    return section(
        "recommendation", "Recommendation", Paragraph(text, "recommendation"), _nearest(run)
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


def _nearest(run: FinishedRun) -> Table | None:
    if run.nearest is None or run.nearest.empty:
        return None
    rows = [
        (design_text(knobs_of(_without_violations(row))), violation_text(row))
        for row in records(run.nearest)
    ]
    return Table(
        "Designs that miss the budgets least", ("Design", "Misses"), rows, text_columns=(0, 1)
    )


def _without_violations(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in row.items()
        if key != "is_mapped" and not key.endswith("_violation")
    }


def totals(run: FinishedRun) -> Table:
    """Return the totals of one evaluated machine as a table."""
    summary = run.summary or {}
    rows = [(column(name).label, show(name, summary[name])) for name in _TOTALS if name in summary]
    return Table(f"{run.workload} on {run.machine}", ("Quantity", "Value"), rows)


def energy_split(run: FinishedRun) -> Table | None:
    """Return which part of the energy MACs, DRAM and leakage take; None if it was not recorded."""
    summary = run.summary or {}
    whole = summary.get("energy_pj")
    if not whole or any(summary.get(name) is None for name in ENERGIES):
        return None
    rows = [
        (x.label, show(name, summary[name]), percent(summary[name] / whole))
        for name, x in ENERGIES.items()
    ]
    rows.append(("All", show("energy_pj", whole), percent(1.0)))
    return Table("Energy of one batch, by what takes it", ("", "Energy", "Share"), rows)


def scorecard(run: FinishedRun) -> Section | None:
    """Return the pick beside its runners-up: knobs, then costs with their difference."""
    if run.pick is None:
        return None
    pick, others = run.pick["design"], run.runners_up
    header = ["", "Pick", *(f"Runner-up {i}" for i in range(1, len(others) + 1)), "Budget"]
    knobs = [
        [
            column(name).label,
            show_knob(name, pick[name]),
            *(show_knob(name, other.get(name)) for other in others),
            "",
        ]
        for name in run.knobs
    ]
    costs = [
        [
            column(name).label,
            show(name, pick[name]),
            *(_compared(name, other.get(name), pick[name]) for other in others),
            _limit(run, name),
        ]
        for name in _SCORES
        if name in pick
    ]
    caption = "In brackets: difference from the pick. Area is without the DRAM interface."
    return section("scorecard", "Scorecard", Table(caption, header, [*knobs, *costs]))


def _limit(run: FinishedRun, name: str) -> str:
    if name not in run.budget:
        return ""
    at_least, at_most = "\N{GREATER-THAN OR EQUAL TO}", "\N{LESS-THAN OR EQUAL TO}"
    sign = at_least if column(name).is_better_up else at_most
    return f"{sign} {show(name, run.budget[name])}"


def _compared(name: str, value: Any, reference: Any) -> str:
    if value is None or reference is None:
        return NOT_KNOWN
    if not reference or value == reference:
        return show(name, value)
    return f"{show(name, value)} ({signed_percent(value / reference - 1, 0)})"


def marginal(run: FinishedRun) -> Section | None:
    """Return what the next step of each resource would buy, re-evaluated exactly."""
    rows = (run.pick or {}).get("marginal") or []
    if not rows:
        return None
    changes = [name for name in rows[0] if name.endswith("_change")]
    if "throughput_per_s_change" in changes:  # its inverse would tell nothing more
        changes = [name for name in changes if name != "latency_s_change"]
    notes = [_note(row) for row in rows]
    header = ["Resource", "Change", *(_short(name.removesuffix("_change")) for name in changes)]
    header += ["Note"] if any(notes) else []
    shown = [
        [
            column(str(row["resource"])).label,
            change_text(row),
            *(NOT_KNOWN if row[name] is None else signed_percent(row[name]) for name in changes),
            *([note] if any(notes) else []),
        ]
        for row, note in zip(rows, notes, strict=True)
    ]
    caption = "One step of one resource, all else unchanged, the mapper free: each a re-evaluation."
    texts = (0, 1, *([len(header) - 1] if any(notes) else []))
    steps = Table(caption, header, shown, text_columns=texts)
    return section("marginal", "What the next step of each resource buys", steps)


def _note(row: Mapping[str, Any]) -> str:
    """Return what the numbers do not say: a budget that breaks, or why nothing changes."""
    if row.get("breaks"):
        return f"over budget: {words(str(row['breaks']))}"
    return no_effect_text(row)


def _short(name: str) -> str:
    short = {
        "area_mm2": "Area",
        "dram_bytes_per_s": "Bandwidth",
        "dram_bytes_per_inference": "Traffic",
        "energy_pj_per_inference": "Energy",
    }
    return short.get(name, column(name).label)


def front_table(run: FinishedRun, most: int = 200) -> Table | None:
    """Return the first rows of the front as a table, for readers without the plot."""
    front = run.front
    if front is None or front.empty:
        return None
    names = list(dict.fromkeys((*run.objectives, *run.budget)))
    rows = [
        [design_text(row), *(show(name, row[name]) for name in names)]
        for row in records(front.head(most))
    ]
    more = f"the first {most} of {len(front):,}" if len(front) > most else f"all {len(front)}"
    return Table(
        f"Designs of the front, {more}; front.csv has every column.",
        ["Design", *(column(name).label for name in names)],
        rows,
    )
