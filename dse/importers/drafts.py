"""What an import makes of a graph: tensors, and drafts of layers that are finished at its end."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from dse.errors import DseError

LARGEST_ELEMENTS = 2**62

CERTAINTIES = ("known", "bound", "guess")
"""How sure a tensor's shape is: as the file says, at most so large, or taken from an input."""


class NotUnderstood(Exception):  # noqa: N818 (a statement about a node, not a mistake)
    """An operator, or a use of one, that is not modelled; its text is the reason.

    Attributes
    ----------
    macs
        MACs that it has all the same, where they are known.
    """

    def __init__(self, reason: str, *, macs: int = 0) -> None:
        super().__init__(reason)
        self.macs = macs


@dataclass(slots=True, eq=False)
class Draft:
    """A layer to be.

    Attributes
    ----------
    name, op, fields
        As in a `Layer`; ``fields`` has bounds, bits and elements.
    sources
        The drafts whose outputs it reads, each once.
    weights, extras
        Names of the learned tensors in the weight operand, and of those beside the loop nest.
    read_bits
        Largest number of bits at which a reader takes the output; 0 while nothing reads it.
    macs
        MACs of one run that are known, though the nest cannot say them; 0 for a modelled layer.
    reason
        Why the operator is not understood; empty if it is.
    kind
        The operator, as the file names it.
    rows_root
        The tensor that it wrote for a statistic of rows, to which another may be applied.
    is_guess
        Whether it reads a tensor whose shape is a guess, so that its numbers are one, too.
    is_result
        Whether its output leaves the network, whoever else reads it.
    """

    name: str
    op: str
    fields: dict[str, Any]
    sources: tuple["Draft", ...] = ()
    weights: frozenset[str] = frozenset()
    extras: set[str] = field(default_factory=set)
    read_bits: int = 0
    macs: int = 0
    reason: str = ""
    kind: str = ""
    rows_root: str = ""
    is_guess: bool = False
    is_result: bool = False


@dataclass(slots=True, eq=False)
class Tensor:
    """A tensor of the graph.

    Attributes
    ----------
    shape
        None if it is not known before the network runs.
    bits
        Bits of an element as it lies in memory: those of the quantised side of a pair of
        quantisation and dequantisation.
    element_type
        ONNX's number of the element type; 0 if it is no tensor.
    is_constant, value, origins
        Whether it is the same in every run, its value if small, and the names of the learned
        tensors that it is made from.
    sources, root
        The drafts that write it, and the name of the tensor of which it is a pointwise function.
    statistic_of
        The map whose rows it is a statistic of, and the step that reduces them; None otherwise.
    certainty
        One of `CERTAINTIES`; a contradiction of what is not known is no fault of the file.
    items
        The tensors of a sequence; None if it is no sequence, or they are not known.
    """

    name: str
    shape: tuple[int, ...] | None
    bits: int
    element_type: int = 1
    is_constant: bool = False
    value: np.ndarray | None = None
    origins: frozenset[str] = frozenset()
    sources: tuple[Draft, ...] = ()
    root: str = ""
    statistic_of: Any = None
    certainty: str = "known"
    items: tuple["Tensor", ...] | None = None

    def __post_init__(self) -> None:
        self.root = self.root or self.name

    @property
    def elements(self) -> int:
        """Elements, 0 if the shape is not known."""
        return 0 if self.shape is None else prod(self.shape)

    @property
    def is_vector(self) -> bool:
        """Whether at most one dimension is above 1: one number for each channel, say."""
        return self.shape is not None and sum(size > 1 for size in self.shape) <= 1

    def follow(self, other: "Tensor") -> None:
        """Be the same elements as another tensor, seen in another shape."""
        self.sources, self.root, self.bits = other.sources, other.root, other.bits
        self.is_constant, self.origins = other.is_constant, other.origins


@dataclass(slots=True)
class Network:
    """The drafts of a graph, and what became of its operators.

    Attributes
    ----------
    learned, vectors
        Elements of each learned tensor, and the names of those with one dimension at most.
    counts
        Operators by what became of them: layer, fused, free, folded, not_understood.
    repeat
        Times that the graph in hand runs: the trips of the loops around it.
    notes
        What the user should know of the import.
    guesses, bounds
        Operators whose output has the shape of an input because it is not known, and those
        whose output is counted at its most because the data decide it.
    branches, loops
        Branches that the data decide, counted as the larger one; and loops without a known
        number of trips, counted for one.
    names
        Those of the drafts, and how many began with each.
    """

    drafts: list[Draft] = field(default_factory=list)
    learned: dict[str, int] = field(default_factory=dict)
    vectors: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    repeat: int = 1
    notes: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    bounds: list[str] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Say something of the import, once."""
        if text not in self.notes:
            self.notes.append(text)

    def add(self, draft: Draft, reads: Iterable[Tensor]) -> Draft:
        """Add a draft that reads these tensors; its name becomes unique."""
        base = draft.name
        while draft.name in self.names:
            self.names[base] += 1
            draft.name = f"{base}.{self.names[base]}"
        self.names[draft.name] = 1
        read = list(reads)
        mark_read(read)
        draft.is_guess = any(x.certainty == "guess" for x in read)
        found = {id(source): source for tensor in read for source in tensor.sources}
        draft.sources = tuple(found.values())
        if self.repeat > 1:
            draft.fields |= {"repeat": self.repeat, "sequential": True}
        self.drafts.append(draft)
        return draft


def least_certain(tensors: Iterable[Tensor | None]) -> str:
    """Return the certainty of what is made from these tensors."""
    places = [CERTAINTIES.index(x.certainty) for x in tensors if x is not None]
    return CERTAINTIES[max(places, default=0)]


def mark_read(tensors: Iterable[Tensor]) -> None:
    """Note at how many bits the writers of these tensors are read."""
    for tensor in tensors:
        for source in tensor.sources:
            source.read_bits = max(source.read_bits, tensor.bits)


def mark_results(tensors: Iterable[Tensor]) -> None:
    """Note which drafts write what leaves the network, and at how many bits."""
    tensors = tuple(tensors)
    mark_read(tensors)
    for tensor in tensors:
        for source in tensor.sources:
            source.is_result = True


def checked_shape(owner: str, dims: Sequence[int]) -> tuple[int, ...]:
    """Return dimensions as a shape.

    Raises
    ------
    DseError
        If one is negative, or the elements are more than can be meant.
    """
    shape = tuple(int(x) for x in dims)
    for size in shape:
        if not 0 <= size < 2**31:
            raise DseError(f"{owner}: dimensions must be from 0 to {2**31 - 1}, got {list(shape)}")
    if prod(shape) > LARGEST_ELEMENTS:
        raise DseError(f"{owner}: elements must be at most 2**62, got {list(shape)}")
    return shape
