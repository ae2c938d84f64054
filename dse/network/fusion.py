"""Pooling and additions that a machine does before it writes, in the layer with MACs ahead."""

from collections.abc import Mapping
from dataclasses import replace

from dse.hardware import Accelerator
from dse.workload import Layer, Workload


def fused_layers(network: Workload, chip: Accelerator) -> tuple[tuple[Layer, ...], frozenset[str]]:
    """Return the layers of a network on a machine that pools, or adds, before it writes.

    Parameters
    ----------
    network
        What runs. Where it has no edges, each layer is taken to read that just ahead alone.

        A pooling layer is fused if all that it reads are whole outputs of layers with MACs that
        nothing else reads, if their elements add up to its own.

        An addition is fused into the last of the layers that it reads, if that has MACs, nothing
        else reads it, and it writes as many elements as the addition; what else the addition
        reads is read from the DRAM as outputs leave.

        A layer that is fused stands for the one that does its work, so that chains are fused.
    chip
        The machine; without `pooling_is_fused` and `additions_are_fused` no layer is fused, and
        where the constraints of a layer forbid pooling, its output is written as it is.

    Returns
    -------
    The layers in their places, with ``pooled_elements`` and ``added_elements`` of those that do the
    work of others, and the names of the pooling layers and additions whose work others do.
    """
    fuse = {"pool": chip.pooling_is_fused, "add": chip.additions_are_fused}
    layers = {layer.name: layer for layer in network.layers}
    ahead = dict(zip(list(layers)[1:], layers, strict=False))
    host: dict[str, str] = {}  # of a fused layer, the one that does its work
    fused = set()
    for name, one in layers.items():
        if not fuse.get(one.op, False):
            continue
        names = _writers(network, name, ahead)
        hosts = [layers[host.get(x, x)] for x in names]
        if one.op == "pool":
            changed = _pooled(network, one, names, hosts, chip)
        else:
            changed = _added(network, one, names, hosts)
        if changed:
            layers |= {layer.name: layer for layer in changed}
            fused.add(name)
            if len(changed) == 1:
                host[name] = changed[0].name
    return tuple(layers.values()), frozenset(fused)


def _writers(network: Workload, name: str, ahead: Mapping[str, str]) -> list[str]:
    """Return the layers that write the input of a layer, in their order."""
    if not network.edges:
        return [ahead[name]] if name in ahead else []
    writers = {writer for reader, writer in network.edges if reader == name}
    return [layer.name for layer in network.layers if layer.name in writers]


def _is_shared(network: Workload, name: str, writer: str) -> bool:
    """Whether another layer reads what a layer writes, too, or it leaves the network."""
    is_read = any(reader != name and written == writer for reader, written in network.edges)
    return is_read or writer in network.results


def _pooled(
    network: Workload, pool: Layer, names: list[str], hosts: list[Layer], chip: Accelerator
) -> list[Layer]:
    """Return the layers that pool whole outputs, in equal parts, to less; none if they do not."""
    may_fuse = (
        0 < pool.output_elements <= pool.input_elements
        and sum(one.written_elements for one in hosts) == pool.input_elements
        and all(one.has_macs and one.repeat == pool.repeat for one in hosts)
        and all(x.written_elements * pool.output_elements % pool.input_elements == 0 for x in hosts)
        and all(chip.constraints.of(one.name).pooling_is_fused is not False for one in hosts)
        and not any(_is_shared(network, pool.name, x) for x in names)
    )
    if not may_fuse:
        return []
    left = [one.written_elements * pool.output_elements // pool.input_elements for one in hosts]
    return [replace(one, pooled_elements=x) for one, x in zip(hosts, left, strict=True)]


def _added(network: Workload, add: Layer, names: list[str], hosts: list[Layer]) -> list[Layer]:
    """Return the layer that adds before it writes; none if no layer can."""
    if not names or _is_shared(network, add.name, names[-1]):
        return []
    one = hosts[-1]
    is_like = (
        one.has_macs and one.repeat == add.repeat and one.written_elements == add.output_elements
    )
    more = add.input_elements - one.written_elements
    if not is_like or more < 0:
        return []
    elements, zeros = one.added_elements + more, add.input_zeros
    if one.added_elements and one.added_zeros != zeros:
        zeros = (one.added_elements * one.added_zeros + more * zeros) / elements
    return [replace(one, added_elements=elements, added_zeros=zeros)]
