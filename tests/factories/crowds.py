"""People whose faces are drawn from a stated distribution: how alike strangers look is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

DIMENSIONS = 128
# With 0.09 in common and the rest in 98 of 128 directions, the cosines of strangers have mean 0.09
# and deviation 0.092, much as faces of SFace.
COMMON = 0.09
_SPREAD_OVER = 98


def crowd(people: int, seed: int) -> Vectors:
    """Draw (people, 128) unit vectors, one a person."""
    random = np.random.default_rng(seed)
    own = np.zeros((people, DIMENSIONS))
    own[:, 1 : 1 + _SPREAD_OVER] = random.normal(size=(people, _SPREAD_OVER))
    own *= np.sqrt(1 - COMMON) / np.linalg.norm(own, axis=1, keepdims=True)
    own[:, 0] = np.sqrt(COMMON)
    return own.astype(np.float32)
