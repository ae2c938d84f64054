"""One operator of a graph in hand, with what its translation may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dse.importers.drafts import Draft, Network, NotUnderstood, Tensor


@dataclass(frozen=True, slots=True)
class Operator:
    """One node: its attributes and tensors, and the network that it adds to.

    Attributes
    ----------
    inputs, outputs
        In the operator's order; None where an optional one is absent.
    are_copies_charged
        Whether transposes, joins and slices are read and written, not only addressed.
    """

    name: str
    op: str
    attributes: Mapping[str, Any]
    inputs: Sequence[Tensor | None]
    outputs: Sequence[Tensor | None]
    network: Network
    are_copies_charged: bool = False

    def has_input(self, index: int) -> bool:
        """Whether an optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def input(self, index: int) -> Tensor:
        """Return an input that the operator needs."""
        tensor = self.inputs[index] if index < len(self.inputs) else None
        if tensor is None:
            raise NotUnderstood(f"it has no input {index}")
        return tensor

    def shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of an input."""
        return known_shape(self.input(index), f"input {index}")

    def output(self, index: int = 0) -> Tensor:
        """Return an output that the operator makes."""
        tensor = self.outputs[index] if index < len(self.outputs) else None
        if tensor is None:
            raise NotUnderstood(f"it has no output {index}")
        return tensor

    def out_shape(self) -> tuple[int, ...]:
        """Return the shape of the first output."""
        return known_shape(self.output(), "its output")

    @property
    def given(self) -> list[Tensor]:
        """The inputs that are present."""
        return [x for x in self.inputs if x is not None]

    @property
    def written(self) -> list[Tensor]:
        """The outputs that are present."""
        return [x for x in self.outputs if x is not None]

    def nest(
        self, fields: Mapping[str, int], data: Tensor, weight: Tensor, **options: Any
    ) -> Draft:
        """Add a loop nest.

        Parameters
        ----------
        fields
            Bounds, strides and padding, by the names of a `Layer`.
        data, weight
            The operands; the weight is an activation unless it is constant.
        options
            ``suffix`` of the name, ``op`` other than mac, ``extras`` (further tensors with
            learned elements), ``output`` (the first output if absent).
        """
        output = options.get("output") or self.output()
        op = options.get("op", "mac")
        bits = {
            "input_bits": data.bits,
            "weight_bits": weight.bits,
            "output_bits": output.bits,
            "psum_bits": max(32, data.bits),
        }
        draft = Draft(
            name=self.name + options.get("suffix", ""),
            op=op,
            fields={**fields, **bits},
            weights=weight.origins if weight.is_constant else frozenset(),
            kind=self.op,
        )
        if not weight.is_constant and op == "mac":
            draft.fields["weight_is_activation"] = True
        elif weight.is_constant and not weight.origins:  # computed, not learned
            draft.fields["weight_is_shared"] = True
        extras = [x for x in options.get("extras", ()) if x is not None]
        draft.extras = {name for x in extras if x.is_constant for name in x.origins}
        reads = [data, *([] if weight.is_constant else [weight])]
        self.network.add(draft, [*reads, *(x for x in extras if not x.is_constant)])
        own(output, draft)
        return draft

    def pass_over(
        self,
        op: str,
        reads: Sequence[Tensor],
        *,
        writes: Sequence[Tensor] | None = None,
        extras: Sequence[Tensor | None] = (),
        input_elements: int | None = None,
        suffix: str = "",
    ) -> Draft:
        """Add a layer without MACs that reads and writes these tensors once.

        Parameters
        ----------
        writes
            All outputs if None.
        input_elements
            Those of ``reads`` if None.
        """
        written = self.written if writes is None else list(writes)
        bits, counted = _bits_and_elements(reads)
        out_bits, out_elements = _bits_and_elements(written)
        draft = Draft(
            name=self.name + suffix,
            op=op,
            fields={
                "input_bits": bits,
                "output_bits": out_bits,
                "input_elements": counted if input_elements is None else input_elements,
                "output_elements": out_elements,
            },
            kind=self.op,
        )
        draft.extras = {name for x in extras if x is not None for name in x.origins}
        draft.extras |= {name for x in reads for name in x.origins}
        self.network.add(draft, [x for x in reads if not x.is_constant])
        for tensor in written:
            own(tensor, draft)
        return draft

    def fuse(self, data: Tensor, extras: Sequence[Tensor | None] = ()) -> None:
        """Let the writer of ``data`` do this operator as its outputs leave."""
        for output in self.written:
            bits = output.bits
            output.follow(data)
            output.bits, output.is_constant, output.origins = bits, False, frozenset()
        names = {name for x in extras if x is not None for name in x.origins}
        if names:
            data.sources[-1].extras |= names

    def see(self, data: Tensor, *, is_same_order: bool = True) -> None:
        """Make the outputs other views of the elements of ``data``, which stay where they are."""
        for output in self.written:
            output.follow(data)
            if not is_same_order:
                output.root = output.name


def own(tensor: Tensor, draft: Draft) -> None:
    """Say that a tensor is what a draft writes."""
    tensor.sources, tensor.root = (draft,), tensor.name
    tensor.is_constant, tensor.origins, tensor.value = False, frozenset(), None


def known_shape(tensor: Tensor, what: str) -> tuple[int, ...]:
    """Return a shape, or raise `NotUnderstood` where it is not known."""
    if tensor.shape is None:
        raise NotUnderstood(f"the shape of {what} is not known")
    return tensor.shape


def batched(shape: tuple[int, ...], *, is_moved: bool) -> tuple[int, ...]:
    """Return a matrix of FusedMatMul whose rows may stand before the batch, rows after it."""
    return (*shape[1:-1], shape[0], shape[-1]) if is_moved and len(shape) > 2 else shape


def _bits_and_elements(tensors: Sequence[Tensor]) -> tuple[int, int]:
    """Return the widest element, and the elements of that width that all tensors fill."""
    bits = max((x.bits for x in tensors), default=8)
    return bits, -(-sum(x.elements * x.bits for x in tensors) // bits)
