"""SCALE-Sim's cycles of a weight-stationary systolic array, on the convolutions of ResNet-18.

Source: Samajdar et al., A Systematic Methodology for Characterizing Scalability of DNN Accelerators
using SCALE-Sim, ISPASS 2020: on R rows and C columns a fold of the weights, with T vectors streamed
through it, takes 2R + C + T - 2 cycles, and the last one cycle less. Printed cycles are this closed
form, not read from a table.

Machine: `systolic`, with 32 x 32 MACs and an unlimited DRAM, and the closed form's own fill of
2R + C - 2 cycles a pass (as configured, `fill_cycles: array`, loading weights is hidden). What is
compared is that our tiles and passes are its folds: the model counts the last cycle too.
"""

import sys
from math import ceil

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import report
from experiments.evidence import LAW, Choice
from experiments.plots import compared

MACHINE = "SCALE-Sim, weight stationary"
KIND = LAW
CHOSEN_ON: tuple[Choice, ...] = ()
SIDE = 32
FILL = 3 * SIDE - 2

_LAYERS = {x.name: x for x in dse.load_workload("resnet18").layers if x.has_macs and x.name != "fc"}


def folded_cycles(layer: dse.Layer) -> int:
    """Return the closed form for one layer."""
    folds = ceil(layer.c * layer.fy * layer.fx / SIDE) * ceil(layer.k / SIDE)
    return folds * (FILL + layer.oy * layer.ox) - 1


PUBLISHED = pd.DataFrame(
    {"cycles": [float(folded_cycles(x)) for x in _LAYERS.values()]}, index=list(_LAYERS)
)
TOLERANCE = 1e-3  # one cycle


def run() -> pd.DataFrame:
    """Count the cycles of the fastest mapping of each layer."""
    chip = dse.load_accelerator(
        "systolic",
        array_rows=SIDE,
        array_columns=SIDE,
        fill_cycles=FILL,
        dram_part=None,
        dram_bytes_per_s=1e18,
        buffer_bytes=2**26,
    )
    network = dse.load_workload("resnet18")
    rows = dse.evaluate(network, chip).layers.set_index("name")
    cycles = rows["cycles"] / rows["repeat"]
    return pd.DataFrame({"cycles": cycles.loc[list(_LAYERS)]}).rename_axis(index=None)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against published cycles."""
    table = compared(PUBLISHED["cycles"] / 1e3, ours["cycles"] / 1e3, label=ours.index)
    return predicted_figure(
        table,
        name="Time of the array (thousand cycles)",
        finding="The passes of the model are the folds of SCALE-Sim",
        bands=(0.01,),
        num_labels=1,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
