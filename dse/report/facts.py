"""What a run was decided on: process, clock, bits, batch, DRAM, mapper and date."""

from collections.abc import Mapping
from typing import Any

from dse.columns import COLUMNS
from dse.plots.units import NOT_KNOWN, TIMES, number, percent, show
from dse.report.finished import FinishedRun
from dse.report.parts import Table

_MAPPER = {
    "latency_s": "least time",
    "dram_bytes": "fewest DRAM bytes",
    "energy_pj": "least energy",
    "edp": "least energy times time",
}


def facts(run: FinishedRun) -> Table:
    """Return the table of what the numbers of a run stand on; a row for what is known."""
    chosen = (run.pick or {}).get("design", {})
    machine = {**(run.config.get("accelerator") or {}), **chosen}
    rows = (
        (COLUMNS["technology"].label, _name(machine.get("technology"))),
        (COLUMNS["clock_hz"].label, show("clock_hz", machine.get("clock_hz"))),
        (COLUMNS["bits"].label, _bits(run.config.get("workload") or {})),
        (COLUMNS["batch"].label, _batch(run, chosen)),
        ("DRAM", _dram(machine)),
        (COLUMNS["dram_efficiency"].label, _efficiency(run, machine)),
        ("Each layer is mapped for", _mapper(run)),
        ("Date", str(run.manifest.get("date") or NOT_KNOWN).replace("T", " ")),
    )
    return Table("What it was decided on", ("", "Value"), rows, text_columns=(0, 1))


def _name(value: object) -> str:
    """Return the name of a constant group, given by name or whole."""
    if isinstance(value, Mapping):
        return str(value.get("name", NOT_KNOWN))
    return str(value or NOT_KNOWN)


def _bits(workload: Mapping[str, Any]) -> str:
    bits = workload.get("bits")
    if not isinstance(bits, Mapping):
        return NOT_KNOWN
    text = ", ".join(f"{operand} {value}" for operand, value in bits.items())
    own = sum(1 for layer in workload.get("layers") or () if "bits" in layer)
    return f"{text}; {own:,} layers have their own" if own else text


def _batch(run: FinishedRun, chosen: Mapping[str, Any]) -> str:
    batch = chosen.get("batch") or (run.summary or {}).get("batch")
    return NOT_KNOWN if batch is None else number(float(batch))


def _dram(machine: Mapping[str, Any]) -> str:
    part = machine.get("dram_part")
    if part is None:
        return show("dram_bytes_per_s", machine.get("dram_bytes_per_s"))
    return f"{number(float(machine.get('dram_channels') or 1))} {TIMES} {_name(part)}"


def _efficiency(run: FinishedRun, machine: Mapping[str, Any]) -> str:
    share = (run.summary or {}).get("dram_efficiency")
    if share is None:
        share = (machine.get("dram") or {}).get("efficiency")
    return NOT_KNOWN if share is None else f"{percent(float(share))} of the peak rate"


def _mapper(run: FinishedRun) -> str:
    if (run.config.get("accelerator") or {}).get("schedule"):
        return "the machine's own schedule"
    mapper = run.config.get("mapper") or {}
    objective = str(mapper.get("objective") or (run.summary or {}).get("objective", ""))
    text = _MAPPER.get(objective, objective or NOT_KNOWN)
    slack = mapper.get("slack")
    if slack and objective == "latency_s":
        text += f", of those within {percent(float(slack), 1)} of it the fewest DRAM bytes"
    return text
