"""NVDLA: what each rule of its schedule costs or gains, in frames per second of ResNet-50.

Source: NVDLA Primer, Example Area and Performance with NVDLA (nvdla.org/primer.html; github.com/
nvdla/doc doc/primer.rst), for the column of all rules; the rules are those of the workbook of
nvdla/hw perf. All other columns are ours: one rule is switched off in turn.

Machine: `nvdla` as configured but for the rule; network: `resnet50_nvdla`. Rules do not add up:
where the DRAM is the limit, a rule of cycles is hidden behind it. The mapper has no Winograd and
rounds nothing up but what its tiles and its array do.
"""

import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from experiments import nvdla
from experiments.comparison import report
from experiments.evidence import DOUBLE, Choice
from experiments.nvdla2017_resnet50 import MISSED as ROUNDED
from experiments.plots import changes_figure

MACHINE = "NVDLA"
KIND = DOUBLE  # of nvdla2017_resnet50
CHOSEN_ON: tuple[Choice, ...] = ()
ALL, MAPPER = "all rules", "the mapper in place of the schedule"


def _without(**rules: Any) -> dict[str, Any]:
    return {"schedule": rules}


WITHOUT: Mapping[str, dict[str, Any]] = {
    ALL: {},
    "output channels not rounded up to 128": _without(multiples={"cycles": {"k": None}}),
    "input channels not rounded up to 16 in cycles": _without(multiples={"cycles": {"c": None}}),
    "channels not rounded up to 16 in bytes": _without(
        multiples={"input": None, "weight": None, "output": None}
    ),
    "no Winograd": _without(winograd=None),
    "strides not folded into channels": _without(strides_are_folded=False),
    "input always kept": _without(kept="input"),
    "weights always kept": _without(kept="weight"),
    "1 kernel at least, not 32": _without(least={"weight": 1}),
    "32 kernels, however much of the buffer": _without(least_share={"weight": None}),
    "pooling apart": {"pooling_is_fused": False},
    "additions apart": {"additions_are_fused": False},
    "GB/s of 10^9 bytes": {"dram": {"kilobyte_bytes": 1000}},
    MAPPER: {"schedule": None},
}
"""A rule that is switched off, as changes of the accelerator."""

_SIZES = nvdla.sizes()
PUBLISHED = pd.DataFrame(float("nan"), index=_SIZES.index, columns=list(WITHOUT))
PUBLISHED[ALL] = _SIZES["published_fps"].astype(float)
TOLERANCE = 0.01
MISSED = {(size, ALL): why for (size, _), why in ROUNDED.items()}


def run() -> pd.DataFrame:
    """Cost the seven sizes with each rule switched off."""
    found = {x: nvdla.costs(**changes)["throughput_per_s"] for x, changes in WITHOUT.items()}
    return pd.DataFrame(found)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw the change of the frames by each rule, one marker a size."""
    changes = ours.drop(columns=ALL).T / ours[ALL] - 1
    return changes_figure(
        changes,
        finding="NVDLA: with small buffers, folded strides and 32 kernels at once cost most; the "
        "mapper gains more than any rule",
        detail="-100 %: nothing fits, as 32 kernels of some layer leave no room for the input.",
        axis="Change of frames per second without the rule",
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
