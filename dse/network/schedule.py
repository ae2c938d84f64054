"""A network schedule: what is on the chip while each layer runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dse.network.places import LayerStep
from dse.network.tensors import NetworkTensor
from dse.shown import short_repr


@dataclass(frozen=True, kw_only=True)
class NetworkSchedule:
    """Places of tensors between layers; each layer runs by itself.

    Attributes
    ----------
    steps
        How each layer runs, with what is held meanwhile.
    tensors
        What layers write and read.
    gap
        Share of what is minimised that a schedule not found may save; 0 where this is the best.
    dram_bytes
        Bytes that cross the DRAM interface. [bytes]
    """

    steps: tuple[LayerStep, ...]
    tensors: tuple[NetworkTensor, ...]
    gap: float
    dram_bytes: float

    __repr__ = short_repr

    @property
    def is_exact(self) -> bool:
        """Whether no schedule of the space is better."""
        return self.gap <= 0

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Names of the layers that run together: each by itself."""
        return tuple((step.run.layer.name,) for step in self.steps if not step.run.is_fused)

    @property
    def peak_bytes(self) -> float:
        """Most bytes of tensors that are held at once. [bytes]."""
        return max(step.held_bits for step in self.steps) / 8

    @cached_property
    def places(self) -> Mapping[str, str]:
        """Place of each tensor, by the layer that writes it: dram, both, fetched or chip."""
        found = {}
        for one in self.tensors:
            held = [dict(step.after).get(one.writer, "dram") for step in self.steps]
            others = [place for place in held if place != "dram"]
            found[one.name] = others[0] if others else "dram"
        return found

    def rows(self, layer_rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the rows of schedule.csv: what is held while each layer runs.

        Parameters
        ----------
        layer_rows
            Rows of the layers, as those of `dse.evaluation.result.Evaluation`.
        """
        for step, row in zip(self.steps, layer_rows, strict=True):
            layer = step.run.layer
            yield {
                "name": layer.name,
                "output_place": self.places.get(layer.name, ""),
                "held": " ".join(step.held),
                "held_bytes": step.held_bits / 8,
                "footprint_bytes": row["footprint_bytes"],
                "dram_bytes": row["dram_bytes"],
                "latency_s": row["latency_s"],
            }
