"""Layer rows made fit for a picture: alike layers together, the longest first."""

import pandas as pd

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
