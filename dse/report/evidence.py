"""The second half of the report: why, what it rests on, and how to get it again."""

import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dse.columns import CAUSES, HIDDEN, column
from dse.plots.layers import longest_first, together
from dse.plots.units import NOT_KNOWN, percent, show
from dse.report.finished import FinishedRun, records
from dse.report.given import most_lost, tiles_of
from dse.report.parts import Bullets, Code, Details, Paragraph, Picture, Section, Table, section
from dse.report.run_folder import RUNNING

_SINKS = 5
_LOST = 8
_OPERANDS = (
    "dram_bytes_weight",
    "dram_bytes_input",
    "dram_bytes_output",
    "dram_bytes_psum_write",
    "dram_bytes_psum_read",
)


def why(run: FinishedRun, plots: Mapping[str, Picture]) -> Section | None:
    """Return roofline, time by cause, the largest time sinks, and a line for each layer."""
    if run.layers is None:
        return None
    return section(
        "why",
        "Why it takes the time it takes",
        plots.get("roofline"),
        _sinks(run.layers),
        plots.get("time_by_cause"),
        Details(f"Each of the {len(run.layers)} layers, in a line", _every_layer(run.layers)),
    )


def _sinks(layers: pd.DataFrame) -> Table:
    total = float(layers["latency_s"].sum())
    longest = longest_first(together(layers), len(layers)).head(_SINKS)
    rows = [
        (
            row["name"],
            show("latency_s", row["latency_s"]),
            _share(row["latency_s"], total),
            _main_loss(row),
            row["why"],
        )
        for row in records(longest)
    ]
    caption = "The largest time sinks; layers that cost the same count together"
    header = ("Layer", "Time", "Share", "Largest loss", "Why")
    return Table(caption, header, rows, text_columns=(0, 3, 4))


def _share(part: float, whole: float) -> str:
    return percent(part / whole, 1) if whole > 0 else NOT_KNOWN


def _main_loss(row: Mapping[str, Any]) -> str:
    losses = {cause: float(row[cause]) for cause in CAUSES if cause in row}
    losses.pop("time_mac_s", None)
    if not any(losses.values()) or not row["latency_s"]:
        return "none"
    worst = max(losses, key=lambda cause: losses[cause])
    if worst in HIDDEN and row["bound"] == "memory":  # the transfer takes as long without it
        return "DRAM transfer (100 %)"
    return f"{CAUSES[worst].label} ({percent(losses[worst] / row['latency_s'])})"


def _every_layer(layers: pd.DataFrame) -> Table:
    total = float(layers["latency_s"].sum())
    rows = [
        (
            row["name"],
            show("macs", row["macs"]),
            show("latency_s", row["latency_s"]),
            _share(row["latency_s"], total),
            show("dram_bytes", row["dram_bytes"]),
            _excess(row["dram_bytes"], row["lower_bound_bytes"]),
            row["bound"],
            row["why"],
        )
        for row in records(layers)
    ]
    header = ("Layer", "MACs", "Time", "Share", "DRAM", "Above lower bound", "Bound", "Why")
    return Table("In the order of the network", header, rows, text_columns=(0, 6, 7))


def _excess(moved: float, bound: float) -> str:
    return f"{moved / bound - 1:.1%}" if bound > 0 else NOT_KNOWN


def given(run: FinishedRun) -> Section | None:
    """Return the layers that lose most by a given mapping, beside the best ones."""
    if run.given is None:
        return None
    objective = str((run.summary or {}).get("objective"))
    worst = most_lost(run.given, objective)
    rows = [
        (
            row["name"],
            show("latency_s", row["latency_s"]),
            show("latency_s", row["best_latency_s"]),
            show("dram_bytes", row["dram_bytes"]),
            show("dram_bytes", row["best_dram_bytes"]),
            tiles_of(row),
            tiles_of(row, "best_"),
        )
        for _, row in worst.iterrows()
    ]
    header = ("Layer", "Time", "Best", "DRAM", "Best", "Given mapping", "Best mapping")
    kept = f"{len(run.given) - len(rows)} of {len(run.given)} layers lose nothing."
    caption, texts = "Layers that lose by the given mapping, most first", (0, 5, 6)
    listed = Table(caption, header, rows[:_LOST], text_columns=texts) if rows else None
    rest = Table("The layers that lose less", header, rows[_LOST:], text_columns=texts)
    return section(
        "given",
        "The given mapping beside the best",
        Paragraph(kept),
        listed,
        Details(f"{len(rest.rows)} more", rest) if rest.rows else None,
    )


def traffic(run: FinishedRun, plots: Mapping[str, Picture]) -> Section | None:
    """Return what is moved to and from DRAM, how near to the bound, and what a buffer changes."""
    layers = run.layers
    if layers is None:
        return None
    total = float(layers["dram_bytes"].sum())
    moved = [_traffic_row(layers, name, total) for name in _OPERANDS if name in layers]
    shown = ["compulsory_bytes", "lower_bound_bytes"]
    is_shared = "lower_bound_shared_bytes" in layers and not layers[
        "lower_bound_shared_bytes"
    ].equals(layers["lower_bound_bytes"])
    if is_shared:
        shown.append("lower_bound_shared_bytes")
    bounds = [_traffic_row(layers, name, total) for name in shown if name in layers]
    rows = [*moved, ("All", show("dram_bytes", total), _share(total, total)), *bounds]
    caption = (
        "DRAM traffic of one batch, by operand; below, bounds on each run of a layer by itself"
    )
    note = (
        "Layers that run again with the same weights (recurrent steps) fetch them for each run; a "
        "machine that keeps them between runs moves less, down to the last row."
    )
    return section(
        "traffic",
        "DRAM traffic",
        Table(caption, ("", "Bytes", "Share"), rows),
        Paragraph(note, "muted") if is_shared else None,
        plots.get("traffic"),
    )


def _traffic_row(layers: pd.DataFrame, name: str, total: float) -> tuple[str, str, str]:
    moved = float(layers[name].sum())
    return column(name).label, show("dram_bytes", moved), _share(moved, total)


def trust(run: FinishedRun, plots: Mapping[str, Picture]) -> Section:
    """Return how the front was found, and what the numbers leave out."""
    lines = [
        *(_searched(run) if run.is_search else ()),
        *(str(note) for note in run.manifest.get("notes") or ()),
        *(note for note in run.notes if run.manifest.get("state") != RUNNING),
        "Area is without the DRAM interface.",
        _between_layers(run),
        _mapped(run),
    ]
    warnings = [str(text) for text in (run.summary or {}).get("warnings", ())]
    return section(
        "trust",
        "What this rests on",
        Bullets(warnings, warning="Warnings") if warnings else None,
        Bullets(lines),
        plots.get("convergence"),
    )


def _between_layers(run: FinishedRun) -> str:
    """Return what may stay on the chip: layers of a schedule say where their outputs go."""
    if run.layers is None or "output_place" not in run.layers:
        return "Layer by layer: activations between layers go through DRAM."
    kind = (run.summary or {}).get("schedule", "exact")
    return (
        "Whole tensors may stay on the chip between layers (schedule.csv); which of them do is "
        + ("the best choice." if kind == "exact" else "bounded, not proven best.")
    )


def _searched(run: FinishedRun) -> list[str]:
    """Return how many designs were costed, and what the study was worth."""
    manifest = run.manifest
    num = int(manifest.get("num_designs") or (0 if run.designs is None else len(run.designs)))
    if manifest.get("front") == "exact":
        lines = [f"The front is exact: all {num:,} designs of the space were costed."]
    else:
        lines = [f"The front is sampled: {num:,} designs were costed, better may exist."]
    share = manifest.get("hypervolume_share")
    if share is not None:
        costed = int(manifest.get("num_costed") or 0)
        lines.append(
            f"The study alone found {percent(float(share), 1)} of the exact front's "
            f"hypervolume with {costed:,} designs."
        )
    return lines


def _mapped(run: FinishedRun) -> str:
    """Return how each layer is mapped."""
    if (run.config.get("accelerator") or {}).get("schedule"):
        return (
            "Layers follow the machine's own schedule; accelerator.schedule=null shows what the "
            "best mappings would gain."
        )
    if run.is_mapping_given:
        return "Mappings are as given; what was left open of them is searched exactly."
    return "Mappings are exact: the best of all tilings, orders and array assignments."


def reproduce(run: FinishedRun) -> Section:
    """Return the command, versions, seed and hashes of the run."""
    manifest = run.manifest
    command = shlex.join(str(part) for part in manifest.get("command", ()))
    versions = ", ".join(f"{k} {v}" for k, v in (manifest.get("versions") or {}).items())
    rows = [
        ("Seed", manifest.get("seed")),
        ("Commit", manifest.get("git_commit") or "not from a checkout"),
        ("Versions", versions),
        ("SHA-256 of the resolved configuration", manifest.get("config_sha256")),
        ("Wall time", show("latency_s", manifest.get("wall_s"))),
    ]
    inputs = list((manifest.get("inputs_sha256") or {}).items())
    hashes = Table("Input files", ("File", "SHA-256"), inputs, text_columns=(0, 1))
    return section(
        "reproduce",
        "Reproduce",
        Code(command),
        Table("What the run recorded of itself", ("", "Value"), rows, text_columns=(0, 1)),
        Details("Hashes of the input files", hashes) if inputs else None,
    )
