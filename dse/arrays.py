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


def flat_floats(*values: Numbers) -> tuple[tuple[int, ...], list[FloatArray]]:
    """Return the shape to which numbers broadcast, and each of them as a flat array of it."""
    arrays = [np.asarray(value, np.float64) for value in values]
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    whole = [x if x.shape == shape else np.array(np.broadcast_to(x, shape)) for x in arrays]
    return shape, [x.ravel() if x.flags.writeable else x.flatten() for x in whole]


def parts_of(count: int) -> Iterator[slice]:
    """Yield the parts of so many designs that are worked out together."""
    for first in range(0, count, AT_ONCE):
        yield slice(first, min(first + AT_ONCE, count))
