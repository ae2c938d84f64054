"""The network as a machine runs it: which layers are fused, and equal ones counted once."""

from dataclasses import dataclass, replace

from dse.hardware import Accelerator
from dse.network.fusion import fused_layers
from dse.workload import Layer, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRun:
    """A layer as a machine runs it, and how often.

    Attributes
    ----------
    layer
        What is computed. What pooling leaves of its output, and what is added to it before it is
        written, stay fields of the layer: its mappings depend on them, and so do the keys under
        which they are stored.
    count
        Runs of this layer, or of all layers that equal it.
    is_fused
        Whether the layer ahead does the work of this one before it writes: it then moves nothing
        and takes no time.
    """

    layer: Layer
    count: int
    is_fused: bool = False

    @property
    def pooled_elements(self) -> int:
        """Output elements that pooling leaves before they are written; 0 without. [elements]."""
        return self.layer.pooled_elements

    @property
    def added_elements(self) -> int:
        """Elements that are added to the output before it is written. [elements]."""
        return self.layer.added_elements


def layer_runs(network: Workload, chip: Accelerator) -> tuple[LayerRun, ...]:
    """Return each layer of a network in its place, as a machine runs it.

    Parameters
    ----------
    network, chip
        What runs, on what; of the machine only its array and its rules count.
    """
    layers, fused = fused_layers(network, chip)
    return tuple(
        LayerRun(layer=layer, count=layer.repeat, is_fused=layer.name in fused) for layer in layers
    )


def as_run(network: Workload, chip: Accelerator) -> tuple[LayerRun, ...]:
    """Return the distinct layers of a network as a machine runs them.

    Layers are equal if they have the same shape and given mapping, and are fused alike; the first
    of them stands for all, and counts their runs.

    Parameters
    ----------
    network, chip
        As for `layer_runs`.
    """
    return distinct(layer_runs(network, chip), chip)


def run_key(run: LayerRun, chip: Accelerator) -> tuple[object, ...]:
    """Return what two runs that take the same on a machine have in common."""
    return run.layer.key, run.is_fused, chip.constraints.of(run.layer.name)


def distinct(runs: tuple[LayerRun, ...], chip: Accelerator) -> tuple[LayerRun, ...]:
    """Return runs of which no two are equal, as `as_run` does."""
    found: dict[tuple[object, ...], LayerRun] = {}
    for run in runs:
        key = run_key(run, chip)
        known = found.get(key)
        found[key] = run if known is None else replace(known, count=known.count + run.count)
    return tuple(found.values())
