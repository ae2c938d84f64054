"""The table and the plot that the README quotes."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dse.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, VERMILLION, log_axis, look
from dse.plots.style import new_figure as figure_of
from dse.plots.style import title as titled
from dse.plots.units import TIMES
from experiments.peers.programs import PEERS
from experiments.peers.question import BUFFERS_KIB, TITLES, has_filter

OURS = "Chipfront, all four sizes"
NAMES = {problem: name.replace(" x ", f" {TIMES} ") for problem, name in TITLES.items()}
LOOKS = {
    "accelforge": ("AccelForge, any bounds", VERMILLION, "^"),
    "accelforge_divisors": ("AccelForge, divisors", ORANGE, "v"),
    "zigzag": ("ZigZag, its defaults", GREEN, "s"),
}
"""Of the peers: name, ink and marker."""

MARK: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "white", "markersize": 8}


def of_peer(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of a peer under one of its settings."""
    peer = PEERS[name]
    return table[(table["peer"] == peer.environment) & (table["setting"] == peer.setting)]


def traffic_ratio(table: pd.DataFrame) -> pd.Series:
    """Return the DRAM traffic of the peer's mapping over that of ours."""
    return table["walked_dram_elements"] / table["our_dram_elements"]


def markdown(table: pd.DataFrame, ours: dict[str, Any]) -> str:
    """Return the table for the README, one row a problem, and what was run, when and where."""
    heads = [f"{name} | traffic over ours" for name, _, _ in LOOKS.values()]
    lines = [
        f"| problem | {OURS} | {' | '.join(heads)} |",
        f"| --- | --- {'| --- | --- ' * len(LOOKS)}|",
    ]
    for problem, name in NAMES.items():
        here = table[table["problem"] == problem]
        cells = [name.replace("\n", ", "), f"{1000 * our_cpu_s(ours, problem):.0f} ms"]
        for peer in LOOKS:
            cells += _cells(of_peer(here, peer))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([sentence(table), "", *lines, "", circumstances(table, ours)]) + "\n"


def sentence(table: pd.DataFrame) -> str:
    """Return the result in words: what is never found, what is, and the least ratios of time."""
    answered = table[table["status"] == "answered"]
    filtered = table["problem"].map(has_filter)
    ratios = [_two_digits(table.loc[which, "ratio"].min()) for which in (filtered, ~filtered)]
    lost = answered[answered["losses"] != ""]
    but = f", but for {len(lost)} of a larger space ({_lost(lost)})" if len(lost) else ""
    return (
        f"Of {len(answered)} answers none has less traffic or fewer cycles than ours{but}; one "
        f"size takes a peer at least {ratios[0]} times the CPU time of our four sizes on a "
        f"convolution with a filter, {ratios[1]} times on a matrix product or 1 {TIMES} 1."
    )


def _lost(rows: pd.DataFrame) -> str:
    """Return where a peer finds less, in words; reasons are in the table."""
    found = [
        f"{row['peer']}, {row['problem']} at {row['buffer_kib']} KiB: "
        f"{row['losses'].partition(', as ')[0]}"
        for _, row in rows.iterrows()
    ]
    return "; ".join(found)


def our_cpu_s(ours: dict[str, Any], problem: str) -> float:
    """Return our CPU seconds for a problem, the slower of the two rules for halos."""
    return max(row["cpu_s"] for row in ours["rows"] if row["problem"] == problem)


def _cells(rows: pd.DataFrame) -> list[str]:
    """Return CPU time with its least ratio, and the traffic over ours, of up to four sizes."""
    if rows.empty:
        return ["not asked", ""]
    times = list(dict.fromkeys(_seconds(x) for x in sorted(rows["cpu_s"])))
    over = "over " if (rows["status"] == "time limit").any() else ""
    some = "" if len(rows) == len(BUFFERS_KIB) else f", {len(rows)} of {len(BUFFERS_KIB)} sizes"
    ratio = f"\N{GREATER-THAN OR EQUAL TO} {_two_digits(rows['ratio'].min())} {TIMES}"
    cpu = f"{over}{' to '.join(dict.fromkeys((times[0], times[-1])))} s, {ratio}{some}"
    shares = [f"{x:.2f}" for x in sorted(traffic_ratio(rows).dropna())]
    traffic = " to ".join(dict.fromkeys((shares[0], shares[-1]))) if shares else "no answer"
    return [cpu, traffic]


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
    loads, imports = [*table["load"], ours["load"]], table["import_cpu_s"]
    span = f"{imports.min():.1f} to {imports.max():.1f} s"
    return (
        f"Chipfront {ours['version']}, {', '.join(sorted(versions))}; "
        f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}, {ours['cores']} cores of "
        f"{ours['processor']}, load {min(loads):.1f} to {max(loads):.1f}. CPU seconds of peers are "
        f"without imports ({span}), ours without loading compiled code "
        f"({ours['warm_up_cpu_s']:.1f} s), which is compiled once ({ours['compile_cpu_s']:.0f} s)."
    )


def figure(table: pd.DataFrame, ours: dict[str, Any], *, finding: str) -> Figure:
    """Draw CPU seconds of an answer and its traffic, one line a problem, a marker a buffer size."""
    with look():
        drawn = figure_of(10.0, 5.4)
        titled(
            drawn,
            finding,
            f"16 {TIMES} 16 MACs, one buffer of 16, 64, 256 or 1024 KiB (a marker each), operands "
            "of one byte. Traffic: a literal walk of each mapping.",
        )
        time, traffic = drawn.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        _draw_time(time, table, ours)
        _draw_traffic(traffic, table)
        for ax in (time, traffic):
            ax.set_ylim(len(TITLES) - 0.45, -0.55)
            ax.set_yticks(range(len(TITLES)), list(NAMES.values()))
            ax.tick_params(axis="y", length=0, labelcolor=INK)
            ax.grid(visible=False, axis="y")
        handles, labels = time.get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return drawn


def _draw_time(ax: Axes, table: pd.DataFrame, ours: dict[str, Any]) -> None:
    mine = [our_cpu_s(ours, problem) for problem in TITLES]
    log_axis(ax, "x", "latency_s", (min(mine) / 2, 600), label="CPU time of one answer")
    ax.plot(mine, range(len(mine)), color=BLUE, marker="o", label=OURS, **MARK)
    for peer, (name, ink, marker) in LOOKS.items():
        rows = of_peer(table, peer)
        y = _places(rows, peer)
        ax.plot(rows["cpu_s"], y, color=ink, marker=marker, label=name, alpha=0.85, **MARK)
        for x, place, status in zip(rows["cpu_s"], y, rows["status"], strict=True):
            if status == "time limit":
                ax.annotate("ended", (x, place), (7, -3), textcoords="offset points", color=MUTED)


def _draw_traffic(ax: Axes, table: pd.DataFrame) -> None:
    ax.axvline(1, color=BLUE, linewidth=1.6)
    ax.set_xlim(0.95, max(1.3, float(traffic_ratio(table).max()) * 1.06))
    ax.set_xlabel("DRAM traffic over ours")
    for peer, (_, ink, marker) in LOOKS.items():
        rows = of_peer(table, peer)
        shares = traffic_ratio(rows).astype(float)
        ax.plot(shares, _places(rows, peer), color=ink, marker=marker, alpha=0.85, **MARK)


def _places(rows: pd.DataFrame, peer: str) -> list[float]:
    """Return where the rows of a peer stand: in the line of their problem, one below the other."""
    lift = 0.2 * (list(LOOKS).index(peer) - 1)
    return [list(TITLES).index(problem) + lift for problem in rows["problem"]]
