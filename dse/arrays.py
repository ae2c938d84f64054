"""Array types, and the order of array axes everywhere: (designs, layers, mappings)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

Numbers = float | IntArray | FloatArray
"""What a cost function takes: one number, or an array of them."""

AT_ONCE = 2**14
"""Designs of which columns are worked out together: what is between them stays in the cache."""


def parts_of(count: int) -> Iterator[slice]:
    """Yield the parts of so many designs that are worked out together."""
    for first in range(0, count, AT_ONCE):
        yield slice(first, min(first + AT_ONCE, count))
