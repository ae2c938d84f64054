"""The tensors of a network: what layers write, who reads it, and what may stay on the chip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dse.network.as_run import LayerRun
from dse.workload import Workload, bits_of

MOST_CROSSING = 5
"""Tensors that may cross a cut between layers and be on the chip or not, each as it pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """That a layer reads a tensor.

    Attributes
    ----------
    run
        Place of the layer that reads.
    operand
        As what: ``input``, ``weight`` (of attention), or ``added`` before the output is written.
    elements
        How many elements of that operand are of the tensor.
    """

    run: int
    operand: str
    elements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTensor:
    """What a layer writes.

    Attributes
    ----------
    name, writer
        Name and place of the layer that writes it.
    elements, bits
        Its size. [elements, bits]
    reads
        Who reads it, in the order of the layers.
    may_stay
        Whether it may be on the chip between layers: nothing that is repeated by itself writes or
        reads it, all reads are known, none is as weights, and it is no result of the network.
    """

    name: str
    writer: int
    elements: int
    bits: int
    reads: tuple[Read, ...] = ()
    may_stay: bool = True

    @property
    def is_result(self) -> bool:
        """Whether nobody reads it: it leaves the network through the DRAM."""
        return not self.reads


def tensors_of(network: Workload, runs: Sequence[LayerRun]) -> tuple[NetworkTensor, ...]:
    """Return the tensors of a network as a machine runs it, in the order of their writers.

    Parameters
    ----------
    network
        What runs. A plain list without edges must be a chain: if it is none, nothing is known of
        who reads a tensor, and none may stay.
    runs
        Its layers, as `dse.network.as_run.layer_runs` returns them.
    """
    place = {run.layer.name: number for number, run in enumerate(runs)}
    writers = _writers(network, runs, place)
    reads: dict[int, list[Read]] = {number: [] for number in range(len(runs))}
    for number, run in enumerate(runs):
        if not run.is_fused:
            for writer, read in _reads(number, writers[number], runs):
                reads[writer].append(read)
    for number, run in enumerate(runs):
        if run.is_fused and run.layer.op != "pool":
            _read_by_host(writers[number], runs, reads)
    results = frozenset(network.results)
    return tuple(
        _tensor(number, runs, reads[number], is_result=run.layer.name in results)
        for number, run in enumerate(runs)
        if not run.is_fused
    )


def _tensor(
    number: int, runs: Sequence[LayerRun], reads: Sequence[Read], *, is_result: bool
) -> NetworkTensor:
    layer = runs[number].layer
    once = all(runs[read.run].layer.repeat == 1 for read in reads) and layer.repeat == 1
    is_known = bool(reads) and all(read.operand != "weight" for read in reads)
    return NetworkTensor(
        name=layer.name,
        writer=number,
        elements=layer.written_elements,
        bits=bits_of(layer.written_elements, layer.output_bits),
        reads=tuple(sorted(reads, key=lambda read: read.run)),
        may_stay=is_known and once and not is_result,
    )


def _named(network: Workload, runs: Sequence[LayerRun]) -> list[list[str]]:
    """Return the names of the layers that write what each layer reads, each once."""
    names: dict[str, list[str]] = {run.layer.name: [] for run in runs}
    edges = network.edges
    if not edges and is_chain(network):
        edges = tuple((layer.name, before.name) for before, layer in pairwise(network.layers))
    for reader, writer in dict.fromkeys(edges):
        names[reader].append(writer)
    return [names[run.layer.name] for run in runs]


def is_chain(network: Workload) -> bool:
    """Whether each layer of a plain list reads exactly as many elements as the one ahead writes."""
    pairs = pairwise(network.layers)
    return all(before.written_elements == layer.read_elements for before, layer in pairs)


def are_reads_known(network: Workload) -> bool:
    """Whether it is known which layer writes what each layer reads."""
    return bool(network.edges) or is_chain(network)


def _writers(
    network: Workload, runs: Sequence[LayerRun], place: Mapping[str, int]
) -> list[list[int]]:
    """Return the layers that write what each layer reads; a fused one stands for its host."""
    named = _named(network, runs)
    stands: dict[int, list[int]] = {}
    found = []
    for number, run in enumerate(runs):
        own = [x for name in named[number] for x in stands.get(place[name], [place[name]])]
        own = list(dict.fromkeys(own))
        found.append(own)
        if run.is_fused:
            stands[number] = own if run.layer.op == "pool" else [max(own)]
    return found


def _reads(number: int, writers: Sequence[int], runs: Sequence[LayerRun]) -> list[tuple[int, Read]]:
    """Return who wrote what of a layer's operands: the input first, then weights of attention."""
    layer = runs[number].layer
    left, found = layer.read_elements, []
    for writer in writers:
        elements = min(left, runs[writer].layer.written_elements)
        operand = "input" if elements or not layer.weight_is_activation else "weight"
        left -= elements
        found.append((writer, Read(run=number, operand=operand, elements=elements)))
    return found


def _read_by_host(
    writers: Sequence[int], runs: Sequence[LayerRun], reads: Mapping[int, list[Read]]
) -> None:
    """Note that the layer that does an addition for another reads what else is added."""
    host = max(writers)
    for writer in writers:
        if writer != host:
            elements = runs[writer].layer.written_elements
            reads[writer].append(Read(run=host, operand="added", elements=elements))


def crossing_limited(tensors: Sequence[NetworkTensor]) -> tuple[tuple[NetworkTensor, ...], bool]:
    """Return the tensors, of which so many may stay that all schedules can be searched.

    Returns
    -------
    The tensors of `tensors_of`, and whether no more than `MOST_CROSSING` of those that may stay
    cross any cut, so that the best schedule is found. Else those that live longest go to the DRAM.
    """
    kept, is_exact = list(tensors), True
    for cut in range(max((x.writer for x in tensors), default=0) + 1):
        alive = [x for x in kept if x.may_stay and x.writer <= cut < x.reads[-1].run]
        alive.sort(key=lambda x: (x.reads[-1].run - x.writer, x.bits, x.writer))
        for long_lived in alive[MOST_CROSSING:]:
            kept[kept.index(long_lived)] = replace(long_lived, may_stay=False)
            is_exact = False
    return tuple(kept), is_exact
