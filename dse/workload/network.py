"""Workloads: the layers of a network, in order."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from dse.checks import check_integer
from dse.errors import DseError
from dse.shown import short_repr
from dse.workload.input_size import LARGEST_BOUND
from dse.workload.layer import Layer


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A network: its layers in order, already at `batch`.

    Attributes
    ----------
    layers
        The layers, each for the whole batch; names are unique.
    batch
        Inferences that one run of the layers makes.
    source
        Who published the shapes, and where.
    extra_parameters
        Learned elements of parts of the network that are not run (a pooler, say).
    notes
        What every result of the network warns of, such as operators that were not understood.
    edges
        Names of a layer and of one that writes what it reads; empty where that is not known.
        What a layer reads beside them comes from outside the network.
    results
        Names of layers whose outputs leave the network though other layers read them; what
        nobody reads leaves it anyway.
    """

    name: str
    layers: tuple[Layer, ...]
    batch: int = 1
    source: str = ""
    extra_parameters: int = field(default=0)
    notes: tuple[str, ...] = field(default=(), compare=False)
    edges: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    results: tuple[str, ...] = field(default=(), compare=False)

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise DseError(f"workload {self.name!r} must have at least one layer, got none")
        check_integer(f"workload {self.name!r}", "batch", self.batch, 1, LARGEST_BOUND)
        names = [layer.name for layer in self.layers]
        if twice := [x for place, x in enumerate(names) if x in names[:place]]:
            rule = f"workload {self.name!r}: layer names must be unique"
            raise DseError(f"{rule}, got {twice[0]!r} twice")

    @cached_property
    def macs(self) -> int:
        """MACs of the whole batch, repeats and taps on padding included."""
        return sum(layer.macs * layer.repeat for layer in self.layers)

    @cached_property
    def weight_elements(self) -> int:
        """Learned elements: weights, biases, scales and tables; sequential repeats share them."""
        own = sum(x.parameters * (1 if x.sequential else x.repeat) for x in self.layers)
        return own + self.extra_parameters

    def with_batch(self, batch: int) -> "Workload":
        """Return the network for another batch."""
        layers = tuple(layer.with_batch(batch, now=self.batch) for layer in self.layers)
        return replace(self, layers=layers, batch=batch)
