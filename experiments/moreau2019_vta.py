"""VTA on an FPGA board, layer by layer, each under the schedule that TVM's tuner chose for it.

Source: measured times and schedules in github.com/tlc-pack/tophub, tophub/vta_v0.10.log (commit
87836a4), copied in data/vta.csv: all convolutions of ResNet-18 and ResNet-50 on two builds of VTA
(1 x 16 x 16 and 4 x 8 x 8 MACs, named by their buffers: pynq_1x16_i8w8a32_15_15_18_17 and
pynq_4x8_i8w8a32_15_16_16_18), and of AlexNet, VGG and a MobileNet of groups of 16 on the first.
Left out: the rows headed Yolo-tiny, whose times and time stamps are those of other layers, copied,
and transposed convolutions, which multiply the zeros that they insert. Schedules: loop order and
loads of vta/python/vta/top/vta_conv2d.py (apache/tvm, commit 023d853). Operations after the sums:
vta/scripts/tune_resnet.py (commit 00a28cf). The machine is Moreau et al., IEEE Micro 2019.

Machine: `vta`, for the second build with its sizes. Mappings are given whole: tiles, order and
unrolling; the two virtual threads are the halves of each buffer, and all schedules fit in them.
Where a tile holds all input channels VTA loads it for each output tile all the same; such layers
are given as two tiles of half the channels, which move just that.

Fitted: the share of the port's rate that is delivered on the 512 to 512 layer of ResNet-18 on the
first build, and the launch of a call on the smallest call, the product of an LSTM cell; neither is
counted.

The times of 9 and 10 August are a quantity of their own (august_s), as something else is in them:
the 512 to 512 layer under the same schedule took 8.35 ms then and 7.35 in July. Our times taken
off, it is some 50 ns an output in ResNet-50, AlexNet and VGG alike; nothing says what.
"""

import sys
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report

MACHINE = "VTA (FPGA)"
IS_SLOW = True  # 83 layers, each mapped by itself
BUILDS = {
    "1x16": {},
    "4x8": {
        "images": 4,
        "array_rows": 8,
        "array_columns": 8,
        "input_bytes": 65536,
        "buffer_bytes": 65536,
        "sums_bytes": 262144,
    },
}
FITTED_ON = {"efficiency": ("1x16", "resnet18", "512 to 512, 3x3, 7 x 7"), "launch": "lstm_cell"}
WITH_MORE = ("2019-08-09", "2019-08-10")
TOLERANCE = 0.15  # what the field asks for


def _named(row: pd.Series) -> str:
    channels = f"{row['c']} to {row['k']}"
    if row["groups"] > 1:
        channels = f"{row['groups']} groups of {row['c']}"
    stride = f" every {row['stride']}" if row["stride"] > 1 else ""
    side = (row["rows"] - 1) // row["stride"] + 1
    return f"{channels}, {row['filter']}x{row['filter']}{stride}, {side} x {side}"


_TABLE = pd.read_csv(DATA / "vta.csv")
_TABLE["layer"] = _TABLE.apply(_named, axis=1)
_TABLE = _TABLE.set_index(["machine", "network", "layer"])
_COUNTED = _TABLE.drop(index=FITTED_ON["launch"], level="network")
_COUNTED = _COUNTED.drop(index=[FITTED_ON["efficiency"]])
_HAS_MORE = _COUNTED["measured"].isin(WITH_MORE)
PUBLISHED = pd.DataFrame(
    {
        "latency_s": _COUNTED["seconds"].where(~_HAS_MORE),
        "august_s": _COUNTED["seconds"].where(_HAS_MORE),
    }
)

_AUGUST = "some 50 ns an output besides, in these two days alone; cause not published"
_GROUPS = "13 to 33 us a tile besides: each is one load and few MACs, which wait for each other"
_LOADS = "few MACs for each load, in short runs, which wait for each other; not modelled"
_FASTER = "reads at 48 to 57 % of the port's rate, where the fitted layer reads at 41"
WAITING = {
    "1x16": {"128 to 256, 1x1 every 2, 14 x 14", "256 to 512, 1x1 every 2, 7 x 7"},
    "4x8": {
        "64 to 128, 1x1 every 2, 28 x 28",
        "64 to 256, 1x1, 56 x 56",
        "256 to 128, 1x1, 56 x 56",
        "512 to 128, 1x1, 28 x 28",
    },
}
FASTER = {
    "256 to 512, 1x1 every 2, 7 x 7",
    "1024 to 256, 1x1, 14 x 14",
    "2048 to 512, 1x1, 7 x 7",
}
UNMOVED = {
    "512 to 512, 3x3 every 2, 7 x 7",
    "512 to 512, 3x3, 7 x 7",
    "2048 to 512, 1x1, 7 x 7",
}


def reason_of_miss(row: pd.Series) -> str:
    """Return why a layer is missed; "" if it is not."""
    build, _, layer = row.name
    if row["measured"] in WITH_MORE:
        return "" if layer in UNMOVED else _AUGUST
    if row["groups"] > 1:
        return _GROUPS
    if layer in WAITING[build]:
        return _LOADS
    return _FASTER if build == "4x8" and layer in FASTER else ""


MISSED = {
    (name, "august_s" if row["measured"] in WITH_MORE else "latency_s"): reason
    for name, row in _COUNTED.iterrows()
    if (reason := reason_of_miss(row))
}


def layer_of(row: pd.Series) -> dse.Layer:
    """Return a published layer; its paddings leave the rows of its input over its stride."""
    sides = {"oy": (row["rows"] - 1) // row["stride"] + 1, "iy": row["rows"]}
    sides |= {f"{name[0]}x": size for name, size in sides.items()}
    window = dict.fromkeys(("fy", "fx"), int(row["filter"]))
    window |= dict.fromkeys(("stride_y", "stride_x"), int(row["stride"]))
    window |= dict.fromkeys(("pad_y", "pad_x"), int(row["filter"]) // 2)
    loops = {"b": row["batch"], "g": row["groups"], "k": row["k"], "c": row["c"]}
    numbers = {name: int(size) for name, size in (loops | sides | window).items()}
    return dse.Layer(name="layer", **numbers)


def mapping_of(row: pd.Series, images: int) -> dict[str, Any]:
    """Return the published schedule as a given mapping."""
    channels = int(row["tile_c"])
    if channels == row["c"] and row["groups"] == 1:
        channels //= 2  # loaded again for each output tile, as if they were cut
    tile = {"b": images, "g": 1, "k": row["tile_k"], "c": channels}
    tile |= {"oy": row["tile_rows"], "ox": row["tile_columns"]}
    tile |= dict.fromkeys(("fy", "fx"), row["filter"])
    return {
        "tile": {loop: int(size) for loop, size in tile.items()},
        "order": ["b", "oy", "g", "k", "ox", "c", "fy", "fx"],
        "unrolled": ["b", "c", "k"],
    }


def machine_of(build: str) -> dse.Accelerator:
    """Return one of the two builds."""
    return dse.load_accelerator("vta", **BUILDS[build])


def latency_s(row: pd.Series, chip: dse.Accelerator) -> float:
    """Return the time of a layer under its published schedule."""
    network = dse.Workload(name="layer", batch=1, layers=(layer_of(row),))
    given = mapping_of(row, chip.axis_sizes[0])
    return dse.evaluate(network, chip, mapping=given).latency_s


def run() -> pd.DataFrame:
    """Evaluate each layer under its own schedule."""
    chips = {build: machine_of(build) for build in BUILDS}
    seconds = [latency_s(row, chips[name[0]]) for name, row in _COUNTED.iterrows()]
    ours = pd.Series(seconds, index=PUBLISHED.index)
    return pd.DataFrame({key: ours.where(PUBLISHED[key].notna()) for key in PUBLISHED})


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    index = PUBLISHED.index
    names = {"latency_s": "", "august_s": ", 9 and 10 August"}
    parts = [
        pd.DataFrame(
            {
                "label": index.get_level_values("layer"),
                "series": [f"{build}{more}" for build, _, _ in index],
                "published": PUBLISHED[column].to_numpy(),
                "predicted": ours[column].to_numpy(),
            }
        ).dropna()
        for column, more in names.items()
    ]
    return predicted_figure(
        pd.concat(parts, ignore_index=True),
        name="latency_s",
        finding="VTA under its compiler's schedules: as predicted, but on two days",
        bands=(0.15,),
        num_labels=3,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
