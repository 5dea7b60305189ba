"""The types of arrays, each name one meaning everywhere.

Shapes stand in the docstrings of the functions that take them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]
AnyFloats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]  # truth: (images, categories)
Ints = npt.NDArray[np.int64]  # rows or columns of something
Pixels = npt.NDArray[np.uint8]  # (height, width, 3), or several of them
Tensors = Mapping[str, npt.NDArray[Any]]  # by name, as a safetensors file holds them
