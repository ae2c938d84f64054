"""NVDLA: frames per second of ResNet-50 over MACs, convolution buffer and DRAM bandwidth.

Source: NVDLA Primer, Example Area and Performance with NVDLA (nvdla.org/primer.html; github.com/
nvdla/doc doc/primer.rst), copied in data/nvdla.csv and data/nvdla_primer.csv. It is an estimate of
NVIDIA's, not silicon: the workbook of nvdla/hw perf gives its column of frames to rounding. The
workbook's own numbers (data/nvdla.csv) are compared, too.

Machine: `nvdla` as configured, with the schedule of the workbook, nothing fitted; network:
`resnet50_nvdla`, as the workbook has it. The workbook takes DRAM cycles as KiB * 1000 / (GB/s), so
that its 20 GB/s are 20e6 KiB/s (`dram.kilobyte_bytes: 1024`); with 10^9 bytes/s the frames are up
to 2.1 % fewer (nvdla2017_rules). The mapper's frames are those of the same MACs, buffer and DRAM
without the schedule: what better mapping would gain, with no Winograd.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

from dse.plots import predicted_figure
from experiments import nvdla
from experiments.comparison import report
from experiments.evidence import LAW, Choice

MACHINE = "NVDLA"
KIND = LAW  # an estimate with the rules that are the schedule of the machine
CHOSEN_ON: tuple[Choice, ...] = ()

_SIZES = nvdla.sizes()
PUBLISHED = pd.DataFrame(
    {
        "throughput_per_s": _SIZES["published_fps"].astype(float),
        "workbook_throughput_per_s": _SIZES["estimator_fps"],
        "workbook_dram_bytes": _SIZES["estimator_dram_mib_per_frame"] * 2**20,
        "mapper_throughput_per_s": float("nan"),
        "mapper_dram_bytes": float("nan"),
    }
)
TOLERANCE = {
    "throughput_per_s": 0.01,
    "workbook_throughput_per_s": 0.001,  # printed with three to four digits
    "workbook_dram_bytes": 0.0005,  # printed with four digits
    "mapper_throughput_per_s": 0.0,  # nothing is published
    "mapper_dram_bytes": 0.0,
}
_ROUNDED = "printed with two digits: ours, {}, which is the workbook's, rounds to it"
MISSED = {
    ("256 MACs, 256 KiB", "throughput_per_s"): _ROUNDED.format("46.48"),
    ("32 MACs, 128 KiB", "throughput_per_s"): _ROUNDED.format("3.648"),
}


def run() -> pd.DataFrame:
    """Cost the seven sizes with the machine's own rules, and with the mapper."""
    own, mapped = nvdla.costs(), nvdla.costs(schedule=None)
    ours = pd.DataFrame(
        {
            "throughput_per_s": own["throughput_per_s"],
            "workbook_throughput_per_s": own["throughput_per_s"],
            "workbook_dram_bytes": own["dram_bytes_per_inference"],
        }
    ).where(PUBLISHED[PUBLISHED.columns[:3]].notna())
    return ours.assign(
        mapper_throughput_per_s=mapped["throughput_per_s"],
        mapper_dram_bytes=mapped["dram_bytes_per_inference"],
    )


def figure(ours: pd.DataFrame) -> Figure:
    """Draw frames per second with the machine's rules, and with the mapper, against published."""
    own = "the machine's own schedule"
    columns = {own: "throughput_per_s", "the mapper instead": "mapper_throughput_per_s"}
    published = PUBLISHED["throughput_per_s"]
    parts = [
        pd.DataFrame(
            {
                "label": ours.index,
                "series": series,
                "published": published.to_numpy(),
                "predicted": ours[column].to_numpy(),
            }
        )
        for series, column in columns.items()
    ]
    return predicted_figure(
        pd.concat(parts, ignore_index=True),
        name="throughput_per_s",
        finding="With NVDLA's own rules the frames are those published; better mapping "
        "would gain 27 to 90 %",
        bands=(0.02,),
        num_labels=7,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
