"""NVDLA: area and power of its sizes, each by constants that were fitted without it.

Source: NVDLA Primer, Example Area and Performance with NVDLA (nvdla.org/primer.html; github.com/
nvdla/doc doc/primer.rst), copied in data/nvdla.csv and data/nvdla_primer.csv: seven areas at 28 nm,
four areas and powers at 16 nm, without DRAM.

The constants of node28 and node16 are fits over these rows, so they prove nothing here. Instead:

- area at 28 nm: the model's own form (fixed part, MACs, KiB), its three constants fitted by
  relative least squares to the six *other* sizes;
- the same with upper bounds from TPU v1 (Jouppi et al., ISCA 2017: 0.00126 mm2 a MAC, 0.0045 mm2 a
  KiB, no fixed part), which no row of NVDLA entered;
- area at 16 nm: that area at 28 nm times the ratio of the nodes at the other three sizes;
- average power: the model's own form (pJ a MAC, W a mm2), fitted to the other three sizes;
- average and peak power as a fixed part and a part of each MAC, busy or not, fitted likewise. The
  cost model has no such term: it would take the average of other networks for the same.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dse.arrays import FloatArray
from dse.config.catalogue import catalogue
from dse.cost.area import area_mm2
from dse.cost.energy import energy_pj, power_w
from dse.technology import Constant, Technology
from experiments import nvdla
from experiments.comparison import report
from experiments.evidence import ALL, FITTED, MODEL, Choice
from experiments.plots import ratio_figure

MACHINE = "NVDLA"
KIND = MODEL
CHOSEN_ON = (
    Choice(
        rule="area and average power of the model's own form",
        on="the other sizes, each left out in turn",
        how=FITTED,
    ),
    Choice(
        rule="power as a fixed part and a part of each MAC",
        on="all sizes, as the model's own form misses them",
        rows=ALL,
        columns=("average_power_by_size_w", "peak_power_by_size_w"),
    ),
)
MACS_PER_FRAME = 3.8965e9  # of the workbook's network
TPU_MM2 = (0.0, 0.001263, 0.0045)  # fixed part, a MAC, a KiB: TPU v1, as in the docstring

_SIZES = nvdla.sizes()
PUBLISHED = pd.DataFrame(
    {
        "area_28nm_mm2": _SIZES["area_28nm_mm2"],
        "area_28nm_from_tpu_v1_mm2": _SIZES["area_28nm_mm2"],
        "area_16nm_mm2": _SIZES["area_16nm_mm2"],
        "average_power_w": _SIZES["power_average_16nm_mw"] / 1e3,
        "average_power_by_size_w": _SIZES["power_average_16nm_mw"] / 1e3,
        "peak_power_by_size_w": _SIZES["power_peak_16nm_mw"] / 1e3,
    }
)
TOLERANCE = 0.1
_BOUND = "TPU v1's bounds have no fixed part, and were divided by 65,536 MACs and 24 MiB at once"
_AREA = "as at 28 nm, where the other sizes say 9 % less; the ratio of the nodes adds 1 %"
_ACTIVE = (
    "the printed average is 0.38 of the printed peak at every size, though 44 to 71 % of the MACs "
    "are used; the model's power follows the MACs done each second, and leakage the area"
)
MISSED = {
    **{(size, "area_28nm_from_tpu_v1_mm2"): _BOUND for size in _SIZES.index.drop(_SIZES.index[4])},
    (_SIZES.index[2], "area_16nm_mm2"): _AREA,
    **{(size, "average_power_w"): _ACTIVE for size in _SIZES.index[[0, 2, 4, 6]]},
}


def fitted(terms: Sequence[FloatArray], values: FloatArray, left_out: int) -> FloatArray:
    """Return constants of a sum of terms by relative least squares without one row."""
    rows = np.arange(len(values)) != left_out
    scaled = np.stack(terms, axis=1)[rows] / values[rows, None]
    return np.linalg.lstsq(scaled, np.ones(rows.sum()), rcond=None)[0]


def without_each(terms: Sequence[FloatArray], values: FloatArray) -> list[FloatArray]:
    """Return, for each row, the constants that the other rows give."""
    return [fitted(terms, values, place) for place in range(len(values))]


def _node(node: str, **values: float) -> Technology:
    """Return a node with other constants."""
    own = catalogue().technologies[node]
    changed = {
        key: Constant(value=x, low=min(x, 0.0), high=max(x, 0.0), source="of this experiment")
        for key, x in values.items()
    }
    return replace(own, **changed)  # type: ignore[arg-type]


def _areas(constants: Sequence[Sequence[float]]) -> FloatArray:
    """Return the area of each size with constants of its own, by the cost model. [mm2]."""
    keys = ("area_fixed_mm2", "area_mm2_per_mac", "area_mm2_per_kib")
    nodes = [_node("node28", **dict(zip(keys, map(float, x), strict=True))) for x in constants]
    sizes = zip(_SIZES["macs"], _SIZES["conv_buffer_kib"] * 1024, nodes, strict=True)
    return np.array([float(area_mm2(macs, size, node)) for macs, size, node in sizes])


def _power(table: pd.DataFrame) -> FloatArray:
    """Return the average power of each size by the cost model, DRAM left out. [W]."""
    macs_per_s = (table["published_fps"] * MACS_PER_FRAME).to_numpy()
    area, known = table["area_16nm_mm2"].to_numpy(), table["power_average_16nm_mw"].to_numpy() / 1e3
    found = []
    for place, (picojoules, watts) in enumerate(without_each([macs_per_s * 1e-12, area], known)):
        node = _node("node16", mac_pj=picojoules, leakage_w_per_mm2=watts)
        leakage = node.leakage_w_per_mm2.value * area[place]
        energy = energy_pj(
            macs_per_s[place], 0, 1, mac_pj=node.mac_pj.value, dram_pj_per_bit=0, leakage_w=leakage
        )
        found.append(float(power_w(energy, 1)))
    return np.array(found)


def _by_size(table: pd.DataFrame, column: str) -> FloatArray:
    """Return a fixed part and a part of each MAC, fitted to the other sizes. [W]."""
    known, macs = table[column].to_numpy() / 1e3, table["macs"].to_numpy(float)
    each = without_each([np.ones_like(macs), macs], known)
    return np.array([a + b * n for (a, b), n in zip(each, macs, strict=True)])


def run() -> pd.DataFrame:
    """Predict each size by constants of the others."""
    sizes, four = _SIZES, _SIZES.dropna(subset="area_16nm_mm2")
    macs, kib = sizes["macs"].to_numpy(float), sizes["conv_buffer_kib"].to_numpy(float)
    area = _areas(without_each([np.ones_like(macs), macs, kib], sizes["area_28nm_mm2"].to_numpy()))
    ours = pd.DataFrame({"area_28nm_mm2": area}, index=sizes.index)
    ours["area_28nm_from_tpu_v1_mm2"] = _areas([TPU_MM2] * len(sizes))
    ratio = four["area_16nm_mm2"] / four["area_28nm_mm2"]
    others = (ratio.sum() - ratio) / (len(ratio) - 1)
    ours["area_16nm_mm2"] = ours["area_28nm_mm2"] * others
    for column, values in (
        ("average_power_w", _power(four)),
        ("average_power_by_size_w", _by_size(four, "power_average_16nm_mw")),
        ("peak_power_by_size_w", _by_size(four, "power_peak_16nm_mw")),
    ):
        ours[column] = pd.Series(values, index=four.index)
    return ours


def figure(ours: pd.DataFrame) -> Figure:
    """Draw ours over published for each size."""
    return ratio_figure(
        PUBLISHED,
        ours,
        finding="NVDLA's area follows from its other sizes to 10 %; its power from the number of "
        "MACs, not from the MACs done",
        band=0.1,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
