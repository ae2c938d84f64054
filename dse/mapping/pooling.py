"""Pooling that a machine does before it writes: the layer ahead writes what pooling leaves."""

from collections.abc import Mapping
from dataclasses import replace

from dse.hardware import Accelerator
from dse.workload import Layer, Workload


def with_fused_pooling(network: Workload, chip: Accelerator) -> Workload:
    """Return the network as a machine runs it that pools before it writes.

    Parameters
    ----------
    network
        What runs. A pooling layer is fused if all that it reads are whole outputs of layers with
        MACs that nothing else reads: of the layers that its edges name, or where the network has
        no edges of the layer just ahead, if their elements add up to its own.
    chip
        The machine; without `pooling_is_fused` the network is returned as it is, and where the
        constraints of a layer say no, its output is written as it is.

    Returns
    -------
    Workload
        With ``pooled_elements`` of the layers ahead, and ``is_fused`` of the pooling layers, which
        keep their places.
    """
    if not chip.pooling_is_fused:
        return network
    layers = {layer.name: layer for layer in network.layers}
    ahead = dict(zip(list(layers)[1:], layers, strict=False))
    for name, pool in layers.items():
        if pool.op != "pool":
            continue
        writers = [layers[x] for x in _writers(network, name, ahead)]
        if _may_fuse(pool, writers, chip):
            layers[name] = replace(pool, is_fused=True)
            for one in writers:
                left = one.map_elements * pool.output_elements // pool.input_elements
                layers[one.name] = replace(one, pooled_elements=left)
    return replace(network, layers=tuple(layers.values()))


def _writers(network: Workload, name: str, ahead: Mapping[str, str]) -> list[str]:
    """Return the layers that write the input of a layer; none if another layer reads it too."""
    if not network.edges:
        return [ahead[name]] if name in ahead else []
    writers = [writer for reader, writer in network.edges if reader == name]
    is_shared = any(reader != name and writer in writers for reader, writer in network.edges)
    return [] if is_shared else writers


def _may_fuse(pool: Layer, writers: list[Layer], chip: Accelerator) -> bool:
    """Whether pooling takes whole outputs of layers with MACs, in equal parts, and makes less."""
    return (
        0 < pool.output_elements <= pool.input_elements
        and bool(writers)
        and sum(one.map_elements for one in writers) == pool.input_elements
        and all(one.has_macs and one.repeat == pool.repeat for one in writers)
        and all(
            one.map_elements * pool.output_elements % pool.input_elements == 0 for one in writers
        )
        and all(chip.constraints.of(one.name).pooling_is_fused is not False for one in writers)
    )
