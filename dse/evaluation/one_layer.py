"""One layer on one machine: its mapping, its traffic, and where its time goes."""

from functools import reduce
from operator import add
from typing import Any

from dse.cost.time import DEFAULT_SLACK, latency_s
from dse.evaluation.bounds import compulsory_bytes, lower_bound_bytes
from dse.evaluation.causes import CAUSES, reason, time_by_cause
from dse.evaluation.overheads import launch_s, macless_bits, pooling_cycles
from dse.hardware import Accelerator
from dse.mapping import Mapping
from dse.mapping.best import best_mapping
from dse.mapping.scheduled import scheduled_once_bytes
from dse.network.as_run import LayerRun
from dse.workload import LOOPS


def layer_row(
    run: LayerRun,
    chip: Accelerator,
    objective: str,
    *,
    slack: float = DEFAULT_SLACK,
    area_scale: float | None = None,
    mapping: Mapping | None = None,
) -> dict[str, Any]:
    """Return the row of layers.csv of one layer: over all its runs unless said.

    Parameters
    ----------
    run, chip
        What is computed, how often, and on what.
    objective, slack
        What the mapping minimises.
    area_scale
        As for `MappingTable.best`.
    mapping
        The mapping, where it is chosen already.

    Raises
    ------
    DseError
        If no mapping fits.
    """
    layer = run.layer
    head = {"name": layer.name, "op": layer.op, "repeat": run.count}
    if not layer.has_macs:
        return head | _macless(run, chip)
    if mapping is None:
        mapping = best_mapping(layer, chip, objective, slack=slack, area_scale=area_scale)
    dram_bytes = mapping.dram_bits / 8
    once = (compulsory_bytes if chip.schedule is None else scheduled_once_bytes)(layer, chip)
    times = time_by_cause(
        chip,
        ideal_cycles=mapping.ideal_cycles,
        array_steps=mapping.array_steps,
        compute_cycles=mapping.compute_cycles,
        compulsory_bytes=once,
        dram_bytes=dram_bytes,
        first_last_bytes=mapping.first_last_bits / 8,
    )
    latency = reduce(add, times.values(), 0.0)  # from left to right in any version of Python
    return (
        head
        | {
            "macs": layer.macs * run.count,
            "cycles": mapping.compute_cycles * run.count,
            "latency_s": latency * run.count,
            "dram_bytes": dram_bytes * run.count,
        }
        | {f"dram_bytes_{x}": n * run.count for x, n in mapping.dram_bytes.items()}
        | {
            "operational_intensity": layer.macs / dram_bytes if dram_bytes else float("inf"),
            "bound": _bound(times, mapping.compute_cycles / chip.clock_hz, dram_bytes, chip),
            "utilisation": times["time_mac_s"] / latency,
        }
        | _mapping_columns(mapping)
        | {
            "compulsory_bytes": compulsory_bytes(layer, chip) * run.count,
            "lower_bound_bytes": lower_bound_bytes(layer, chip) * run.count,
        }
        | {column: seconds * run.count for column, seconds in times.items()}
        | {"why": reason(times, latency, _hiding_s(dram_bytes, chip))}
    )


def _bound(times: dict[str, float], compute_s: float, dram_bytes: float, chip: Accelerator) -> str:
    transfer = dram_bytes / chip.dram_rate_bytes_per_s
    ends = times["time_first_last_s"]
    if ends > 0 and ends >= 0.5 * sum(times.values()):
        return "first and last"
    return "memory" if transfer > compute_s else "compute"


def _hiding_s(dram_bytes: float, chip: Accelerator) -> float:
    """Return the time of a transfer, 0 where nothing goes on behind it. [s]."""
    rate = chip.dram_rate_bytes_per_s
    return 0.0 if chip.transfers == "serial" else dram_bytes / rate


def _mapping_columns(mapping: Mapping) -> dict[str, Any]:
    named = [
        (f"({','.join(loops)})" if isinstance(loops, tuple) else loops, size)
        for loops, size in mapping.unrolled.items()
    ]
    return (
        {
            "stationary": mapping.stationary,
            "unrolled": " ".join(f"{loops}:{size}" for loops, size in named),
            "order": " ".join(mapping.order),
        }
        | {f"tile_{loop}": mapping.tile[loop] for loop in LOOPS}
        | {"footprint_bytes": mapping.footprint_bytes}
    )


def _macless(run: LayerRun, chip: Accelerator) -> dict[str, Any]:
    bits = macless_bits(run, chip)
    moved = sum(bits.values()) / 8 * run.count
    transfer = moved / chip.dram_rate_bytes_per_s
    cycles = pooling_cycles(run, chip) * run.count
    seconds = float(latency_s(cycles / chip.clock_hz, transfer, 0.0, transfers=chip.transfers))
    launch = launch_s(run, chip) * run.count
    reads, writes = (bits[operand] / 8 * run.count for operand in ("input", "output"))
    times = {f"time_{cause}_s": 0.0 for cause in CAUSES}
    times |= {"time_macless_s": seconds, "time_launch_s": launch}
    return (
        {"macs": 0, "cycles": cycles, "latency_s": seconds + launch, "dram_bytes": moved}
        | {
            "dram_bytes_input": reads,
            "dram_bytes_weight": 0.0,
            "dram_bytes_output": writes,
            "dram_bytes_psum_write": 0.0,
            "dram_bytes_psum_read": 0.0,
        }
        | {"operational_intensity": 0.0, "bound": "no MACs", "utilisation": 0.0}
        | {"stationary": "", "unrolled": "", "order": ""}
        | {f"tile_{loop}": 0 for loop in LOOPS}
        | {"footprint_bytes": 0.0, "compulsory_bytes": moved, "lower_bound_bytes": moved}
        | times
        | {"why": reason(times, seconds + launch)}
    )
