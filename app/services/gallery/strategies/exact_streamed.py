"""Every face is compared here: one COPY of the collection serves all probes of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.domain.gallery import Embedding, GalleryRef
from app.domain.matching import Neighbour
from app.domain.searches import SearchIndex
from app.queries.copied_vectors import copy_vectors
from app.services.gallery.strategies.candidates import Candidates
from app.services.gallery.strategies.confirm import confirm


class ExactStreamed:
    """A product with each block of the collection as it comes in; nothing of it is kept."""

    index = SearchIndex.STREAMED
    recall = 1.0

    def nearest(
        self, session: Session, gallery: GalleryRef, probes: Sequence[Embedding], limit: int
    ) -> list[list[Neighbour]]:
        """See `Strategy`."""
        if not probes:
            return []
        candidates = Candidates(probes, limit)
        faces = copy_vectors(session, gallery, candidates.take)
        return confirm(session, gallery, probes, candidates.proposed(), limit, faces)
