"""YOLOv5s on one core of the NPU in Rockchip's RK3588, node by node: DRAM bytes and time.

Source: a manual of bit-brick (github.com/bit-brick/bit-brick-docs at commit 7f882f0, file
i18n/zh/docusaurus-plugin-content-docs/current/k1_pro_ssom/k1_pro_ml/env/rknn_toolkit2.mdx): what
rknn-toolkit2 1.5.0 prints of a LubanCat board, ``eval_perf`` with ``perf_debug``. All 82 rows are
in data/rk3588_yolov5s.csv; the 78 nodes of the NPU are compared, those of the CPU have no bytes or
MACs. The print has slipped in one column: the bytes (RW) of a node stand in the row above it. Only
so do they hold its operands: Conv_59 alone has weights of 1152 KiB, and Concat_13 the 3200 KiB of
its maps; and only so do the 78 nodes add up to the 88.49 MB that it prints as their sum. Its NPU
cycles are our MACs over 1024, exactly, in all 60 convolutions.

The bytes are counted by the vendor's tool from the tasks that its compiler made; no counter of the
chip. Each task adds 1 KiB for its registers, which are not modelled (0.2 to 0.5 %). The times are
measured; nodes that are alike differ by up to 1.6 times (Conv_39, Conv_44, Conv_49, Conv_88 and
Conv_118 are the same: 136, 133, 214, 201 and 123 us).

Machine: machines/rk3588_npu.yaml. The rate of the DRAM is the vendor's own, the print's bytes over
its DDR cycles. Fitted is one constant, what a node takes whatever it does, on the time of Concat_70
(54 us); this time is not counted.

What the bytes teach. The nodes whose operands do not fit into 384 KiB are fetched as often as the
least traffic needs: with each operand once, Conv_59 would take 1752 KiB, it is 2916 published and
2914 here; Conv_79 1112, 1626 and 1512; Conv_127 1076, 1664 and 1537. What the times teach: nodes
with few MACs take the time of their bytes, at the vendor's rate; 3x3 convolutions take longer than
the larger of MACs and bytes, by about the fetch of their input: the model has no rule for a machine
that waits for its input and not for its weights and outputs.
"""

import sys
from math import prod

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots.experiments import predicted
from dse.plots.labels import place
from dse.plots.style import look, new_figure, title
from dse.workload.lowering import lower_transposed
from experiments.comparison import DATA, FOLDER, report
from experiments.evidence import ALL, FITTED, MEASURED, MODEL, Choice
from experiments.plots import compared

MACHINE = "RK3588 NPU (one core)"
KIND = {"dram_bytes": MODEL, "latency_s": MEASURED}  # bytes are the vendor's count
CHOSEN_ON = (
    Choice(rule="what a node takes whatever it does", on="Concat_70, not counted", how=FITTED),
    Choice(rule="the rate of the DRAM", on="bytes over DDR cycles of every row", how=FITTED),
    Choice(
        rule="overlap of transfers, halos fetched again, fused additions",
        on="all nodes of the profile",
        rows=ALL,
    ),
)
MACHINE_FILE = FOLDER / "machines" / "rk3588_npu.yaml"
FITTED_ON = "Concat_70"
BITS = dict.fromkeys(("input_bits", "weight_bits", "output_bits", "psum_bits"), 8)
WITHOUT_MACS = {"Concat": "copy", "MaxPool": "pool"}
ON_CPU = ("InputOperator", "OutputOperator")

_ROWS = pd.read_csv(DATA / "rk3588_yolov5s.csv").set_index("node")
_ROWS["kib"] = _ROWS["rw_kib_of_next_row"].shift(1)
_NODES = _ROWS[~_ROWS["type"].isin(ON_CPU)]
PUBLISHED = pd.DataFrame(
    {
        "dram_bytes": _NODES["kib"] * 1024,
        "latency_s": (_NODES["time_us"] / 1e6).drop(FITTED_ON).reindex(_NODES.index),
    }
)
TOLERANCE = 0.15  # what the field expects of an analytic model
_BYTES, _TIME = "dram_bytes", "latency_s"
_PHASES = "each of the four phases of its stride reads the whole input in the model"
_SLOW = "in a stretch of the print (rows 45 to 64) in which nodes take up to 1.6 times as long as"
_REASONS = {
    "why pooling reads more than its map is not published; its time is met": (
        *((f"MaxPool_{number}", _BYTES) for number in (75, 76, 77)),
    ),
    _PHASES: (("Resize_84_2deconv", _BYTES), ("Resize_100_2deconv", _BYTES)),
    "how the NPU multiplies by inserted zeros, and how long that takes, is not published": (
        ("Resize_100_2deconv", _TIME),
    ),
    "the fetch of its input takes most of the difference: not overlapped with its MACs": (
        *((f"Conv_{number}", _TIME) for number in (16, 22, 27, 35, 46, 59, 71, 127, 139)),
    ),
    "1.6 times as long as Conv_39 and Conv_44, which are alike: cause unknown": (
        ("Conv_49", _TIME),
    ),
    f"{_SLOW} nodes elsewhere that are alike": (
        *((f"Concat_{number}", _TIME) for number in (85, 94, 101, 110)),
        *((f"Conv_{number}", _TIME) for number in (88, 90, 102, 104, 111)),
    ),
    f"{_SLOW} elsewhere, and no other node is like it": (
        *((f"Conv_{number}", _TIME) for number in (86, 92, 106, 113, 141)),
    ),
    "390 us, where Concat_32, which moves the same bytes without MACs, takes 372": (
        ("Conv_6", _TIME),
    ),
}
MISSED = {place: reason for reason, places in _REASONS.items() for place in places}


def shapes(text: str) -> list[tuple[int, ...]]:
    """Return shapes that are written as 1x64x80x80; 64x64x3x3."""
    return [tuple(int(size) for size in shape.split("x")) for shape in text.split("; ")]


def layers_of(name: str, row: pd.Series) -> tuple[dse.Layer, ...]:
    """Return a node as layers, named by it up to a point."""
    inputs, output = shapes(row["inputs"]), shapes(row["output"])[0]
    if row["type"] in WITHOUT_MACS:
        elements = {"input_elements": sum(map(prod, inputs)), "output_elements": prod(output)}
        return (dse.Layer(name=name, op=WITHOUT_MACS[row["type"]], **elements, **BITS),)
    (_, channels, height, width), (kernels, per_group, rows, columns) = inputs[:2]
    stride = max(height // output[2], output[2] // height)
    window = {"fy": rows, "fx": columns, "stride_y": stride, "stride_x": stride}
    padding = {"pad_y": (rows - 1) // 2, "pad_x": (columns - 1) // 2}
    pixels = {"oy": output[2], "ox": output[3], "iy": height, "ix": width}
    shape = window | padding | pixels | BITS
    if row["type"] == "ConvTranspose":
        return lower_transposed({"name": name, "g": channels, **shape})
    convolution = dse.Layer(name=name, k=kernels, c=per_group, **shape)
    if row["type"] != "ConvReluAdd":
        return (convolution,)
    sums = {"input_elements": 2 * prod(output), "output_elements": prod(output)}
    return convolution, dse.Layer(name=f"{name}.add", op="add", **sums, **BITS)


def network() -> dse.Workload:
    """Return the nodes that the NPU runs: YOLOv5s with ReLU, 640 x 640."""
    layers = tuple(layer for name, row in _NODES.iterrows() for layer in layers_of(name, row))
    return dse.Workload(name="yolov5s_relu", layers=layers)


def run() -> pd.DataFrame:
    """Evaluate the nodes, and fit what each takes beside on one of them."""
    layers = dse.evaluate(network(), dse.load_accelerator(MACHINE_FILE)).layers
    node = layers["name"].str.partition(".")[0]
    ours = layers.groupby(node, sort=False)[list(PUBLISHED.columns)].sum()
    start_s = _NODES.loc[FITTED_ON, "time_us"] / 1e6 - ours.loc[FITTED_ON, "latency_s"]
    ours["latency_s"] += start_s
    return ours.loc[PUBLISHED.index].where(PUBLISHED.notna())


def kind(row: pd.Series) -> str:
    """Return what a node is, in words."""
    if not row["type"].startswith("Conv"):
        return "No MACs"
    if row["type"] == "ConvTranspose":
        return "Transposed"
    return "1 x 1" if row["inputs"].split("; ")[1].endswith("x1x1") else "3 x 3, 6 x 6"


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against published bytes, and against measured times."""
    with look():
        figure = new_figure(11.0, 5.9)
        title(
            figure,
            "RK3588: the least traffic is what its compiler moves; 3 x 3 layers wait for input",
            "YOLOv5s, nodes of one core. Bytes as the vendor counts them, times measured. Shaded: "
            "within 15 %.",
        )
        axes = figure.subplots(1, 2)
        points = []
        for ax, column in zip(axes, PUBLISHED.columns, strict=True):
            table = compared(
                PUBLISHED[column],
                ours[column],
                label=_NODES.index,
                series=[kind(row) for _, row in _NODES.iterrows()],
            )
            points.append(predicted(ax, table, name=column, bands=(TOLERANCE,)))
        for ax, own, num_labels in zip(axes, points, (3, 5), strict=True):
            place(ax, own[:num_labels], obstacles=own)
    return figure


if __name__ == "__main__":
    report(sys.modules[__name__])
