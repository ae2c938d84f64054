"""Every cycle has an owner: the time of a layer by cause (dse/docs/time-and-causes.md)."""

from collections.abc import Mapping
from itertools import pairwise

from dse.cost.time import latency_s
from dse.hardware import Accelerator

CAUSES = (
    "mac",
    "edge",
    "fill",
    "compulsory",
    "refetch",
    "dram_inefficiency",
    "first_last",
    "macless",
    "launch",
)
"""The causes, in the order in which they are added; columns are ``time_<cause>_s``."""


def time_by_cause(
    chip: Accelerator,
    *,
    ideal_cycles: float,
    array_steps: int,
    compute_cycles: int,
    compulsory_bytes: float,
    dram_bytes: float,
    first_last_bytes: float,
) -> dict[str, float]:
    """Return the seconds that each cause adds, mapping unchanged; they add up to the latency.

    Parameters
    ----------
    chip
        Clock, DRAM rate and efficiency, and `transfers`.
    ideal_cycles, array_steps, compute_cycles
        MACs over the size of the array; with edges; with fill.
    compulsory_bytes, dram_bytes, first_last_bytes
        Each element once (with a schedule in the machine's own form, rounded channels and all); as
        mapped; nominal first and last tiles. [bytes]

    Returns
    -------
    Column name to seconds, in the order of `CAUSES`.
    """
    clock, rate = chip.clock_hz, chip.dram_rate_bytes_per_s
    peak = chip.peak_dram_bytes_per_s * chip.dram_unit
    compute = compute_cycles / clock
    kinds = {"overlapped": "overlapped", "double_buffered": "overlapped", "serial": "serial"}
    without_ends = kinds[chip.transfers]

    def latency(transfer: float) -> float:
        return float(latency_s(compute, transfer, 0.0, transfers=without_ends))

    ends = first_last_bytes / rate
    whole = latency_s(compute, dram_bytes / rate, ends, transfers=chip.transfers)
    levels = [
        0.0,
        ideal_cycles / clock,
        array_steps / clock,
        compute,
        latency(compulsory_bytes / peak),
        latency(dram_bytes / peak),
        latency(dram_bytes / rate),
        float(whole),
    ]
    shares = [after - before for before, after in pairwise(levels)]
    added = [*shares, 0.0, chip.launch_s]
    return dict(zip((f"time_{cause}_s" for cause in CAUSES), added, strict=True))


SENTENCES = {
    "time_mac_s": "the MACs are busy: only more MACs or a faster clock help",
    "time_edge_s": "tiles do not fill the array, so that part of it is idle",
    "time_fill_s": "the array fills and drains between passes or waits for its buffers, and its "
    "MACs wait",
    "time_compulsory_s": "in each run each datum crosses the DRAM interface once, and that alone "
    "takes longer than the MACs: only bandwidth or a larger batch helps",
    "time_refetch_s": "the buffer is too small to keep what is used again, so it is fetched again",
    "time_dram_inefficiency_s": "the DRAM delivers less than its peak rate",
    "time_first_last_s": "the first fetch and the last write cannot be hidden behind the MACs",
    "time_macless_s": "it has no MACs: its bytes cross the DRAM interface, or pooling takes longer",
    "time_launch_s": "a run of a layer takes this long to start: only fewer, larger runs help",
}


BEHIND = {
    "time_mac_s": "the MACs are busy for {share} of it",
    "time_edge_s": "tiles fill part of the array, which costs no time",
    "time_fill_s": "the array fills and drains, which costs no time",
}
"""What computation does meanwhile, where the transfer takes as long as the layer."""


def reason(times: Mapping[str, float], latency: float, transfer_s: float = 0.0) -> str:
    """Return one plain sentence: the largest cause of a layer's time, and its share.

    Parameters
    ----------
    times
        Column name to seconds, as `time_by_cause` returns them.
    latency
        Their sum. [s]
    transfer_s
        Time of the DRAM bytes alone, where it goes on behind the MACs. [s]
    """
    if latency <= 0:
        return "it takes no time: nothing of it uses the DRAM"
    is_hidden = transfer_s >= latency * (1 - 1e-9)
    largest = max(times, key=lambda column: times[column])
    if largest in BEHIND and is_hidden:
        meanwhile = BEHIND[largest].format(share=_percent(times[largest], latency))
        return (
            "its DRAM transfer takes all of the time: bandwidth or fewer bytes help; meanwhile "
            f"{meanwhile}"
        )
    text = f"{_percent(times[largest], latency)} of the time: {SENTENCES[largest]}"
    rest = {
        column: seconds
        for column, seconds in times.items()
        if column != largest and not (is_hidden and column in BEHIND)
    }
    second = max(rest, key=lambda column: rest[column])
    if rest[second] >= 0.1 * latency:
        text += f"; {_percent(rest[second], latency)}: {SENTENCES[second]}"
    return text


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %"
