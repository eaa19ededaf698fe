"""Every face is compared with a copy in memory that this host's children share."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.domain.gallery import Embedding, GalleryRef
from app.domain.matching import Neighbour
from app.domain.searches import SearchIndex
from app.services.gallery.follow_vectors import KeptCopies
from app.services.gallery.strategies.confirm import confirm
from app.services.gallery.strategies.strategy import Strategy
from app.services.gallery.strategies.warm_copies import WarmCopies


class ExactCached:
    """The copy proposes, with all that has changed since; SQL compares anew.

    Where no copy can be had, another strategy answers, and `index` says so.
    """

    recall = 1.0

    def __init__(self, kept: KeptCopies, otherwise: Strategy) -> None:
        self.index = SearchIndex.CACHED
        self._copies = WarmCopies(kept)
        self._otherwise = otherwise

    def nearest(
        self, session: Session, gallery: GalleryRef, probes: Sequence[Embedding], limit: int
    ) -> list[list[Neighbour]]:
        """See `Strategy`."""
        if not probes:
            return []
        self._copies.keep_fresh(gallery)
        found = self._copies.propose(session, gallery, probes, limit)
        if found is None and (self._copies.follow(gallery) or self._copies.make(gallery)):
            found = self._copies.propose(session, gallery, probes, limit)
        if found is None:
            self.index = self._otherwise.index
            return self._otherwise.nearest(session, gallery, probes, limit)
        return confirm(session, gallery, probes, found.face_ids, limit, found.faces, found.changed)
