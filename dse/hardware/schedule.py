"""A machine's own schedule: rules that fix what stays, how it is cut and what is rounded up."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from dse.checks import check_number, check_switch
from dse.errors import DseError

KEPT = ("smaller", "input", "weight")

ROUNDED = {
    "input": ("c",),
    "weight": ("c", "k"),
    "output": ("k",),
    "cycles": ("c", "k"),
}
"""What channels can be rounded up for, and the loops that can be rounded there."""

STREAMED = ("input", "weight")
"""The operands of which one is kept and the other one streams past it."""

FILTER = "filter"

Numbers = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Winograd:
    """Winograd convolution F(outputs x outputs, filter x filter): fewer MACs, larger weights.

    Attributes
    ----------
    filter, outputs
        Rows and columns of the filters that it is used for, and of the outputs made together.
    least_channels
        Input channels of a group from which on it is used.

    Notes
    -----
    Source: Lavin and Gray, CVPR 2016: (outputs + filter - 1)^2 multiplications for outputs^2
    results. Outputs are not rounded up to whole tiles.
    """

    filter: int
    outputs: int
    least_channels: int = 1

    def __post_init__(self) -> None:
        for key in ("filter", "outputs"):
            value = getattr(self, key)
            check_number("schedule.winograd", key, value, integer=True, least=1)
        key = "least_channels"
        check_number("schedule.winograd", key, self.least_channels, integer=True)

    @property
    def macs_share(self) -> Fraction:
        """MACs over those of the direct form: 4/9 for F(2x2, 3x3)."""
        return Fraction(self.tile**2, self.outputs**2 * self.filter**2)

    @property
    def tile(self) -> int:
        """Rows and columns of the transformed weights: 4 for F(2x2, 3x3)."""
        return self.outputs + self.filter - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Rules that fix a layer's traffic and cycles in place of a mapper's choice.

    One operand of input and weight is kept: it is read once, in chunks, and the other one streams
    past it once for each chunk. Sums are never cut and outputs take no room. Meanings, formulas and
    an example: dse/docs/schedules.md.

    Attributes
    ----------
    kept
        The operand that is kept; ``smaller`` is that of fewer bits in the machine's own form, the
        input if equal.
    least
        Operand to the least of it that must be on chip while it streams: rows of input (left out
        or "filter": as many as the filter's), kernels (1 if left out). No more than there is.
    least_share
        Operand to the share of the buffer that its least need not exceed. (0, 1]
    granule
        Operand to the rows of input, or kernels, that chunks are whole multiples of; an operand
        that is left out is cut anywhere, to the bit.
    multiples
        What (a key of `ROUNDED`) to loops and the multiples that they are rounded up to: channels
        of the input or output of all groups together, of a group's weights, of a group's MACs.
    vectors_are_rounded
        Whether the multiples of cycles hold for layers with one output position, too.
    strides_are_folded
        Whether a layer with strides runs as one without, on stride_y * stride_x times the input
        channels and a part of the rows, columns and taps.
    winograd
        The filters whose MACs are fewer; none if None.

    Raises
    ------
    DseError
        If a name is unknown or a value outside its range.
    """

    kept: str = "smaller"
    least: tuple[tuple[str, int | str], ...] = ()
    least_share: tuple[tuple[str, float], ...] = ()
    granule: Numbers = ()
    multiples: tuple[tuple[str, Numbers], ...] = ()
    vectors_are_rounded: bool = True
    strides_are_folded: bool = False
    winograd: Winograd | None = None

    def __post_init__(self) -> None:
        if self.kept not in KEPT:
            raise DseError(f"schedule.kept must be one of {', '.join(KEPT)}, got {self.kept!r}")
        for key in ("least", "least_share", "granule"):
            pairs = tuple(sorted(dict(getattr(self, key)).items()))
            object.__setattr__(self, key, pairs)
            _check_names(f"schedule.{key}", dict(pairs), STREAMED)
        self._check_numbers()
        for key in ("vectors_are_rounded", "strides_are_folded"):
            check_switch("schedule", key, getattr(self, key))
        self._check_multiples()

    def _check_numbers(self) -> None:
        for operand, least in self.least:
            if (operand, least) != ("input", FILTER):
                check_number("schedule.least", operand, least, integer=True)
        for operand, share in self.least_share:
            check_number("schedule.least_share", operand, share, integer=False, most=1)
        for operand, size in self.granule:
            check_number("schedule.granule", operand, size, integer=True)

    def _check_multiples(self) -> None:
        found = {what: tuple(sorted(dict(x).items())) for what, x in self.multiples}
        object.__setattr__(self, "multiples", tuple(sorted(found.items())))
        _check_names("schedule.multiples", found, ROUNDED)
        for what, pairs in self.multiples:
            _check_names(f"schedule.multiples.{what}", dict(pairs), ROUNDED[what])
            for loop, size in pairs:
                check_number(f"schedule.multiples.{what}", loop, size, integer=True)

    def multiple(self, what: str, loop: str) -> int:
        """Return the multiple that a loop is rounded up to; 1 if none is given."""
        return dict(dict(self.multiples).get(what, ())).get(loop, 1)


def _check_names(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    names = tuple(known)
    for name in given:
        if name not in names:
            raise DseError(f"{what} must name {', '.join(names)}, got {name!r}")
