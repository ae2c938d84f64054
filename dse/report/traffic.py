"""What every buffer size would do for a network's DRAM traffic: the rows of traffic.csv."""

from pathlib import Path

import numpy as np
import pandas as pd

from dse.evaluation.bounds import compulsory_bytes, lower_bounds_bytes
from dse.evaluation.overheads import macless_bits
from dse.evaluation.result import Evaluation
from dse.hardware import Accelerator
from dse.hardware.memory import copies_of_a_tile
from dse.mapping.question import Question
from dse.mapping.table import table_of
from dse.network.as_run import layer_runs
from dse.plots import curves
from dse.plots.curves import COLUMNS, thinned
from dse.report.csv_files import write_csv
from dse.workload import Layer


def write_traffic(folder: Path, evaluation: Evaluation) -> None:
    """Write traffic.csv."""
    table = traffic_table(evaluation)
    write_csv(folder / "traffic.csv", table)


def traffic_table(evaluation: Evaluation) -> pd.DataFrame:
    """Return the least traffic of a network and of its largest layers for every buffer size.

    Each layer runs by itself: nothing stays on the chip between layers, whatever the machine says.

    Parameters
    ----------
    evaluation
        Of the network on a machine; all of its buffers count together.

    Returns
    -------
    DataFrame
        Columns `dse.plots.curves.COLUMNS`: ``buffer_bytes`` is what the machine must have, twice
        what tiles take if double buffered; ``layer`` is empty in the rows of the network,
        else the name of the first of the layers that are alike. Layers without MACs move the same
        bytes on any machine, and are in the network's rows only.
    """
    network, chip = evaluation.workload, evaluation.accelerator
    alike: dict[tuple[object, ...], list[Layer]] = {}
    runs = layer_runs(network, chip)
    for run in runs:
        if run.layer.has_macs:
            alike.setdefault(run.layer.key, []).append(run.layer)
    if not alike:
        return pd.DataFrame(columns=list(COLUMNS))
    groups = {_name(layers): layers for layers in alike.values()}
    table = curves.traffic_table(
        {name: layer_curve(layers[0], chip) for name, layers in groups.items()},
        {name: sum(layer.repeat for layer in layers) for name, layers in groups.items()},
        buffer_bytes=chip.on_chip_bytes,
    )
    fixed = sum(
        sum(macless_bits(run, chip).values()) / 8 * run.count
        for run in runs
        if not run.layer.has_macs
    )
    table.loc[table["layer"] == "", list(COLUMNS[2:])] += fixed
    return table


def _name(alike: list[Layer]) -> str:
    """Return the name of layers of one shape, as pictures and tables write it."""
    return f"{alike[0].name} +{len(alike) - 1} alike" if len(alike) > 1 else alike[0].name


def layer_curve(layer: Layer, chip: Accelerator) -> pd.DataFrame:
    """Return one run of a layer: buffer_bytes rising, its least DRAM bytes, and their bounds."""
    share = copies_of_a_tile(chip.transfers)
    sizes, traffic = table_of(layer, chip, Question.least_traffic()).least_traffic()
    curve = thinned(pd.DataFrame({"buffer_bytes": share * sizes, "dram_bytes": traffic}))
    whole_bytes = np.ceil(curve["buffer_bytes"].to_numpy(float))
    return curve.assign(
        lower_bound_bytes=lower_bounds_bytes(layer, chip, whole_bytes),
        compulsory_bytes=compulsory_bytes(layer, chip),
    )
