"""How fast the search found the front."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from dse.plots.labels import Label, place
from dse.plots.style import BLUE, INK, MUTED, look, new_figure, nothing_to_draw, plain, title
from dse.plots.units import percent


def convergence_figure(history: pd.DataFrame, *, sampler: str, is_exact: bool = True) -> Figure:
    """Draw the share of the exact front's hypervolume against the designs costed.

    Parameters
    ----------
    history
        num_costed rising, hypervolume_share from 0 to 1 (not known: NaN).
    sampler
        Name of the search, for the title.
    is_exact
        Whether the share refers to the front of the whole space, else to the study's own.
    """
    known = history[np.isfinite(history["hypervolume_share"].astype(float))]
    with look():
        figure = new_figure(8.0, 3.8)
        ax = figure.add_subplot()
        title(
            figure,
            _finding(known, plain(sampler, 40), is_exact=is_exact),
            "Hypervolume of the objectives' logarithms; flat where more designs find no better.",
        )
        convergence(ax, known)
    return figure


def convergence(ax: Axes, history: pd.DataFrame) -> Axes:
    """Draw one study's share of the hypervolume, labelled at its end."""
    ax.set_xlabel("Designs costed (count)")
    ax.set_ylabel("Hypervolume found (%)")
    if history.empty:
        nothing_to_draw(ax, "The share is not known.")
        return ax
    costed, share = history["num_costed"].to_numpy(float), history["hypervolume_share"].to_numpy()
    ax.plot(costed, share, color=BLUE, linewidth=1.8, drawstyle="steps-post", zorder=3)
    ax.plot(costed[-1:], share[-1:], "o", color=BLUE, markersize=6, zorder=4)
    ax.axhline(1, color=MUTED, linewidth=1.1, linestyle=(0, (5, 2)))
    room = max(1 - float(share.min()), 0.02)
    ax.set_ylim(max(0.0, 1 - 1.12 * room), 1 + 0.14 * room)
    ax.set_xlim(0, float(costed[-1]) * 1.04)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))
    ax.annotate(
        "all of the front", (0, 1), (4, 3), textcoords="offset points", fontsize=8.5, color=INK
    )
    last = Label(x=costed[-1], y=float(share[-1]), text=percent(float(share[-1]), 1), is_bold=True)
    line = [Label(x=x, y=y, text="") for x, y in zip(costed, share, strict=True)]
    roof = [Label(x=x, y=1.0, text="") for x in costed]
    place(ax, [last], obstacles=[*line[-50:], *roof[-50:]])
    return ax


def _finding(history: pd.DataFrame, sampler: str, *, is_exact: bool) -> str:
    if history.empty:
        return f"{sampler}: the share of the exact front is not known"
    last = history.iloc[-1]
    whose = "exact front" if is_exact else "front it ended with"
    share, costed = percent(float(last["hypervolume_share"]), 1), int(last["num_costed"])
    return f"{sampler} found {share} of the {whose}'s hypervolume with {costed:,} designs"
