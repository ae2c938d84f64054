"""Layer rows made fit for a picture: alike layers together, the longest first."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

import numpy as np
import pandas as pd

from dse.plots.style import plain

_DIGITS = 6


def together(layers: pd.DataFrame) -> pd.DataFrame:
    """Return layer rows with layers that cost the same added up, in the order of the network.

    Parameters
    ----------
    layers
        Layer rows. Two are alike if bound, MACs, time, DRAM bytes and every cause are equal.

    Returns
    -------
    DataFrame
        name (``conv2_1 +2 alike``), bound, operational_intensity, why, num_layers, and the sums of
        macs, latency_s, dram_bytes and of the ``time_*_s`` columns.
    """
    sums = [c for c in layers if c in ("macs", "latency_s", "dram_bytes") or _is_cause(str(c))]
    kept = [c for c in ("name", "bound", "operational_intensity", "why") if c in layers]
    key = layers[sums].map(lambda value: float(f"{value:.{_DIGITS}g}"))
    if "bound" in layers:
        key = key.assign(bound=layers["bound"])
    number = key.groupby(list(key.columns), sort=False, dropna=False).ngroup()
    groups = layers.groupby(number.to_numpy(), sort=False)
    merged = groups[kept].first().join(groups[sums].sum())
    merged = merged.assign(num_layers=groups.size()).reset_index(drop=True)
    names = zip(merged["name"].astype(str), merged["num_layers"], strict=True)
    return merged.assign(name=[f"{n} +{k - 1} alike" if k > 1 else n for n, k in names])


def longest_first(layers: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the rows with the longest time, longest first; all others added up in a last row."""
    ordered = layers.sort_values("latency_s", ascending=False, kind="stable", ignore_index=True)
    if len(ordered) <= most:
        return ordered
    rest = ordered.iloc[most - 1 :]
    sums = {
        str(c): rest[c].sum() for c in rest if c in ("latency_s", "num_layers") or _is_cause(str(c))
    }
    last = {"name": f"{int(sums['num_layers'])} other layers", **sums}
    return pd.concat([ordered.iloc[: most - 1], pd.DataFrame([last])], ignore_index=True)


def _is_cause(column: str) -> bool:
    return column.startswith("time_") and column.endswith("_s")


def short_names(names: Iterable[object], width: int) -> list[str]:
    """Return names as drawable lines of some `width`; those that differ stay different.

    A name is cut in the middle; names that would become alike are cut around what differs.
    """
    whole = [plain(str(name)) for name in names]
    short = [plain(name, width) for name in whole]
    for text in {x for x in short if short.count(x) > 1}:
        rows = [row for row, x in enumerate(short) if x == text]
        for row, cut in zip(rows, _cut_around([whole[row] for row in rows], width), strict=True):
            short[row] = cut
    return short


def _cut_around(names: Sequence[str], width: int) -> list[str]:
    """Return names that differ in their middle with that middle and some of their ends."""
    if len(set(names)) == 1:
        return [plain(name, width) for name in names]
    before = _num_alike(names)
    after = _num_alike([name[before:][::-1] for name in names])
    cuts = []
    for name in names:
        middle = name[before : len(name) - after]
        room = max(width - len(middle) - 2, 0)
        head, tail = min(room // 2, before), min(room - room // 2, after)
        end = name[len(name) - tail :] if tail else ""
        lines = name[:head], "…" if head < before else "", plain(middle, width)
        cuts.append("".join((*lines, "…" if tail < after else "", end)))
    return cuts


def _num_alike(names: Sequence[str]) -> int:
    """Return how many characters the names have alike at their start."""
    columns = zip(*names, strict=False)
    return sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, columns))


def bound_shares(layers: pd.DataFrame) -> dict[str, float]:
    """Return the share of the time of each kind of bound, largest first."""
    total = float(layers["latency_s"].sum())
    if not (np.isfinite(total) and total > 0):
        return {}
    shares = layers.groupby("bound", sort=True)["latency_s"].sum() / total
    return {str(k): float(v) for k, v in shares.sort_values(ascending=False, kind="stable").items()}
