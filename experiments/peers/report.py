"""The table and the plot that the README quotes."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dse.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, VERMILLION, log_axis, look
from dse.plots.style import new_figure as figure_of
from dse.plots.style import title as titled
from experiments.peers.programs import PEERS
from experiments.peers.question import BUFFERS_KIB, TITLES

OURS = "Ridgepoint, all four sizes"
LOOKS = {
    "accelforge": ("AccelForge, any bounds", VERMILLION, "^"),
    "accelforge_divisors": ("AccelForge, divisors", ORANGE, "v"),
    "zigzag": ("ZigZag, its defaults", GREEN, "s"),
}
"""Of the peers: name, ink and marker."""


def of_peer(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of a peer under one of its settings."""
    peer = PEERS[name]
    return table[(table["peer"] == peer.environment) & (table["setting"] == peer.setting)]


def traffic_ratio(table: pd.DataFrame) -> pd.Series:
    """Return the DRAM traffic of the peer's mapping over that of ours."""
    return table["walked_dram_elements"] / table["our_dram_elements"]


def markdown(table: pd.DataFrame, ours: dict[str, Any]) -> str:
    """Return the table for the README, one row a problem, and what was run, when and where."""
    heads = [f"{name} | its traffic" for name, _, _ in LOOKS.values()]
    lines = [
        f"| problem | {OURS} | {' | '.join(heads)} |",
        f"| --- | --- {'| --- | --- ' * len(LOOKS)}|",
    ]
    for problem, name in TITLES.items():
        here = table[table["problem"] == problem]
        cells = [name.replace("\n", ", "), f"{1000 * least_cpu_s(ours, problem):.0f} ms"]
        for peer in LOOKS:
            cells += _cells(of_peer(here, peer))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", circumstances(table, ours)]) + "\n"


def least_cpu_s(ours: dict[str, Any], problem: str) -> float:
    """Return our CPU seconds for a problem, the slower of the two rules for halos."""
    return max(row["cpu_s"] for row in ours["rows"] if row["problem"] == problem)


def _cells(rows: pd.DataFrame) -> list[str]:
    if rows.empty:
        return ["not asked", ""]
    low, high, ratio = rows["cpu_s"].min(), rows["cpu_s"].max(), rows["ratio"].min()
    limit = "over " if (rows["status"] == "time limit").any() else ""
    span = f"{_seconds(low)} to {_seconds(high)}" if _seconds(low) != _seconds(high) else ""
    cpu = f"{limit}{span or _seconds(high)} s, at least {_two_digits(ratio)} ×"
    traffic = traffic_ratio(rows).dropna()
    if traffic.empty:
        return [cpu, "no answer"]
    least, most = f"{traffic.min():.2f}", f"{traffic.max():.2f}"
    return [cpu, f"{least} ×" if least == most else f"{least} to {most} ×"]


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _two_digits(value: float) -> str:
    scale = 10 ** max(len(str(int(value))) - 2, 0)
    return f"{int(value) // scale * scale:,}"


def circumstances(table: pd.DataFrame, ours: dict[str, Any]) -> str:
    """Return versions, dates, load and machine in words."""
    versions = {
        f"{name} {version}"
        for name, version in zip(table["peer"], table["version"], strict=True)
        if version
    }
    dates = sorted({date[:10] for date in [*table["date"], ours["date"]]})
    loads = [*table["load"], ours["load"]]
    return (
        f"Ridgepoint {ours['version']}, {', '.join(sorted(versions))}; "
        f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}, {ours['cores']} cores of "
        f"{ours['processor']}, load {min(loads):.1f} to {max(loads):.1f}. CPU seconds without "
        f"imports; ours without compilation ({ours['compile_cpu_s']:.0f} s, once for each machine)."
    )


def figure(table: pd.DataFrame, ours: dict[str, Any], *, finding: str) -> Figure:
    """Draw CPU seconds of an answer and its traffic, one line a problem, a marker a buffer size."""
    with look():
        drawn = figure_of(10.0, 5.4)
        titled(
            drawn,
            finding,
            "16 × 16 MACs, one buffer of 16, 64, 256 or 1024 KiB (one marker each), all operands "
            "one byte. Traffic is that of a literal walk of each program's mapping.",
        )
        time, traffic = drawn.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        _draw_time(time, table, ours)
        _draw_traffic(traffic, table)
        for ax in (time, traffic):
            ax.set_ylim(len(TITLES) - 0.45, -0.55)
            ax.set_yticks(range(len(TITLES)), list(TITLES.values()))
            ax.tick_params(axis="y", length=0, labelcolor=INK)
            ax.grid(visible=False, axis="y")
        handles, labels = time.get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return drawn


def _draw_time(ax: Axes, table: pd.DataFrame, ours: dict[str, Any]) -> None:
    mine = [least_cpu_s(ours, problem) for problem in TITLES]
    log_axis(ax, "x", "latency_s", (min(mine) / 2, 600), label="CPU time of one answer")
    style = {"linestyle": "none", "markeredgecolor": "white", "markersize": 8}
    ax.plot(mine, range(len(mine)), color=BLUE, marker="o", label=OURS, **style)
    for lift, (peer, (name, ink, marker)) in zip((-0.2, 0, 0.2), LOOKS.items(), strict=True):
        rows = of_peer(table, peer)
        y = [list(TITLES).index(problem) + lift for problem in rows["problem"]]
        ax.plot(rows["cpu_s"], y, color=ink, marker=marker, label=name, alpha=0.85, **style)
        ended = rows["status"] == "time limit"
        for x, place in zip(rows["cpu_s"][ended], [p for p, e in zip(y, ended, strict=True) if e],
                            strict=True):
            ax.annotate("ended", (x, place), (6, 0), textcoords="offset points", va="center",
                        fontsize=7.5, color=MUTED)


def _draw_traffic(ax: Axes, table: pd.DataFrame) -> None:
    ax.axvline(1, color=BLUE, linewidth=1.6)
    ax.set_xlim(0.95, max(1.3, float(traffic_ratio(table).max()) * 1.06))
    ax.set_xlabel("DRAM traffic over ours")
    for lift, (peer, (_, ink, marker)) in zip((-0.2, 0, 0.2), LOOKS.items(), strict=True):
        rows = of_peer(table, peer)
        nudge = {size: 0.05 * (place - 1.5) for place, size in enumerate(BUFFERS_KIB)}
        y = [
            list(TITLES).index(problem) + lift + nudge[size] * 0
            for problem, size in zip(rows["problem"], rows["buffer_kib"], strict=True)
        ]
        ax.plot(
            traffic_ratio(rows).astype(float),
            y,
            linestyle="none",
            color=ink,
            marker=marker,
            markersize=8,
            markeredgecolor="white",
            alpha=0.85,
        )
