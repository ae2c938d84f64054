"""A layer on the array of a machine: what mappings are sought for."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.errors import DseError
from dse.hardware import Accelerator
from dse.mapping.nest.cycles import CycleCounter
from dse.mapping.nest.dram_bits import weights_fetched
from dse.workload import Layer

MOST = int(np.iinfo(np.int64).max) // 4
"""The largest number of bits or cycles of a layer."""


@dataclass(frozen=True)
class LayerOnArray:
    """A layer with MACs and a machine; of the machine only its array and its rules count.

    Attributes
    ----------
    layer
        What is computed.
    chip
        On what; its constraints are those of this layer.
    """

    layer: Layer
    chip: Accelerator

    @classmethod
    def of(cls, layer: Layer, chip: Accelerator) -> "LayerOnArray":
        """Return a layer on a machine, under the constraints that hold for this layer.

        Raises
        ------
        DseError
            If the layer has no MACs, or is too large to count in 64 bits.
        """
        _check(layer, chip)
        return cls(layer, chip.for_layer(layer.name))

    @cached_property
    def counter(self) -> CycleCounter:
        """What counts the cycles of tiles."""
        return CycleCounter(self.layer, self.chip)


def _check(layer: Layer, chip: Accelerator) -> None:
    """Check that a layer has mappings, and none with more bits or cycles than are counted."""
    if not layer.has_macs:
        raise DseError(f"layer {layer.name!r} has no MACs ({layer.op}), and no mapping")
    if layer.macs * 4 * 1024 > MOST:
        raise DseError(f"layer {layer.name!r} has {layer.macs:.2e} MACs, too many to count exactly")
    fill = chip.fill_cycles_per_pass
    if layer.macs * (1 + fill) > MOST:
        raise DseError(
            f"accelerator {chip.name!r}.fill_cycles = {fill} must be less: after each of up to "
            f"{layer.macs:.2e} passes of layer {layer.name!r} they are too many to count exactly"
        )
    weights = weights_fetched(layer, chip) * layer.weight_bits
    if weights * layer.b * layer.oy * layer.ox > MOST:
        raise DseError(
            f"accelerator {chip.name!r}.weight_granules must be smaller: the weights of layer "
            f"{layer.name!r}, filled up to them, are too many bits to count exactly"
        )
