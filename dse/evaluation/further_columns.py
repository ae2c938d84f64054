"""Columns of a layer's row that follow from others: parts of its energy, a bound on its bytes."""

from typing import Any

from dse.cost.area import area_mm2
from dse.cost.energy import dram_pj_per_bit, mac_scale
from dse.hardware import Accelerator
from dse.mapping.nest.orders import compulsory_bits
from dse.workload import Layer


def with_further_columns(
    row: dict[str, Any], layer: Layer, chip: Accelerator, area_scale: float
) -> dict[str, Any]:
    """Return a row of layers.csv with parts of the energy and the bound with shared weights once.

    Parameters
    ----------
    row
        As `dse.evaluation.one_layer.layer_row` returns it; ``why`` stays last.
    layer, chip
        What is computed, on what.
    area_scale
        Area of a MAC relative to one of 8 by 8 bits, for the leakage.
    """
    technology = chip.technology
    scale = float(mac_scale(layer.input_bits, layer.weight_bits))
    buffers = chip.on_chip_bytes
    area = float(area_mm2(chip.num_macs, buffers, technology, scale=area_scale))
    leakage_w = technology.leakage_w_per_mm2.value * area
    added = {
        "energy_mac_pj": row["macs"] * scale * technology.mac_pj.value,
        "energy_dram_pj": row["dram_bytes"] * 8 * dram_pj_per_bit(chip),
        "energy_leakage_pj": leakage_w * row["latency_s"] * 1e12,
        "lower_bound_shared_bytes": _bound_with_shared_weights(row, layer, chip),
    }
    return {**{name: x for name, x in row.items() if name != "why"}, **added, "why": row["why"]}


def _bound_with_shared_weights(row: dict[str, Any], layer: Layer, chip: Accelerator) -> float:
    """Return a lower bound on the bytes if runs that share their weights fetch those once."""
    runs = layer.repeat
    if runs == 1 or not (layer.sequential and layer.has_macs) or layer.weight_is_activation:
        return float(row["lower_bound_bytes"])
    weights = compulsory_bits(layer, chip)["weight"] / 8
    once = row["compulsory_bytes"] - (runs - 1) * weights
    return float(max(once, row["lower_bound_bytes"] / runs))
