"""NVDLA and the sizes that its primer prints, as several experiments run them."""

from typing import Any

import pandas as pd

import dse
from experiments.comparison import DATA

WORKLOAD = "resnet50_nvdla"


def sizes() -> pd.DataFrame:
    """Return the seven sizes of the primer, largest first, one row each, by a name of the size.

    The first four columns of costs that are published only for four sizes are NaN for the others.
    """
    files = ("nvdla.csv", "nvdla_primer.csv")
    table = pd.concat([pd.read_csv(DATA / x) for x in files], ignore_index=True)
    table = table.sort_values("macs", ascending=False)
    names = [
        f"{m} MACs, {k} KiB" for m, k in zip(table["macs"], table["conv_buffer_kib"], strict=True)
    ]
    return table.set_axis(pd.Index(names), axis=0)


def designs() -> pd.DataFrame:
    """Return the seven sizes as designs of the machine."""
    table = sizes()
    return pd.DataFrame(
        {
            "macs": table["macs"],
            "buffer_bytes": table["conv_buffer_kib"] * 1024,
            "dram_bytes_per_s": table["dram_bandwidth_gb_s"] * 1e9,
        }
    )


def costs(**changes: Any) -> pd.DataFrame:
    """Return the costs of the seven sizes, of a machine with other rules if `changes` says so."""
    chip = dse.load_accelerator("nvdla", **changes)
    return dse.evaluate_designs(dse.load_workload(WORKLOAD), chip, designs())
