"""Every face is compared in SQL: nothing to prepare, so the best for few faces or few probes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.domain.gallery import Embedding, GalleryRef
from app.domain.matching import Neighbour
from app.domain.searches import SearchIndex
from app.queries.nearest_faces import nearest_faces


class ExactSql:
    """A scan of the collection for each probe."""

    index = SearchIndex.EXACT
    recall = 1.0

    def nearest(
        self, session: Session, gallery: GalleryRef, probes: Sequence[Embedding], limit: int
    ) -> list[list[Neighbour]]:
        """See `Strategy`."""
        return nearest_faces(session, gallery, probes, limit)
