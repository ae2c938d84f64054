"""Where tensors are while layers run: every choice, as a graph of states between layers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from dse.network.as_run import LayerRun
from dse.network.tensors import NetworkTensor, Read
from dse.workload import Layer

PLACES = ("dram", "both", "fetched", "chip")
"""Where a tensor is between layers, in the order of ties: see dse/docs/between-layers.md."""

IN_PLACE = ("add", "activation")
"""Layers that may write over a tensor that they read last."""

State = tuple[tuple[int, str], ...]
"""Tensors by their writers, and their places; those that stay in the DRAM are left out."""

WAITING = "dram"
"""Of a tensor in the DRAM that may yet be fetched for several readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStep:
    """One way to run a layer.

    Attributes
    ----------
    before, after
        States of the tensors.
    run
        The layer with what is held of its operands.
    held_bits
        Bits of all tensors that are on the chip while it runs.
    held
        Their names, those of the layer's own among them.
    """

    before: State
    after: State
    run: LayerRun
    held_bits: int
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """How a layer reads one tensor."""

    tensor: NetworkTensor
    read: Read
    is_held: bool
    is_fetched: bool
    after: str  # its place afterwards, "" for none that counts

    @property
    def ends(self) -> bool:
        return self.after in ("", WAITING)


class PlaceGraph:
    """All ways to place the tensors of a network.

    Parameters
    ----------
    runs
        Its layers.
    tensors
        Those of `dse.network.tensors.crossing_limited`.
    most_bits
        Bits of the largest buffer.
    """

    def __init__(
        self, runs: Sequence[LayerRun], tensors: Sequence[NetworkTensor], most_bits: int
    ) -> None:
        self.runs, self.most_bits = runs, most_bits
        self.written = {x.writer: x for x in tensors}
        self.read_by: dict[int, list[tuple[NetworkTensor, Read]]] = {}
        for one in tensors:
            for read in one.reads if one.may_stay else ():
                self.read_by.setdefault(read.run, []).append((one, read))

    def steps(self) -> list[list[LayerStep]]:
        """Return the ways to run each layer, those of less in the DRAM last."""
        states: list[State] = [()]
        found = []
        for number, run in enumerate(self.runs):
            if run.is_fused:
                found.append([_idle(state, run) for state in states])
                continue
            ways = [step for state in states for step in self._ways(number, state)]
            found.append(ways)
            states = list(dict.fromkeys(step.after for step in ways))
        return _leading_to_end(found)

    def _ways(self, number: int, state: State) -> Iterator[LayerStep]:
        """Yield the ways to run a layer from a state."""
        places = dict(state)
        reads = self.read_by.get(number, [])
        choices = [list(self._readings(number, one, read, places)) for one, read in reads]
        for readings in product(*choices):
            for output in self._outputs(number):
                step = self._step(number, state, readings, output)
                if step.held_bits <= self.most_bits:
                    yield step

    def _readings(
        self, number: int, one: NetworkTensor, read: Read, places: dict[int, str]
    ) -> Iterator[_Reading]:
        """Yield the ways to read a tensor: in the DRAM, fetched once to stay, or held."""
        more = sum(other.run > number for other in one.reads)
        place = places.get(one.writer, "")
        is_held = place in ("both", "fetched", "chip")
        stays = place if is_held or (place == WAITING and more > 1) else ""
        ends = [""] if more == 0 else [stays]
        if place in ("both", "fetched") and more:
            ends = ["", place]
        for after in ends:
            yield _Reading(tensor=one, read=read, is_held=is_held, is_fetched=False, after=after)
        if place == WAITING and more and read.operand == "input":
            yield _Reading(tensor=one, read=read, is_held=False, is_fetched=True, after="fetched")

    def _outputs(self, number: int) -> list[str]:
        """Return the places that the output of a layer may have; "" for the DRAM for good."""
        one = self.written[number]
        if not one.may_stay:
            return [""]
        several = len(one.reads) > 1
        return [WAITING, "both", "chip"] if several else ["", "chip"]

    def _step(
        self, number: int, state: State, readings: Sequence[_Reading], output: str
    ) -> LayerStep:
        own, places = self.written[number], dict(state)
        held = {writer: self.written[writer] for writer, x in state if x != WAITING}
        held |= {x.tensor.writer: x.tensor for x in readings if x.is_fetched}
        for one in readings:
            places.pop(one.tensor.writer, None)
            if one.after:
                places[one.tensor.writer] = one.after
        if output:
            places[number] = output
        stays = output in ("both", "chip")
        bits = sum(x.bits for x in held.values()) + stays * own.bits
        if stays and self.runs[number].layer.op in IN_PLACE:
            over = [x for x in readings if x.is_held and x.ends and x.tensor.bits >= own.bits]
            bits -= own.bits if over else 0
        names = [x.name for x in held.values()] + [own.name] * stays
        masked = _masked(self.runs[number].layer, readings, is_held=output == "chip")
        return LayerStep(
            before=state,
            after=tuple(sorted(places.items())),
            run=replace(self.runs[number], layer=masked),
            held_bits=bits,
            held=tuple(names),
        )


def _masked(layer: Layer, readings: Sequence[_Reading], *, is_held: bool) -> Layer:
    """Return a layer with what is held of its operands."""
    inputs = [x for x in readings if x.read.operand == "input"]
    added = [x for x in readings if x.read.operand == "added" and x.is_held]
    fetched = [x for x in inputs if x.is_fetched]
    return replace(
        layer,
        held_elements=sum(x.read.elements for x in inputs if x.is_held),
        held_added_elements=sum(x.read.elements for x in added),
        fetched_elements=sum(x.read.elements for x in fetched),
        fetched_bits=sum(x.tensor.bits for x in fetched),
        output_is_held=is_held,
    )


def _idle(state: State, run: LayerRun) -> LayerStep:
    """Return that a layer, whose work another does, runs."""
    return LayerStep(before=state, after=state, run=run, held_bits=0, held=())


def _leading_to_end(steps: list[list[LayerStep]]) -> list[list[LayerStep]]:
    """Return the steps from which a schedule can go on to the end."""
    found, alive = [], {step.after for step in steps[-1]}
    for ways in reversed(steps):
        kept = [step for step in ways if step.after in alive]
        alive = {step.before for step in kept}
        found.append(kept)
    return found[::-1]
