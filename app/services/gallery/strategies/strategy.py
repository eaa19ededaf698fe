"""What every way of searching a gallery promises, whether it compares in SQL, here or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from app.domain.gallery import Embedding, GalleryRef
from app.domain.matching import Neighbour
from app.domain.searches import SearchIndex


class Strategy(Protocol):
    """Finds a probe's nearest faces.

    Whatever keeps vectors outside PostgreSQL only proposes faces: what is answered was compared
    anew in SQL, in the caller's transaction and under its tenant's rights.
    """

    @property
    def index(self) -> SearchIndex:
        """What answers call it."""

    @property
    def recall(self) -> float:
        """The share of probes whose nearest face it finds, 0 to 1."""

    def nearest(
        self, session: Session, gallery: GalleryRef, probes: Sequence[Embedding], limit: int
    ) -> list[list[Neighbour]]:
        """For each probe its nearest `limit` faces, most similar first.

        Of equally similar faces the one that was enrolled first counts as nearer.
        """
