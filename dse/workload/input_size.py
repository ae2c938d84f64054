"""The real input size of a layer along an axis: given, or from its loop bounds."""

from typing import TYPE_CHECKING

from dse.checks import check_integer
from dse.errors import DseError

if TYPE_CHECKING:
    from dse.workload.layer import Layer

LARGEST_BOUND = 2**31 - 1


def input_size(layer: "Layer", axis: str, owner: str) -> int:
    """Return the unpadded input size along an axis, "y" or "x". [elements].

    Raises
    ------
    DseError
        If it contradicts the loop bounds; the message begins with `owner`.
    """
    out, taps = getattr(layer, f"o{axis}"), getattr(layer, f"f{axis}")
    stride, pad = getattr(layer, f"stride_{axis}"), getattr(layer, f"pad_{axis}")
    span = (out - 1) * stride + (taps - 1) * getattr(layer, f"dilation_{axis}") + 1
    size = getattr(layer, f"i{axis}")
    if size is None:
        size = span - 2 * pad
        if size < 1:
            raise DseError(
                f"{owner}.pad_{axis} = {pad} leaves no real input: "
                f"o{axis} = {out} spans {span} padded elements"
            )
    check_integer(owner, f"i{axis}", size, 1, LARGEST_BOUND)
    if pad >= span:
        raise DseError(
            f"{owner}.pad_{axis} = {pad} must be less than the {span} elements "
            f"that o{axis} = {out} spans"
        )
    return int(size)
