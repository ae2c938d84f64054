"""AlexNet and FCN-8 on Xilinx' DPU, node by node: measured time on two boards, and DRAM bytes.

Source: Profiling a CNN Using DNNDK or VART with Vitis AI, a tutorial of Xilinx
(github.com/Xilinx/Vitis-Tutorials, Machine_Learning/Feature_Tutorials/02-profiling-example,
README.md: Vitis AI 1.3 of 2021-01-14 at commit c165951, Vitis AI 1.2 at commit a5efcec):
fine-grained profiles of one B4096 core on a ZCU102. Copied in data/dpu_profile.csv. The operations
of every node are those of our layers, to all printed digits.

Machine: `dpu`, the parallelism, ports and block RAM of PG338 (8 x 16 x 16 MACs). The clock is the
281 MHz that Xilinx documents for this board's image (UG1354, model zoo); the utilisation in the
profile is of 300 MHz, a field of the core, and is not compared: at 300 MHz the times of the MACs
would be 6.3 % less. Fitted on AlexNet's fc7 and fc8, two constants a board, and these rows are not
counted: the efficiency of the DRAM (0.80 and 0.59; UG1354 has two versions of the board, for
different memories) and what a node takes whatever it does (12 and 16 us). latency_s is that of the
fastest mapping; dram_bytes that of the one with the least traffic, against the printed memory of
code, parameters and maps, where it has two digits. Its maps are those after pooling.

What the misses teach. In conv6 and conv7 the DPU takes the sum of MACs and transfer (3.05 and 0.081
ms, measured 3.11 and 0.088), while both overlap in layers with larger maps: the model has one rule
for all. It halves the buffer for whole layers, where the DPU keeps 590 KB of weights beside its
tiles. And it reads the input of a transposed convolution once for each phase of its stride.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments import dpu
from experiments.comparison import DATA, report
from experiments.evidence import ALL, FITTED, MEASURED, MODEL, Choice

MACHINE = "Xilinx DPU B4096"
KIND = {
    **dict.fromkeys(("latency_s", "latency_slower_dram_s"), MEASURED),
    "dram_bytes": MODEL,  # printed by the compiler
}
CHOSEN_ON = (
    Choice(
        rule="share of the ports' rate, and what a node takes to start, two a board",
        on="fc7 and fc8 of AlexNet, not counted",
        how=FITTED,
    ),
    Choice(
        rule="maps are written after pooling",
        on="the printed memory",
        rows=ALL,
        columns=("dram_bytes",),
    ),
)
EFFICIENCY_FITTED_ON, START_FITTED_ON = ("alexnet", "fc7"), ("alexnet", "fc8")
BOARDS = {"latency_s": "time_1_3_ms", "latency_slower_dram_s": "time_1_2_ms"}

_ALL = pd.read_csv(DATA / "dpu_profile.csv").set_index(["network", "node"])
_COUNTED = _ALL.drop(index=[EFFICIENCY_FITTED_ON, START_FITTED_ON])
_HAS_DIGITS = _COUNTED["mem_mib"] >= 0.1
PUBLISHED = pd.DataFrame(
    {
        **{column: _COUNTED[name] / 1e3 for column, name in BOARDS.items()},
        "dram_bytes": _COUNTED["mem_mib"].where(_HAS_DIGITS) * 2**20,
    }
)
TOLERANCE = 0.15  # what the field expects of an analytic model
_SERIAL = "the time of the MACs plus that of the transfer: not overlapped where maps are 7 x 7"
_HALF = "half of the memory, as double buffering has it, holds neither map nor weights whole"
_PHASES = "each phase of the stride reads the whole input again in the model"
_ADDITION = "its bytes take 5 to 8 us of it; at what rate the DPU adds is not published"
_FEW = "12 channels: what such a node takes beyond its start, bytes and MACs is not published"
_TIMES, _BYTES = tuple(BOARDS), ("dram_bytes",)
_REASONS = {
    _SERIAL: (("conv6", "conv7"), _TIMES),
    _HALF: (("block3_conv2", "block3_conv3"), _BYTES),
    _PHASES: (("conv2d_transpose_1",), (*_TIMES, *_BYTES)),
    _ADDITION: (("add_layer_add_1",), _TIMES),
    _FEW: (("conv2d_transpose_3",), _TIMES),
    f"{_PHASES}, 64 phases": (("conv2d_transpose_3",), _BYTES),
    f"{_FEW} (8 us)": (("conv2d_transpose_2",), _TIMES[:1]),
}
MISSED = {
    (("fcn8", node), column): reason
    for reason, (nodes, columns) in _REASONS.items()
    for node in nodes
    for column in columns
}


def networks() -> dict[str, dse.Workload]:
    """Return the two networks of the profile."""
    return {"alexnet": dpu.alexnet(), "fcn8": dpu.network("fcn8")}


def fitted(board: str) -> tuple[float, float]:
    """Return the efficiency of a board's DRAM, and the time that a node takes to start. [s]."""
    measured = _ALL[BOARDS[board]] / 1e3
    chip = dpu.core(dse.load_accelerator("dpu").clock_hz, efficiency=1.0)
    ideal = dpu.nodes(dpu.alexnet(), chip, "dram_bytes")["dram_bytes"] / chip.dram_rate_bytes_per_s
    large, small = ideal[EFFICIENCY_FITTED_ON[1]], ideal[START_FITTED_ON[1]]
    # time = start + ideal / efficiency, of two rows
    inverse = (measured[EFFICIENCY_FITTED_ON] - measured[START_FITTED_ON]) / (large - small)
    return float(1 / inverse), float(measured[START_FITTED_ON] - small * inverse)


def run() -> pd.DataFrame:
    """Fit each board on its two rows, and evaluate the nodes of both networks."""
    clock_hz, ours = dse.load_accelerator("dpu").clock_hz, {}
    for board in BOARDS:
        efficiency, start_s = fitted(board)
        chip = dpu.core(clock_hz, efficiency)
        found = {name: dpu.nodes(whole, chip) for name, whole in networks().items()}
        ours[board] = pd.concat(found)["latency_s"] + start_s
    least = {
        name: dpu.nodes(whole, dpu.core(clock_hz), "dram_bytes")
        for name, whole in networks().items()
    }
    ours["dram_bytes"] = pd.concat(least)["dram_bytes"]
    return pd.DataFrame(ours).loc[PUBLISHED.index].where(PUBLISHED.notna())


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times, of the board with the faster memory."""
    table = pd.DataFrame(
        {
            "label": PUBLISHED.index.get_level_values("node"),
            "series": PUBLISHED.index.get_level_values("network").map(
                {"alexnet": "AlexNet", "fcn8": "FCN-8 (VGG-16)"}
            ),
            "published": PUBLISHED["latency_s"].to_numpy(),
            "predicted": ours["latency_s"].to_numpy(),
        }
    )
    return predicted_figure(
        table,
        name="latency_s",
        finding="A DPU's convolutions take the time of their MACs",
        bands=(0.05, 0.15),
        num_labels=6,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
