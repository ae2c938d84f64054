"""NVDLA: DRAM KiB and MAC cycles of each layer of ResNet-50, at three buffer sizes.

Source: NVDLA_OpenSource_Performance.xlsx, initial public release, 2017-09-25 (github.com/nvdla/hw
perf), copied in data/nvdla_resnet50_layers.csv: KiB at 512 KiB of buffer are stored values of the
workbook, those at 256 and 128 KiB were computed with its rules.

Machine: `nvdla` as configured, with the schedule of the workbook, nothing fitted; network:
`resnet50_nvdla`, as the workbook has it.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.evidence import LAW, Choice
from experiments.nvdla import WORKLOAD

MACHINE = "NVDLA"
KIND = LAW  # of the workbook, whose rules are the schedule of the machine
CHOSEN_ON: tuple[Choice, ...] = ()
BUFFERS_KIB = (512, 256, 128)
CYCLES = "cycles_2048_macs"

_TABLE = pd.read_csv(DATA / "nvdla_resnet50_layers.csv").set_index("layer")
PUBLISHED = pd.DataFrame(
    {f"dram_bytes_{x}_kib": _TABLE[f"dram_kib_buffer_{x}"] * 1024 for x in BUFFERS_KIB}
    | {CYCLES: _TABLE["mac_cycles_2048"]}
).rename_axis(index=None)
TOLERANCE = 1e-6  # equal: KiB are printed with three digits after the point


def run() -> pd.DataFrame:
    """Evaluate the network with each buffer; layers that are fused into others have no row."""
    network, ours = dse.load_workload(WORKLOAD), {}
    for kib in BUFFERS_KIB:
        chip = dse.load_accelerator("nvdla", buffer_bytes=kib * 1024)
        rows = dse.evaluate(network, chip).layers.set_index("name").loc[PUBLISHED.index]
        ours[f"dram_bytes_{kib}_kib"] = rows["dram_bytes"]
    return pd.DataFrame(ours | {CYCLES: rows["cycles"].astype(float)}).rename_axis(index=None)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw the DRAM bytes of each layer and buffer against the workbook's."""
    parts = [
        pd.DataFrame(
            {
                "label": ours.index,
                "series": f"{kib} KiB",
                "published": PUBLISHED[f"dram_bytes_{kib}_kib"].to_numpy(),
                "predicted": ours[f"dram_bytes_{kib}_kib"].to_numpy(),
            }
        )
        for kib in BUFFERS_KIB
    ]
    table = pd.concat(parts, ignore_index=True)
    is_equal = (table["predicted"] / table["published"] - 1).abs() <= TOLERANCE
    return predicted_figure(
        table,
        name="dram_bytes",
        finding=f"{is_equal.sum()} of {len(table)} layers and buffers move the bytes that NVDLA's "
        "workbook says",
        bands=(0.05,),
        num_labels=0,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
