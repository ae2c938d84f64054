"""DRAM traffic of AlexNet on Snowflake, layer by layer, with the published row tiles.

Source: Culurciello et al., Snowflake, 2017-05-01, figure Data movements of maps and weights for
AlexNet, read by pixel position (+-4 KiB maps, +-30 KiB weights); the image is in
github.com/euge-blog/euge-blog.github.io. Copied in data/snowflake_traffic.csv.

The schedule is given, not searched: 4 row tiles in layer 1 and 3 in the others (inferred from the
halo rows in the figure; why three is not published), all weights sent again for each of them.
"""

import sys

import pandas as pd
from matplotlib.figure import Figure

from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.snowflake import ROW_TILES, scheduled_row

MACHINE = "Snowflake"
KIB = 1024

_READ = pd.read_csv(DATA / "snowflake_traffic.csv").query("layer != 'total'")
PUBLISHED = pd.DataFrame(
    {
        "weight_bytes": _READ["weights_kib_from_figure"].to_numpy() * KIB,
        "map_bytes": _READ["maps_kib_from_figure"].to_numpy() * KIB,
    },
    index=[f"conv{layer}" for layer in _READ["layer"]],
).astype(float)
TOLERANCE = 0.02  # the figure can be read to 1 to 2 %
_POOLED = "pooled before it is written; the model does not fuse pooling, and writes the larger map"
MISSED = {("conv2", "map_bytes"): _POOLED, ("conv5", "map_bytes"): _POOLED}


def run() -> pd.DataFrame:
    """Count the bytes of each layer under its schedule; maps are inputs and outputs."""
    rows = [scheduled_row(name) for name in ROW_TILES]
    return pd.DataFrame(
        {
            "weight_bytes": [row["dram_bytes_weight"] for row in rows],
            "map_bytes": [row["dram_bytes"] - row["dram_bytes_weight"] for row in rows],
        },
        index=list(ROW_TILES),
    )


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
        finding="Snowflake's traffic follows from its row tiles, but where it pools before writing",
        bands=(0.02, 0.1),
        num_labels=2,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
