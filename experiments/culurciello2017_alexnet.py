"""AlexNet on Snowflake, layer by layer: DRAM traffic and time with the published row tiles.

Source: Culurciello et al., Snowflake, 2017-05-01 (github.com/euge-blog/euge-blog.github.io): table
Performance on AlexNet, copied in data/snowflake.csv; figure Data movements of maps and weights for
AlexNet, read by pixel position (+-4 KiB maps, +-30 KiB weights), in data/snowflake_traffic.csv.

The schedule is given (conf/mapping/snowflake_alexnet.yaml), not searched: 4 row tiles in layer 1
and 3 in the others (inferred from the halo rows in the figure; why three is not published), all
weights sent again for each of them. Outputs are written after pooling in layers 2 and 5, and before
it in layer 1, as the figure has them.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.evidence import ALL, MEASURED, MODEL, Choice
from experiments.snowflake import scheduled

MACHINE = "Snowflake"
KIND = {
    **dict.fromkeys(("weight_bytes", "map_bytes"), MODEL),  # a figure, not said to be measured
    "latency_s": MEASURED,
}
CHOSEN_ON = (
    Choice(
        rule="tiles of rows, and which layers are written after pooling",
        on="the bytes of the same figure",
        rows=ALL,
        columns=("weight_bytes", "map_bytes"),
    ),
)
KIB = 1024

_TIMES = pd.read_csv(DATA / "snowflake.csv").query("network == 'alexnet_owt' and layer != 'total'")
_READ = pd.read_csv(DATA / "snowflake_traffic.csv").query("layer != 'total'")
PUBLISHED = pd.DataFrame(
    {
        "weight_bytes": _READ["weights_kib_from_figure"].to_numpy() * KIB,
        "map_bytes": _READ["maps_kib_from_figure"].to_numpy() * KIB,
        "latency_s": _TIMES["actual_time_ms"].to_numpy() / 1e3,
    },
    index=[f"conv{layer}" for layer in _READ["layer"]],
).astype(float)
TOLERANCE = 0.02  # the figure can be read to 1 to 2 %, the table gives three digits
MISSED = {
    ("conv1", "latency_s"): (
        "the 33 words of a row of the window take 48 slots of a vector unit, 68.75 % (published "
        "69.87 %: two of 55 columns reach over the padding and take 32, which an axis of channels "
        "and filter columns does not know), and the first tile of rows is not hidden"
    ),
}


def run() -> pd.DataFrame:
    """Cost each layer under its schedule; maps are inputs and outputs."""
    rows = scheduled()
    return pd.DataFrame(
        {
            "weight_bytes": rows["dram_bytes_weight"],
            "map_bytes": rows["dram_bytes"] - rows["dram_bytes_weight"],
            "latency_s": rows["latency_s"],
        }
    ).rename_axis(index=None)


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against published bytes."""
    names = {"weight_bytes": "weights", "map_bytes": "maps"}
    points = [
        {
            "label": f"{layer} {name}",
            "series": name,
            "published": PUBLISHED.loc[layer, column],
            "predicted": ours.loc[layer, column],
        }
        for column, name in names.items()
        for layer in ours.index
    ]
    return predicted_figure(
        pd.DataFrame(points),
        name="dram_bytes",
        finding="Snowflake's traffic follows from row tiles and from pooling before writing",
        bands=(0.02, 0.1),
        num_labels=2,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
