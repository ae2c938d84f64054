"""What a run tells on the terminal, in a few plain lines."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from dse.columns import ENERGIES
from dse.evaluation.result import Evaluation
from dse.exploration import Study
from dse.pick import Pick
from dse.plots.units import NOT_KNOWN, design_text, number, percent, show, words
from dse.report.finished import records
from dse.report.given import most_lost, tiles_of
from dse.report.pick_words import (
    binding_reason,
    budget_use,
    label_of,
    reason_text,
    violation_text,
)
from dse.report.results import pick_values
from dse.workload import Workload

NAME_WIDTH = 12
HEADLINES = ("throughput_per_s", "area_mm2", "dram_bytes_per_s", "power_w")


def pick_lines(pick: Pick, knobs: Iterable[str]) -> list[str]:
    """Return the pick in one sentence, why, what binds it, and its runners-up.

    Parameters
    ----------
    knobs
        Names of the knobs of the space.
    """
    names = list(knobs)
    runners = records(pick.runners_up)
    return [
        _line("Pick", _design(pick.design, names)),
        _line("Why", reason_text(pick_values(pick))),
        _line("Binding", _binding(pick)),
        *(_line(f"Runner-up {i}", _design(row, names)) for i, row in enumerate(runners, 1)),
    ]


def _binding(pick: Pick) -> str:
    """Return the budgets that bind, or the one that is nearest to it."""
    binding = [row for row in pick.binding if row["is_binding"]]
    parts = [
        f"{label_of(row)} {budget_use(row)} ({binding_reason(row)})"
        for row in binding or pick.binding[:1]
    ]
    if not parts:
        return "nothing: there is no budget"
    return ", ".join(parts) if binding else f"nothing; nearest is {parts[0]}"


def _design(design: Mapping[str, object], knobs: Iterable[str]) -> str:
    """Return a design's knobs, then its throughput, area and bandwidth bought."""
    shown = [name for name in HEADLINES if name in design]
    costs = ", ".join(show(name, design[name]) for name in shown)
    return f"{design_text({key: design[key] for key in knobs})}: {costs}"


def study_lines(study: Study) -> list[str]:
    """Return how many designs were costed, and what the front is worth."""
    what = "exact" if study.exact else "sampled"
    found = ""
    if study.hypervolume_share is not None:
        share = percent(study.hypervolume_share, 1)
        found = f"; the study found {share} of its hypervolume with {study.num_costed:,} designs"
    text = f"{what}, {len(study.front):,} of {len(study.designs):,} designs{found}"
    return [_line("Front", text), *(_line("Note", words(note)) for note in study.notes)]


def infeasible_lines(study: Study) -> list[str]:
    """Return that nothing meets the budget, and the designs that come nearest."""
    rows = records(study.nearest)
    knobs = list(study.space.knobs)
    return [
        _line("Pick", "none: no design meets the budget"),
        *(
            _line(
                f"Nearest {i}",
                f"{design_text({k: row[k] for k in knobs})}: {violation_text(row)}",
            )
            for i, row in enumerate(rows, 1)
        ),
    ]


def evaluation_lines(evaluation: Evaluation, more: Iterable[str] = ()) -> list[str]:
    """Return the totals of one machine, the layers that take longest, and more lines of results."""
    layers = pd.DataFrame(evaluation.layer_rows)
    longest = layers.nlargest(3, "latency_s")
    totals = (
        f"{show('latency_s', evaluation.latency_s)}, "
        f"{number(evaluation.throughput_per_s)} inferences/s, "
        f"{show('dram_bytes', evaluation.dram_bytes)} of DRAM traffic, "
        f"{show('energy_pj', evaluation.energy_pj)}, "
        f"{show('area_mm2', evaluation.area_mm2)} without DRAM interface"
    )
    network = evaluation.workload
    return [
        _line("Run", f"{network.name}, batch {network.batch}, on {evaluation.accelerator.name}"),
        _line("Result", totals),
        _line("Energy", _energy(evaluation)),
        *(_line("Longest", _layer(row, evaluation.latency_s)) for row in records(longest)),
        *more,
        *(_line("Warning", text) for text in evaluation.warnings),
    ]


def _energy(evaluation: Evaluation) -> str:
    """Return the shares of the energy that MACs, DRAM and leakage take."""
    whole = evaluation.energy_pj
    parts = {name: getattr(evaluation, name) for name in ENERGIES}
    shares = ", ".join(
        f"{ENERGIES[name].label.removeprefix('Energy of ')} {percent(part / whole)}"
        for name, part in parts.items()
        if whole > 0
    )
    return shares or "none"


def _layer(row: Mapping[str, Any], latency_s: float) -> str:
    """Return a layer, its share of the time, and why it takes that."""
    share = percent(row["latency_s"] / latency_s) if latency_s > 0 else NOT_KNOWN
    return f"{row['name']}, {show('latency_s', row['latency_s'])}, {share} of all: {row['why']}"


def given_lines(given: Evaluation, best: Evaluation, table: pd.DataFrame) -> list[str]:
    """Return how a given mapping compares with the best ones, and the layers that lose most.

    Parameters
    ----------
    given, best, table
        As for `dse.report.given.given_table`, and its rows.
    """
    column = "dram_bytes" if given.objective == "dram_bytes" else "latency_s"
    text = (
        f"{_beside('latency_s', given.latency_s, best.latency_s, 'of the best mappings')}; "
        f"{_beside('dram_bytes', given.dram_bytes, best.dram_bytes, 'that they move')}"
    )
    return [
        _line("Given", text),
        *(
            _line(
                "Lost",
                f"{row['name']}: {_lost(row, column)} with {tiles_of(row, 'best_')}",
            )
            for _, row in most_lost(table, given.objective).head(3).iterrows()
        ),
    ]


def _lost(row: pd.Series, column: str) -> str:
    """Return what a layer takes and what it takes at best: of time, or of bytes if only these."""
    others = {"latency_s": "dram_bytes", "dram_bytes": "latency_s"}
    shown = column if row[column] > row[f"best_{column}"] else others[column]
    return f"{show(shown, row[shown])}, {show(shown, row[f'best_{shown}'])}"


def _beside(name: str, ours: float, best: float, whose: str) -> str:
    """Return a quantity beside its best value: ``40.6 ms, 0.7 % above the 40.3 ms of ...``."""
    how = "as much as"
    if ours != best > 0:
        how = f"{percent(abs(ours / best - 1), 1)} {'above' if ours > best else 'below'}"
    return f"{show(name, ours)}, {how} the {show(name, best)} {whose}"


def network_lines(network: Workload, coverage: Mapping[str, Any] | None) -> list[str]:
    """Return the totals of a network, and how much of its file is modelled."""
    totals = (
        f"{network.name}, {len(network.layers):,} layers, {number(network.macs)} MACs, "
        f"{number(network.weight_elements)} parameters, batch {network.batch}"
    )
    lines = [_line("Network", totals)]
    if coverage is not None:
        parts = {"macs": "known MACs", "bytes": "bytes", "operators": "operators"}
        shares = [
            f"{percent(coverage.get(f'{key}_share', 1.0), 1)} of {what}"
            for key, what in parts.items()
        ]
        if not coverage.get("macs", network.macs):
            shares[0] = "no MACs are known"
        lines.append(_line("Modelled", ", ".join(shares)))
    return [*lines, *(_line("Warning", text) for text in network.notes)]


def _line(name: str, text: str) -> str:
    return f"{name:<{NAME_WIDTH}} {text}"
