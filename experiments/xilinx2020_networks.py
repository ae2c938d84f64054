"""Networks of Xilinx' model zoo on one DPU core: end-to-end latency on ZCU102 and ZCU104.

Source: Vitis AI Model Zoo, README of Vitis AI 1.1 (github.com/Xilinx/Vitis-AI,
AI-Model-Zoo/README.md at commit 0504cc7), tables Performance on ZCU102 (0432055-05), 281 MHz, and
on ZCU104, 300 MHz: latency of one thread, so of one B4096 core. Copied in data/dpu_networks.csv:
all networks whose shapes and operations are those of one in conf/workload.

Machine: `dpu` as configured, nothing fitted here; on ZCU104 at its clock. The published time is end
to end: the processor's part (fetching the image, softmax) is in it and not in the model. It is
small for ResNet-50, whose core alone was measured at 12.2 to 12.6 ms on ZCU104 (github.com/Xilinx/
Vitis-AI-Tutorials, Design_Tutorials/16-profiler_introduction, commit 61eedaa).

What the misses teach. MACs and transfer do not overlap where maps are 7 x 7, as xilinx2021_layers
shows by node: with their sum in these layers ResNet-50 would take 11.2 ms on ZCU104 (10 % less than
measured, not 21), ResNet-18 5.3 (5 % more). Depthwise layers run on an engine of 4 pixels x 16
channels (PG338), and the model has one array for all layers, which gives them twice that rate: 0.25
of the 1.0 ms by which MobileNet v1 is low; 12 us a node, as in that profile, would be 0.34 more.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

import dse
from experiments import dpu
from experiments.comparison import DATA, report
from experiments.evidence import FITTED, MEASURED, Choice
from experiments.plots import ratio_figure

MACHINE = "Xilinx DPU B4096"
KIND = MEASURED
CHOSEN_ON = (
    Choice(rule="share of the ports' rate", on="fc7 of AlexNet in xilinx2021_layers", how=FITTED),
)
CLOCKS_HZ = {"ZCU102": 281e6, "ZCU104": 300e6}

_TABLE = pd.read_csv(DATA / "dpu_networks.csv")
_TABLE.index = pd.Index(_TABLE["name"].str.replace("_imagenet_224_224", ""))
_MEASURED_S = {board: _TABLE[f"{board.lower()}_ms"] / 1e3 for board in CLOCKS_HZ}
PUBLISHED = pd.DataFrame({"latency_s": pd.concat(_MEASURED_S, names=["board", "network"])})
TOLERANCE = 0.15  # what the field expects of an analytic model
_DEPTHWISE = (
    "depthwise layers take an engine of 64 MACs a cycle, which the model does not have; nor has it "
    "what each node takes to start, and the processor's part"
)
_SERIAL = "MACs and transfer of 7 x 7 maps do not overlap; their sum would be 10 to 13 % low"
_REASONS = {
    "cf_resnet50_7.7G": _SERIAL,
    "cf_mobilenetv2_0.59G": _DEPTHWISE,
    "tf_mobilenetv1_1.0_1.14G": _DEPTHWISE,
    "tf_mobilenetv2_1.0_0.59G": _DEPTHWISE,
}
MISSED = {
    ((board, name), "latency_s"): reason for board in CLOCKS_HZ for name, reason in _REASONS.items()
}


def run() -> pd.DataFrame:
    """Evaluate the networks at the clock of each board."""
    seconds = []
    for board, name in PUBLISHED.index:
        network = dpu.network(str(_TABLE.loc[name, "workload"]))
        seconds.append(dse.evaluate(network, dpu.core(CLOCKS_HZ[board])).latency_s)
    return pd.DataFrame({"latency_s": seconds}, index=PUBLISHED.index)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw ours over published for each network, one marker a board."""
    return ratio_figure(
        PUBLISHED["latency_s"].unstack("network", sort=False),
        ours["latency_s"].unstack("network", sort=False),
        finding="A DPU's networks: depthwise layers and 7 x 7 maps take longer than predicted",
        detail="End-to-end latency, one core.",
        band=TOLERANCE,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
