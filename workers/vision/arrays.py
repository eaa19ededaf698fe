"""Names for the arrays that pass between the stages."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]  # (height, width, 3), BGR
Floats = npt.NDArray[np.float32]
