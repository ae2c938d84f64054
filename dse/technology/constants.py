"""Constants with the range that their sources span."""

import math
from dataclasses import dataclass

from dse.errors import DseError


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A constant with the range that its sources span.

    Attributes
    ----------
    value, low, high
        Best estimate and range, in the unit that the name of the constant says.
    source
        Who published it; ``[assume]`` where nobody did.
    date
        When it held, for what moves (prices); empty where that does not matter.

    Raises
    ------
    DseError
        Unless 0 <= low <= value <= high, all finite, and a source is named.
    """

    value: float
    low: float
    high: float
    source: str
    date: str = ""

    def __post_init__(self) -> None:
        if not all(math.isfinite(x) for x in (self.value, self.low, self.high)):
            raise DseError(f"constant value, low and high must be finite, got {self}")
        if not 0 <= self.low <= self.value <= self.high:
            raise DseError(
                f"constant must have 0 <= low <= value <= high, "
                f"got low {self.low}, value {self.value}, high {self.high}"
            )
        if not self.source:
            raise DseError(f"constant must name its source, got {self.source!r}")
