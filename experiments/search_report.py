"""The tables and the plot of search_quality.py, from its studies."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from dse.plots.style import INK, MARKERS, MUTED, SERIES, look, new_figure, title

GOALS = {200: 0.90, 1000: 0.97, 5000: 0.998}
"""Designs costed to the median share that sampler ridge should have; the last at 5 % at most."""

SAMPLERS = ("ridge", "nsga2", "nsga3", "qmc", "random", "tpe")

_LEAST_LACKING = 1e-5  # less is drawn as this, beside the tick "all"
_SHARES = (0.5, 0.9, 0.97, 0.99, 0.998, 0.9999)
_LACKING = (*(1 - share for share in _SHARES), _LEAST_LACKING)
_COUNTS = (50, 200, 1000, 5000)


def medians(table: pd.DataFrame) -> pd.DataFrame:
    """Return the median share: spaces and numbers of designs costed as rows, samplers as columns.

    Numbers are those of `GOALS`, and 5 % of a space where studies went on to it.
    """
    shown = table[table["num_costed"].isin([*GOALS, *(table["designs"] // 20).unique()])]
    keys = ["space", "designs", "num_costed", "sampler"]
    found = shown.groupby(keys, sort=False)["hypervolume_share"].median().unstack("sampler")
    order = {space: place for place, space in enumerate(table["space"].unique())}
    found = found.sort_index(level="num_costed").sort_index(
        level="space", key=lambda level: level.map(order), sort_remaining=False, kind="stable"
    )
    return found[[name for name in SAMPLERS if name in found.columns]]


def misses(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `medians` where ridge has less than its goal.

    The last goal is for 5 % of the space at most: it counts at the last number of the space.
    """
    found = medians(table)
    spaces, counts = found.index.get_level_values("space"), found.index.get_level_values(2)
    last = pd.Series(counts, index=spaces).groupby(level=0).max()
    goal = np.array(
        [
            max(GOALS.values()) if count == last[space] else GOALS.get(count, 0.0)
            for space, count in zip(spaces, counts, strict=True)
        ]
    )
    is_postponed = (counts == max(GOALS)) & (counts < last[spaces].to_numpy())
    return found[(found["ridge"].to_numpy() < goal) & ~is_postponed]


def by_space(table: pd.DataFrame) -> str:
    """Return `medians` as Markdown; what misses its goal is marked."""
    found, missed = medians(table), misses(table).index
    lines = [
        f"| space | designs | costed | {' | '.join(found.columns)} |",
        f"| --- | --- | --- {'| --- ' * len(found.columns)}|",
    ]
    for key, row in found.iterrows():
        space, designs, count = key
        cells = ["" if np.isnan(value) else f"{value:.4f}" for value in row]
        cells[0] += " (missed)" if key in missed else ""
        lines.append(f"| {space} | {designs:,} | {count:,} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def by_sampler(table: pd.DataFrame) -> str:
    """Return a line a sampler as Markdown: over the spaces, the median of `medians`, and the least.

    The last column is the processor time over the first 1,000 designs, or all if they are fewer.
    """
    found = medians(table)
    lines = [
        f"| sampler | studies | {' | '.join(f'{x:,} costed' for x in GOALS)} | ms a design |",
        "| --- | --- " + "| --- " * (len(GOALS) + 1) + "|",
    ]
    for name in found.columns:
        rows = table[table["sampler"] == name]
        studies = len(rows[["space", "seed"]].drop_duplicates())
        cells = []
        for count in GOALS:
            shares = found.xs(count, level="num_costed")[name].dropna()
            cells.append(f"{shares.median():.4f} ({shares.min():.4f})" if len(shares) else "")
        last = rows[rows["num_costed"] == min(1000, rows["num_costed"].max())]
        cells.append(f"{(1000 * last['cpu_s'] / last['num_costed']).median():.1f}")
        lines.append(f"| {name} | {studies} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def verdict(table: pd.DataFrame) -> str:
    """Say how many goals ridge meets, with how many studies, and which it misses by what."""
    missed = misses(table)
    total = len(GOALS) * table["space"].nunique()
    told = [
        f"{space} with {count:,} ({row['ridge']:.4f})"
        for (space, _, count), row in missed.iterrows()
    ]
    studies = table[table["sampler"] == "ridge"].groupby("space")["seed"].nunique()
    numbers = " to ".join(str(number) for number in dict.fromkeys((studies.min(), studies.max())))
    return (
        f"{total - len(told)} of {total} goals are met, by medians of studies with {numbers} seeds "
        f"a space; missed: {'; '.join(told) or 'none'}."
    )


def figure(table: pd.DataFrame) -> Figure:
    """Draw the share of the hypervolume against designs costed, one panel a space."""
    spaces = table["space"].unique()
    with look():
        drawn = new_figure(10.0, 9.0)
        title(
            drawn,
            "Hypervolume found, against designs costed",
            "Share of the exact front's hypervolume, median of the studies; the axis is "
            "logarithmic in what is lacking. Grey bars: the goals.",
        )
        panels = drawn.subplots(-(-len(spaces) // 3), 3, sharex=True, sharey=True)
        for ax, space in zip(panels.flat, spaces, strict=False):
            rows = table[table["space"] == space]
            _panel(ax, rows)
            ax.set_title(f"{space}, {rows['designs'].iloc[0]:,} designs", fontsize=9.5, loc="left")
        for ax in panels.flat[len(spaces) :]:
            ax.set_visible(False)
        for ax in panels[-1]:
            ax.set_xlabel("Designs costed")
        drawn.supylabel("Share of the exact hypervolume", fontsize=9.5)
        handles, labels = panels.flat[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return drawn


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    for count, share in GOALS.items():
        ax.plot(
            [count / 1.25, count * 1.25], [1 - share] * 2, color=MUTED, lw=4, alpha=0.45, zorder=2
        )
    for place, name in enumerate(SAMPLERS):
        shares = rows[rows["sampler"] == name].groupby("num_costed")["hypervolume_share"].median()
        is_ours = name == SAMPLERS[0]
        ax.plot(
            (1 - shares).clip(lower=_LEAST_LACKING),
            color=SERIES[place],
            marker=MARKERS[place],
            markersize=5 if is_ours else 3.5,
            linewidth=2.2 if is_ours else 1.1,
            zorder=4 if is_ours else 3,
            label=name,
        )
    ax.set(xscale="log", yscale="log", ylim=(0.9, _LEAST_LACKING * 0.7))
    for axis, ticks in ((ax.xaxis, _COUNTS), (ax.yaxis, _LACKING)):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    texts = [*(f"{share:g}" for share in _SHARES), "all"]
    ax.yaxis.set_major_formatter(FuncFormatter(lambda _, place: texts[place]))
    ax.tick_params(labelcolor=INK)
