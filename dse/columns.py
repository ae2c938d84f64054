"""What every column of a run's files and every total means: unit, label, and which way is better.

Everything that names, prints, ranks or documents a quantity reads this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MORE, LESS = "more", "less"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a column holds, and how it is shown.

    Attributes
    ----------
    label, meaning
        What it is called in plots and tables, and what it says, in a sentence.
    unit, factor
        Base unit, and what the column's own unit is of it (1e-12 from pJ to J).
    prefixes
        ``"si"`` (k, M, G and m, u, n, p), ``"binary"`` (Ki, Mi, Gi) or ``"none"``.
    better
        ``"more"``, ``"less"``, or empty where neither is better by itself.
    doubles
        Whether its values are mostly powers of two, so that a log axis counts in those.
    """

    label: str
    meaning: str
    unit: str = ""
    factor: float = 1.0
    prefixes: str = "si"
    better: str = ""
    doubles: bool = False

    @property
    def is_better_up(self) -> bool:
        """Whether more is better; a budget on it is then a floor."""
        return self.better == MORE


def _count(label: str, meaning: str, unit: str = "", *, doubles: bool = False) -> Column:
    return Column(label=label, meaning=meaning, unit=unit, prefixes="none", doubles=doubles)


def _time(label: str, meaning: str, better: str = LESS) -> Column:
    return Column(label=label, meaning=meaning, unit="s", better=better)


def _moved(label: str, meaning: str, better: str = LESS) -> Column:
    return Column(label=label, meaning=meaning, unit="B", better=better)


def _energy(label: str, meaning: str) -> Column:
    return Column(label=label, meaning=meaning, unit="J", factor=1e-12, better=LESS)


def _bytes(label: str, meaning: str, *, doubles: bool = False) -> Column:
    return Column(label=label, meaning=meaning, unit="B", prefixes="binary", doubles=doubles)


COSTS: Mapping[str, Column] = {
    "throughput_per_s": Column(
        label="Throughput", unit="inferences/s", prefixes="none", better=MORE,
        meaning="Inferences per second: batch over latency."),
    "latency_s": _time("Latency", "Time of one batch; in layers, of a layer over all its runs."),
    "dram_bytes": _moved("DRAM traffic", "Bytes read from and written to DRAM for one batch."),
    "dram_bytes_per_inference": _moved(
        "DRAM traffic per inference", "DRAM bytes of a batch over its inferences."),
    "energy_pj": _energy("Energy", "Energy of one batch: MACs, DRAM transfers and leakage."),
    "energy_pj_per_inference": _energy(
        "Energy per inference", "Energy of a batch over its inferences."),
    "area_mm2": Column(
        label="Area without DRAM interface", unit="mm²", prefixes="none", better=LESS,
        meaning="Die area of MACs, buffers and a fixed part, without the DRAM interface."),
    "power_w": Column(
        label="Power", unit="W", better=LESS,
        meaning="Average power of running without a pause, DRAM included: energy over latency."),
    "dram_bytes_per_s": Column(
        label="DRAM bandwidth bought", unit="B/s", better=LESS,
        meaning="Peak rate of all DRAM channels, before their efficiency."),
    "cost_usd": Column(
        label="Cost", unit="USD", prefixes="none", better=LESS,
        meaning="Price of die and DRAM."),
}  # fmt: skip
"""What the cost model says of a design."""

QUANTITIES = (
    "throughput_per_s",
    "latency_s",
    "dram_bytes_per_inference",
    "energy_pj_per_inference",
    "area_mm2",
    "power_w",
    "dram_bytes_per_s",
    "cost_usd",
)
"""What may be an objective or a budget; the names are columns of costs."""

MAXIMISED = frozenset(name for name, column in COSTS.items() if column.better == MORE)
"""The quantities that are better when larger; as budgets they are floors."""

ENERGIES: Mapping[str, Column] = {
    "energy_mac_pj": _energy("Energy of MACs", "Energy of the MACs and of the buffers they use."),
    "energy_dram_pj": _energy("Energy of DRAM", "Energy of the bits that cross the interface."),
    "energy_leakage_pj": _energy("Energy of leakage", "Power that flows always, times latency."),
}
"""The parts of ``energy_pj``; they add up to it."""

CAUSES: Mapping[str, Column] = {
    "time_mac_s": _time("ideal MAC time", "Time if every MAC of the array were always busy."),
    "time_edge_s": _time(
        "idle part of the array",
        "Time added as tiles do not fill the array: loops that do not divide or are short, or "
        "smaller tiles that cost nothing behind a longer transfer."),
    "time_fill_s": _time(
        "array fill", "Time added as the array fills, drains or waits for its buffers."),
    "time_compulsory_s": _time(
        "transfer of each operand once",
        "Time added by moving each operand once a run at the DRAM's peak rate."),
    "time_refetch_s": _time(
        "fetched again: small buffer", "Time added by bytes that are fetched again."),
    "time_dram_inefficiency_s": _time(
        "DRAM inefficiency", "Time added as the DRAM delivers less than its peak rate."),
    "time_first_last_s": _time(
        "first and last tile", "Time added by the first fetch and the last write of a run."),
    "time_macless_s": _time("layers without MACs", "Time of additions, pooling and the like."),
    "time_launch_s": _time("launch", "Time that each run of a layer takes to start."),
}  # fmt: skip
"""Parts of a layer's latency, in the order in which they are added; they add up to it."""

MACHINE: Mapping[str, Column] = {
    "array_rows": _count("Array rows", "Rows of the MAC array."),
    "array_columns": _count("Array columns", "Columns of the MAC array."),
    "num_macs": _count("MACs of the array", "MACs that the array makes in a cycle."),
    "peak_macs_per_s": Column(
        label="Peak rate of the array", unit="MAC/s", better=MORE,
        meaning="MACs of the array times the clock."),
    "buffer_bytes": _bytes("On-chip buffer", "All buffers together.", doubles=True),
    "dram_part": _count("DRAM part", "Name of the DRAM part in conf/dram."),
    "dram_channels": _count("DRAM channels", "DRAM parts side by side."),
    "dram_efficiency": _count("DRAM efficiency", "Share of the peak rate that is delivered."),
    "clock_hz": Column(label="Clock", unit="Hz", meaning="Cycles of the array per second."),
    "batch": _count("Batch", "Inferences together.", doubles=True),
    "technology": _count("Technology", "Name of the process in conf/technology."),
}  # fmt: skip
"""What is chosen of a machine, and what follows from that alone."""

RUNS: Mapping[str, Column] = {
    "run": _count("Run", "What tells the run from the others of the table."),
    "folder": _count("Folder", "Folder of the run."),
    "task": _count("Task", "What the run did."),
    "workload": _count("Network", "Name of the network."),
    "accelerator": _count("Machine", "Name of the machine."),
    "slack": _count(
        "Mapper slack", "Share of the least latency that a mapping may lose to move fewer bits."),
    "objective": _count("Mapper objective", "What each layer's mapping minimises."),
    "bits": _count("Bits", "Bits of input, weight, output and partial sum."),
    "front": _count("Front", "Whether the front is exact (all designs) or sampled."),
    "front_designs": _count("Designs of the front", "How many designs the front has."),
    "rule": _count("Rule", "How the pick was chosen."),
    "feasible": _count("Feasible", "Whether a design meets every budget and runs every layer."),
    "is_mapped": _count("Mapped", "Whether every layer fits with some mapping."),
    "num_costed": _count("Designs costed", "Designs that the sampled study had costed."),
    "hypervolume_share": Column(
        label="Hypervolume found", prefixes="none", better=MORE,
        meaning="Share of the exact front's hypervolume, or of its own front where none is exact."),
    "warnings": _count("Warnings", "What the network leaves out, and constants extrapolated."),
    "coverage": _count("Coverage", "Which part of an imported file is modelled."),
    "peak_held_bytes": _bytes("Most held", "Most bytes of tensors held on the chip at once."),
    "schedule": _count(
        "Schedule", "Whether what stays on the chip is the best choice (exact) or has a gap."),
    "schedule_gap": Column(
        label="Gap of the schedule", prefixes="none", better=LESS,
        meaning="Share of what is minimised that a schedule not found may save, at most."),
    "num_layers": _count("Layers", "Layers of the network."),
    "weight_elements": Column(label="Parameters", meaning="Learned elements of the network."),
}  # fmt: skip
"""What is said of a run, a search or a network as a whole."""

LAYERS: Mapping[str, Column] = {
    "name": _count("Layer", "Name of the layer."),
    "layer": _count("Layer", "Name of the first of the layers that are alike; empty: all layers."),
    "op": _count("Kind", "What the layer computes: mac, or an operation without MACs."),
    "repeat": _count("Runs", "Times that the layer runs; all other columns are over all runs."),
    "macs": Column(label="MACs", meaning="MACs of a layer; as a knob, MACs of the array."),
    "cycles": _count("Cycles", "Cycles of the array, with fill.", "cycles"),
    "dram_bytes_input": _moved("Inputs", "DRAM bytes of inputs."),
    "dram_bytes_weight": _moved("Weights", "DRAM bytes of weights."),
    "dram_bytes_output": _moved("Outputs", "DRAM bytes of finished outputs."),
    "dram_bytes_psum_write": _moved("Partial sums written", "DRAM bytes of sums put aside."),
    "dram_bytes_psum_read": _moved("Partial sums read back", "DRAM bytes of sums taken up again."),
    "operational_intensity": Column(
        label="Operational intensity", unit="MACs per DRAM byte", prefixes="none", better=MORE,
        meaning="MACs over DRAM bytes."),
    "macs_per_s": Column(label="Rate", unit="MAC/s", better=MORE, meaning="MACs over latency."),
    "bound": _count("Bound", "What takes longer: compute, memory, or first and last tiles."),
    "utilisation": Column(
        label="Utilisation", prefixes="none", better=MORE,
        meaning="Ideal MAC time over latency."),
    "stationary": _count("Stationary", "Operand whose tile stays longest in the buffer."),
    "unrolled": _count("Unrolled", "Loops side by side on the array, with their sizes."),
    "order": _count("Order", "Loops over tiles, the outermost first."),
    **{f"tile_{loop}": _count(f"Tile {loop}", f"Size of the tile in loop {loop}.")
       for loop in ("b", "g", "k", "c", "oy", "ox", "fy", "fx")},
    "footprint_bytes": _bytes("Footprint", "Bytes that the tiles take in the buffers, once."),
    "compulsory_bytes": _moved(
        "Each operand once a run",
        "DRAM bytes if each operand moved once in each run of the layer; where runs share their "
        "weights (recurrent steps) a buffer that keeps those between runs would move less."),
    "lower_bound_bytes": _moved(
        "Lower bound a run",
        "DRAM bytes that no mapping of a run by itself can be below, times the runs."),
    "lower_bound_shared_bytes": _moved(
        "Lower bound, shared weights once",
        "The same with weights that runs share moved once; equal where none are shared."),
    "held_input_share": _count(
        "Share of the input held", "Share of the input that is on the chip already."),
    "output_place": _count(
        "Place of the output",
        "Where the output is between layers: dram, both, fetched or chip; empty where another "
        "layer does the work."),
    "held": _count("Held tensors", "Tensors on the chip while the layer runs, by their writers."),
    "held_bytes": _bytes("Held", "Bytes of all tensors on the chip while the layer runs."),
    "why": _count("Why", "The largest causes of the layer's time, in a sentence."),
}  # fmt: skip
"""What is said of a layer."""

GROUPS: Mapping[str, Mapping[str, Column]] = {
    "Costs of a design": COSTS,
    "Parts of the energy": ENERGIES,
    "Time by cause": CAUSES,
    "Machine": MACHINE,
    "Layer": LAYERS,
    "Run": RUNS,
}
HIDDEN = ("time_edge_s", "time_fill_s")
"""Causes that cost nothing where the transfer takes as long as the layer: it hides them."""
COLUMNS: Mapping[str, Column] = {k: v for group in GROUPS.values() for k, v in group.items()}
"""Every column that a file of a run may have, and every total of summary.json."""


def column(name: str) -> Column:
    """Return what a column is; one that is not known is shown under its own name, unscaled."""
    return COLUMNS.get(name) or _count(name.replace("_", " "), "")


def base_name(name: str) -> str:
    """Return the column that one derives from: ``best_latency_s`` and ``area_mm2_violation``."""
    name = name.removeprefix("best_")
    for suffix in ("_violation", "_change"):
        name = name.removesuffix(suffix)
    return name


def columns_markdown() -> str:
    """Return all columns as Markdown, one table a group."""
    parts = []
    for title, group in GROUPS.items():
        rows = [f"| `{name}` | {x.label} | {_unit(x)} | {x.better} | {x.meaning} |"
                for name, x in group.items()]  # fmt: skip
        head = "| Column | Label | Unit | Better | Meaning |\n| --- | --- | --- | --- | --- |"
        parts.append(f"## {title}\n\n{head}\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _unit(column: Column) -> str:
    return {("J", 1e-12): "pJ", ("B", 1.0): "bytes", ("B/s", 1.0): "bytes/s"}.get(
        (column.unit, column.factor), column.unit
    )
