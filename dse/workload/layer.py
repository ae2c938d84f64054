"""Layers: what is computed.

One loop nest serves every layer that has MACs (dse/docs/model.md#layers)::

    O[b,g,k,oy,ox] += I[b,g,c, oy*stride_y + fy*dilation_y - pad_y, ...x...] * W[g,k,c,fy,fx]
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property

from dse.checks import check_between, check_integer, check_share
from dse.errors import DseError
from dse.shown import short_repr
from dse.workload.input_size import LARGEST_BOUND, input_size
from dse.workload.precision import LARGEST_BITS

LOOPS = ("b", "g", "k", "c", "oy", "ox", "fy", "fx")
"""The loops, in the order of tie-breaks. Height is y, width is x."""

OPERANDS = ("input", "weight", "output")

OPERAND_LOOPS = {
    "input": frozenset({"b", "g", "c", "oy", "ox", "fy", "fx"}),
    "weight": frozenset({"g", "k", "c", "fy", "fx"}),
    "output": frozenset({"b", "g", "k", "oy", "ox"}),
}
"""The loops that the index of each operand depends on: its own loops."""

MACLESS_OPS = (
    "pool",
    "add",
    "multiply",
    "activation",
    "softmax",
    "layer_norm",
    "batch_norm",
    "embedding",
    "copy",
    "other",
)
"""Kinds of layers without MACs: they have operand bytes and no compute time."""


NOT_OF_SHAPE = frozenset(
    (
        "name",
        "repeat",
        "sequential",
        "weight_is_activation",
        "weight_is_shared",
        "extra_parameters",
        "batch_loop",
    )
)
"""What of a layer changes nothing of how it is mapped."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer: loop bounds, strides, precision, and how often it runs.

    Attributes
    ----------
    b, g, k, c, oy, ox, fy, fx
        Loop bounds: batch, groups, output and input channels per group, output height and
        width, filter height and width. [elements]
    stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x
        ``pad`` is the padding before the first row or column.
    iy, ix
        Real (unpadded) input size; rows outside 0..iy-1 are padding. The default assumes equal
        padding on both sides and no unused row.
    repeat, sequential
        Times in the network. Sequential repeats (recurrent steps) share one set of weights,
        others have weights of their own.
    weight_is_activation
        The "weight" operand is an activation, as in attention.
    weight_is_shared
        The weights are those of an earlier layer, which counts them as parameters.
    batch_loop
        The loop that a batch multiplies: b; g where the weight is an activation; oy for the
        input projections of all steps of a recurrent layer.
    input_bits, weight_bits, output_bits, psum_bits
        Bits of an element of each operand and of a partial sum. Those of operands may be
        fractions: an element with its share of a scale, as it lies in the DRAM. On chip it takes
        whole bits, rounded up; a MAC multiplies those without the fraction.
    input_zeros, output_zeros
        Share of the elements that are zero, for DRAM that is compressed. [0, 1)
    op
        ``"mac"`` for the loop nest, else one of `MACLESS_OPS`.
    input_elements, output_elements
        Elements read and written by a layer without MACs, batch included.
    pooled_elements
        Output elements that pooling leaves before they are written, batch included; 0 where the
        output is written as it is. See `dse.network.fusion`.
    added_elements
        Elements of further inputs that are added to the output before it is written, batch
        included: each is read once, in ``output_bits``.
    added_zeros
        Share of them that are zero, for DRAM that is compressed. [0, 1)
    window_elements
        Of pooling: elements that its windows read, overlaps counted and padding not, batch
        included; 0 where windows do not overlap, so that they are the input's elements.
    held_elements, held_added_elements
        Of the input, and of ``added_elements``, those that are on the chip already, so that they
        are not fetched; see `dse.network.places`.
    fetched_elements, fetched_bits
        Elements of the input that belong to tensors which are fetched once and stay on the chip,
        and the DRAM bits of these whole tensors.
    output_is_held
        Whether the finished output stays on the chip and is not written.
    extra_parameters
        Learned elements that are not multiplied in the nest: biases, normalisation scales,
        embedding tables. Counted in `Workload.weight_elements`, never in traffic.

    Raises
    ------
    DseError
        If a value is outside its range, or the input size contradicts the loop bounds.
    """

    name: str
    op: str = "mac"
    b: int = 1
    g: int = 1
    k: int = 1
    c: int = 1
    oy: int = 1
    ox: int = 1
    fy: int = 1
    fx: int = 1
    stride_y: int = 1
    stride_x: int = 1
    pad_y: int = 0
    pad_x: int = 0
    dilation_y: int = 1
    dilation_x: int = 1
    iy: int | None = None
    ix: int | None = None
    repeat: int = 1
    sequential: bool = False
    weight_is_activation: bool = False
    weight_is_shared: bool = False
    input_bits: float = 8
    weight_bits: float = 8
    output_bits: float = 8
    psum_bits: int = 32
    input_zeros: float = 0.0
    output_zeros: float = 0.0
    input_elements: int = 0
    output_elements: int = 0
    pooled_elements: int = 0
    added_elements: int = 0
    added_zeros: float = 0.0
    window_elements: int = 0
    held_elements: int = 0
    held_added_elements: int = 0
    fetched_elements: int = 0
    fetched_bits: int = 0
    output_is_held: bool = False
    extra_parameters: int = 0
    batch_loop: str | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        owner = f"layer {self.name!r}"
        self._check_numbers(owner)
        for key in ("input_zeros", "output_zeros", "added_zeros"):
            check_share(owner, key, getattr(self, key))
        if self.batch_loop is None:
            object.__setattr__(self, "batch_loop", "g" if self.weight_is_activation else "b")
        if self.batch_loop not in ("b", "g", "oy"):
            raise DseError(f"{owner}.batch_loop must be one of b, g, oy, got {self.batch_loop!r}")
        if self.op == "mac":
            self._check_input_size(owner)
        elif self.op not in MACLESS_OPS:
            known = ", ".join(MACLESS_OPS)
            raise DseError(f"{owner}.op must be one of mac, {known}, got {self.op!r}")
        elif self.input_elements + self.output_elements == 0:
            raise DseError(
                f"{owner} has no MACs ({self.op}) and needs input_elements or output_elements"
            )

    def _check_numbers(self, owner: str) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise DseError(f"layer name must be a non-empty text, got {self.name!r}")
        for key in (*LOOPS, "stride_y", "stride_x", "dilation_y", "dilation_x", "repeat"):
            check_integer(owner, key, getattr(self, key), 1, LARGEST_BOUND)
        for key in ("pad_y", "pad_x"):
            check_integer(owner, key, getattr(self, key), 0, LARGEST_BOUND)
        self._check_bits(owner)
        for key in ("input_elements", "output_elements", "extra_parameters", "added_elements"):
            check_integer(owner, key, getattr(self, key), 0, 2**62)
        most = self.map_elements
        check_integer(owner, "pooled_elements", self.pooled_elements, 0, most)
        most = 2**62 if self.op == "pool" else 0
        check_integer(owner, "window_elements", self.window_elements, 0, most)
        for key, most in (
            ("held_elements", self.read_elements),
            ("fetched_elements", self.read_elements - self.held_elements),
            ("fetched_bits", 2**62),
            ("held_added_elements", self.added_elements),
        ):
            check_integer(owner, key, getattr(self, key), 0, most)
        switches = ("sequential", "weight_is_activation", "weight_is_shared", "output_is_held")
        for key in switches:
            if not isinstance(getattr(self, key), bool):
                value = getattr(self, key)
                raise DseError(f"{owner}.{key} must be true or false, got {value!r}")

    def _check_bits(self, owner: str) -> None:
        check_integer(owner, "psum_bits", self.psum_bits, 1, LARGEST_BITS)
        for key in ("input_bits", "weight_bits", "output_bits"):
            bits = getattr(self, key)
            check_between(f"{owner}.{key}", bits, 1, LARGEST_BITS)
            if bits == int(bits):
                object.__setattr__(self, key, int(bits))

    def _check_input_size(self, owner: str) -> None:
        if self.input_elements or self.output_elements:
            raise DseError(
                f"{owner}.input_elements and output_elements belong to layers without MACs; "
                f"a layer with MACs has them from its loop bounds"
            )
        for axis in "yx":
            object.__setattr__(self, f"i{axis}", input_size(self, axis, owner))

    @property
    def has_macs(self) -> bool:
        """Whether the layer is a loop nest with MACs."""
        return self.op == "mac"

    @cached_property
    def bounds(self) -> Mapping[str, int]:
        """The loop bounds by loop letter, in the order of `LOOPS`. [elements]."""
        return {loop: getattr(self, loop) for loop in LOOPS}

    @cached_property
    def macs(self) -> int:
        """MACs of one run of the layer, taps on padding included; 0 without MACs."""
        if not self.has_macs:
            return 0
        product = 1
        for bound in self.bounds.values():
            product *= bound
        return product

    @property
    def weight_elements(self) -> int:
        """Elements of the weight operand of one run (also where it is an activation)."""
        return self.g * self.k * self.c * self.fy * self.fx if self.has_macs else 0

    @property
    def map_elements(self) -> int:
        """Elements of the output of one run, before any pooling; 0 without MACs."""
        return self.b * self.g * self.k * self.oy * self.ox if self.has_macs else 0

    @property
    def read_elements(self) -> int:
        """Elements of the whole input of one run, padding left out."""
        if not self.has_macs:
            return self.input_elements
        return self.b * self.g * self.c * (self.iy or 1) * (self.ix or 1)

    @property
    def written_elements(self) -> int:
        """Elements of the output of one run, after pooling if that is done before."""
        if not self.has_macs:
            return self.output_elements
        return self.pooled_elements or self.map_elements

    @property
    def parameters(self) -> int:
        """Learned elements of one run: weights that are its own, and the extra ones."""
        is_own = not (self.weight_is_activation or self.weight_is_shared)
        return self.extra_parameters + (self.weight_elements if is_own else 0)

    @cached_property
    def key(self) -> tuple[float | bool | str, ...]:
        """The shape with batch and bits, without name, repeat and parameters: a table's key."""
        return tuple(getattr(self, f.name) for f in fields(self) if f.name not in NOT_OF_SHAPE)

    def with_batch(self, batch: int, *, now: int = 1) -> "Layer":
        """Return the layer for another batch.

        Parameters
        ----------
        batch, now
            Inferences together, then and now. [1..]
        """
        check_integer(f"layer {self.name!r}", "batch", batch, 1, LARGEST_BOUND)
        if self.has_macs:
            keys = [str(self.batch_loop), "pooled_elements", "added_elements"]
            keys += ["iy"] if self.batch_loop == "oy" else []
        else:
            keys = ["input_elements", "output_elements", "window_elements"]
        changed = {key: getattr(self, key) // now * batch for key in keys}
        return replace(self, **changed)
