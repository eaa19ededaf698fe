"""Which faces may be among the nearest, by products in single precision, a block at a time.

A product here and a distance in SQL differ in their last digits. So a probe keeps all faces that
are, within twice that difference, as near as its nearest `limit`: SQL then compares those anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import numpy.typing as npt

from app.domain.gallery import Embedding
from app.queries.copied_vectors import FaceBlock, Floats
from app.queries.nearest_faces import number_as_sent

# Single-precision sums of 512 products of unit vectors differ by 6e-5 at most, whatever their order
# (512 times the rounding of one, 6e-8, on either side).
_DIFFERENCE = 1e-4
_BAND = np.float32(2 * _DIFFERENCE)
# So many faces within that band are one photograph again and again; SQL sorts them out.
_MOST_TIES = 1024


class Candidates:
    """What a search has seen so far; `None` stands for a probe with too many equals to keep."""

    def __init__(self, probes: Sequence[Embedding], limit: int) -> None:
        self._probes = as_stored(probes)
        self._limit = limit
        self._least = np.full(len(probes), -np.inf, np.float32)
        self._given_up = np.zeros(len(probes), bool)
        self._of: npt.NDArray[np.intp] = np.empty(0, np.intp)
        self._scores: Floats = np.empty(0, np.float32)
        self._ids: npt.NDArray[np.uint8] = np.empty((0, 16), np.uint8)

    def take(self, block: FaceBlock) -> None:
        """Compare all probes with the faces of a block."""
        scores = self._probes @ block.vectors.T
        lengths = np.sqrt(np.einsum("ij,ij->i", block.vectors, block.vectors))
        scores /= np.maximum(lengths, np.finfo(np.float32).tiny)
        self._keep(scores, block.ids)

    def take_unit(self, block: FaceBlock) -> None:
        """The same for vectors that are of length 1."""
        self._keep(self._probes @ block.vectors.T, block.ids)

    def _keep(self, scores: Floats, ids: npt.NDArray[np.uint8]) -> None:
        """Of cosines (probes, n), those that may count. Later on, few do."""
        count = scores.shape[1]
        if count > self._limit and np.isneginf(self._least).any():
            within = np.partition(scores, count - self._limit, axis=1)[:, count - self._limit]
            self._least = np.maximum(self._least, within - _BAND)
        hits = np.flatnonzero(scores >= self._least[:, None])
        if len(hits):
            probes, faces = np.divmod(hits, count)
            self._of = np.concatenate([self._of, probes])
            self._scores = np.concatenate([self._scores, scores.ravel()[hits]])
            self._ids = np.concatenate([self._ids, ids[faces]])
            self._drop_the_far()

    def _drop_the_far(self) -> None:
        """Keep each probe's nearest, and what is as near as the last of them."""
        order = np.lexsort((-self._scores, self._of))
        of, scores = self._of[order], self._scores[order]
        first = np.searchsorted(of, np.arange(len(self._probes)))
        rank = np.arange(len(of)) - first[of]
        last = rank == self._limit - 1
        self._least[of[last]] = np.maximum(self._least[of[last]], scores[last] - _BAND)
        self._given_up[of[rank >= self._limit + _MOST_TIES]] = True
        self._least[self._given_up] = np.inf
        kept = scores >= self._least[of]
        self._of, self._scores, self._ids = of[kept], scores[kept], self._ids[order][kept]

    def proposed(self) -> list[list[UUID] | None]:
        """For each probe the faces that may be among its nearest `limit`."""
        found: list[list[UUID] | None] = [
            None if given_up else [] for given_up in self._given_up.tolist()
        ]
        for probe, face_id in zip(self._of.tolist(), self._ids, strict=True):
            faces = found[probe]
            if faces is not None:
                faces.append(UUID(bytes=face_id.tobytes()))
        return found


def as_stored(probes: Sequence[Embedding]) -> Floats:
    """The probes as SQL compares them: rounded to half precision, and of length 1 again."""
    sent = [[float(number_as_sent(value)) for value in probe] for probe in probes]
    halves = np.asarray(sent, np.float32).astype(np.float16).astype(np.float32)
    lengths = np.linalg.norm(halves, axis=1, keepdims=True)
    unit: Floats = halves / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit
