"""The second half of the report: why, what it rests on, and how to get it again."""

import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dse.columns import CAUSES, column
from dse.plots.layers import longest_first, together
from dse.plots.units import NOT_KNOWN, percent, show
from dse.report.data import ReportData
from dse.report.given import most_lost, tiles_of
from dse.report.markup import bullets, details, escape, paragraph, section, table

_SINKS = 5
_LOST = 8
_OPERANDS = (
    "dram_bytes_weight",
    "dram_bytes_input",
    "dram_bytes_output",
    "dram_bytes_psum_write",
    "dram_bytes_psum_read",
)


def why(data: ReportData, plots: Mapping[str, str]) -> str:
    """Return roofline, time by cause, the largest time sinks, and a line for each layer."""
    if data.layers is None:
        return ""
    return section(
        "why", "Why it takes the time it takes",
        plots.get("roofline", ""), _sinks(data.layers), plots.get("time_by_cause", ""),
        details(f"Each of the {len(data.layers)} layers, in a line", _every_layer(data.layers)),
    )  # fmt: skip


def _sinks(layers: pd.DataFrame) -> str:
    total = float(layers["latency_s"].sum())
    longest = longest_first(together(layers), len(layers)).head(_SINKS)
    rows = [
        (row["name"], show("latency_s", row["latency_s"]), _share(row["latency_s"], total),
         _main_loss(row), row["why"])
        for row in _records(longest)
    ]  # fmt: skip
    caption = "The largest time sinks; layers that cost the same count together"
    header = ("Layer", "Time", "Share", "Largest loss", "Why")
    return table(caption, header, rows, text_columns=(0, 3, 4))


def _share(part: float, whole: float) -> str:
    return percent(part / whole, 1) if whole > 0 else NOT_KNOWN


def _main_loss(row: Mapping[str, Any]) -> str:
    losses = {cause: float(row[cause]) for cause in CAUSES if cause in row}
    losses.pop("time_mac_s", None)
    if not any(losses.values()) or not row["latency_s"]:
        return "none"
    worst = max(losses, key=lambda cause: losses[cause])
    return f"{CAUSES[worst].label} ({percent(losses[worst] / row['latency_s'])})"


def _every_layer(layers: pd.DataFrame) -> str:
    total = float(layers["latency_s"].sum())
    rows = [
        (row["name"], show("macs", row["macs"]), show("latency_s", row["latency_s"]),
         _share(row["latency_s"], total), show("dram_bytes", row["dram_bytes"]),
         _excess(row["dram_bytes"], row["lower_bound_bytes"]), row["bound"], row["why"])
        for row in _records(layers)
    ]  # fmt: skip
    header = ("Layer", "MACs", "Time", "Share", "DRAM", "Above lower bound", "Bound", "Why")
    return table("In the order of the network", header, rows, text_columns=(0, 6, 7))


def _excess(moved: float, bound: float) -> str:
    return f"{moved / bound - 1:.1%}" if bound > 0 else NOT_KNOWN


def given(data: ReportData) -> str:
    """Return the layers that lose most by a given mapping, beside the best ones."""
    if data.given is None:
        return ""
    objective = str((data.summary or {}).get("objective"))
    worst = most_lost(data.given, objective)
    rows = [
        (row["name"], show("latency_s", row["latency_s"]), show("latency_s", row["best_latency_s"]),
         show("dram_bytes", row["dram_bytes"]), show("dram_bytes", row["best_dram_bytes"]),
         tiles_of(row), tiles_of(row, "best_"))
        for _, row in worst.iterrows()
    ]  # fmt: skip
    header = ("Layer", "Time", "Best", "DRAM", "Best", "Given mapping", "Best mapping")
    kept = f"{len(data.given) - len(rows)} of {len(data.given)} layers lose nothing."
    caption, texts = "Layers that lose by the given mapping, most first", (0, 5, 6)
    listed = table(caption, header, rows[:_LOST], text_columns=texts) if rows else ""
    if len(rows) > _LOST:
        rest = table("The layers that lose less", header, rows[_LOST:], text_columns=texts)
        listed += details(f"{len(rows) - _LOST} more", rest)
    return section("given", "The given mapping beside the best", paragraph(kept), listed)


def traffic(data: ReportData, plots: Mapping[str, str]) -> str:
    """Return what is moved to and from DRAM, how near to the bound, and what a buffer changes."""
    layers = data.layers
    if layers is None:
        return ""
    total = float(layers["dram_bytes"].sum())
    rows = [
        (
            column(name).label,
            show(name, float(layers[name].sum())),
            _share(layers[name].sum(), total),
        )
        for name in _OPERANDS
        if name in layers
    ]
    bounds = [
        (label, show("dram_bytes", float(layers[name].sum())), _share(layers[name].sum(), total))
        for name, label in (("compulsory_bytes", "Compulsory: every operand once"),
                            ("lower_bound_bytes", "Lower bound at this buffer"))
        if name in layers
    ]  # fmt: skip
    rows = [*rows, ("All", show("dram_bytes", total), _share(total, total)), *bounds]
    caption = "DRAM traffic of one batch, by operand, and what no mapping can be below"
    return section("traffic", "DRAM traffic", table(caption, ("", "Bytes", "Share"), rows),
                   plots.get("traffic", ""))  # fmt: skip


def trust(data: ReportData, plots: Mapping[str, str]) -> str:
    """Return how the front was found, and what the numbers leave out."""
    manifest, lines = data.manifest, []
    if data.is_search:
        num = int(manifest.get("num_designs") or len(_table(data.designs)))
        if manifest.get("front") == "exact":
            lines.append(f"The front is exact: all {num:,} designs of the space were costed.")
        else:
            lines.append(f"The front is sampled: {num:,} designs were costed, better may exist.")
        share = manifest.get("hypervolume_share")
        if share is not None:
            costed = int(manifest.get("num_costed") or 0)
            lines.append(
                f"The study alone found {percent(float(share), 1)} of the exact front's "
                f"hypervolume with {costed:,} designs."
            )
    lines += [str(note) for note in manifest.get("notes") or ()]
    lines.append("Area is without the DRAM interface.")
    lines.append("Layer by layer: activations between layers go through DRAM.")
    lines.append(_mapped(data))
    warnings = [str(text) for text in (data.summary or {}).get("warnings", ())]
    warned = f'<div class="warning">{paragraph("Warnings")}{bullets(warnings)}</div>'
    return section("trust", "What this rests on", warned if warnings else "", bullets(lines),
                   plots.get("convergence", ""))  # fmt: skip


def _mapped(data: ReportData) -> str:
    """Return how each layer is mapped."""
    if (data.config.get("accelerator") or {}).get("schedule"):
        return (
            "Layers follow the machine's own schedule; accelerator.schedule=null shows what the "
            "best mappings would gain."
        )
    if data.is_mapping_given:
        return "Mappings are as given; what was left open of them is searched exactly."
    return "Mappings are exact: the best of all tilings, orders and array assignments."


def _table(frame: pd.DataFrame | None) -> pd.DataFrame:
    return pd.DataFrame() if frame is None else frame


def reproduce(data: ReportData) -> str:
    """Return the command, versions, seed and hashes of the run."""
    manifest = data.manifest
    command = shlex.join(str(part) for part in manifest.get("command", ()))
    versions = ", ".join(f"{k} {v}" for k, v in (manifest.get("versions") or {}).items())
    facts = [
        ("Seed", manifest.get("seed")),
        ("Commit", manifest.get("git_commit") or "not from a checkout"),
        ("Versions", versions),
        ("SHA-256 of the resolved configuration", manifest.get("config_sha256")),
        ("Wall time", show("latency_s", manifest.get("wall_s"))),
    ]
    inputs = [(name, digest) for name, digest in (manifest.get("inputs_sha256") or {}).items()]
    hashes = table("Input files", ("File", "SHA-256"), inputs, text_columns=(0, 1))
    return section(
        "reproduce", "Reproduce", f"<pre><code>{escape(command)}</code></pre>",
        table("What the run recorded of itself", ("", "Value"), facts, text_columns=(0, 1)),
        details("Hashes of the input files", hashes) if inputs else "",
    )  # fmt: skip


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict(orient="records")]
