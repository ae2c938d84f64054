"""Array types, and the order of array axes everywhere: (designs, layers, mappings)."""

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

Numbers = float | IntArray | FloatArray
"""What a cost function takes: one number, or an array of them."""
