"""Matrix products on machines of many cores, of which a data sheet is all that is known."""

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import FOLDER
from experiments.plots import compared

MACHINE_FILE = FOLDER / "machines" / "matrix_engine.yaml"
TOLERANCE = 0.15  # as other measured times
WHY_MISSED = "held out: what a call costs, and what share of the peak is reached, is not printed"


def product_s(m: int, k: int, n: int, *, bits: int, chip: dse.Accelerator) -> float:
    """Return the time of a product of m x k by k x n. [s]."""
    own = {"input": bits, "weight": bits, "output": bits, "psum": 32}
    widths = {f"{key}_bits": value for key, value in own.items()}
    layer = dse.Layer(name="product", oy=m, c=k, k=n, **widths)
    return dse.evaluate(dse.Workload(name="product", layers=(layer,)), chip).latency_s


def figure_of(published: pd.DataFrame, ours: pd.DataFrame, *, finding: str) -> Figure:
    """Draw predicted against measured times of products, one marker a device."""
    index = published.index.to_frame(index=False)
    label = index["m"].astype(str) + " x " + index["k"].astype(str) + " x " + index["n"].astype(str)
    table = compared(published["latency_s"], ours["latency_s"], label=label, series="device")
    return predicted_figure(table, name="latency_s", finding=finding, bands=(0.15, 0.5))
