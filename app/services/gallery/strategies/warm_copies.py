"""Copies of galleries in shared memory: made, brought up to date, and asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from app.adapters.copy_memory import Copy
from app.database.transactions import separate_transaction
from app.domain.gallery import Embedding, GalleryRef
from app.queries.copied_vectors import FaceBlock, copy_vectors
from app.queries.vector_tail import changed_since, horizon
from app.services.gallery.follow_vectors import MOST_IDLE_S, KeptCopies
from app.services.gallery.strategies.candidates import Candidates

# So many changed faces are compared in SQL with every probe; with more, the copy follows first.
MOST_CHANGED = 64
_MOST_FOLLOWED = 20_000
# A copy that is searched follows this often, so that few changes are left for each search.
_FOLLOW_S = 2.0


@dataclass(frozen=True)
class Proposal:
    """For each probe the faces that may be among its nearest, of so many `faces`.

    What has changed since the copy was made, up to this moment and in the caller's transaction too,
    is proposed to every probe.
    """

    face_ids: list[list[UUID] | None]
    faces: int
    changed: set[UUID]


class WarmCopies:
    """Those that this worker keeps. Whatever cannot be had at once is not waited for."""

    def __init__(self, kept: KeptCopies) -> None:
        self._memory = kept.memory
        self._follower = kept.follower

    def propose(
        self, session: Session, gallery: GalleryRef, probes: Sequence[Embedding], limit: int
    ) -> Proposal | None:
        """The faces that may be among the nearest of each probe; None: there is no copy to ask."""
        with self._memory.read(gallery) as copy:
            if copy is None or copy.epoch != self._memory.epoch or copy.age_s > MOST_IDLE_S:
                return None
            tail = changed_since(session, gallery, self._follower, copy.position, MOST_CHANGED + 1)
            if not tail.complete or len(tail.face_ids) > MOST_CHANGED:
                return None
            # What changed may have gone: so many more are looked at.
            candidates = Candidates(probes, limit + len(tail.face_ids))
            faces = 0
            for segment in copy.segments():
                faces += len(segment.ids)
                candidates.take_unit(FaceBlock(segment.ids, segment.vectors))
            proposed = candidates.proposed()
        changed = set(tail.face_ids)
        everyone = [
            None if ids is None else [*changed, *(each for each in ids if each not in changed)]
            for ids in proposed
        ]
        return Proposal(everyone, faces + len(changed), changed)

    def make(self, gallery: GalleryRef) -> bool:
        """Copy a gallery, in a transaction of its own: nothing that may be rolled back is copied.

        False where there is no room, or others are at it, or changes are not told of yet.
        """
        epoch = self._memory.epoch
        with self._memory.change(gallery, new=True) as copy:
            if copy is None or not epoch:
                return False
            with separate_transaction(gallery.tenant_id) as session:
                position = horizon(session)
                # What began before may not have seen that its changes are to be told.
                if position < epoch:
                    return False
                fits = _Fitting(copy)
                copy_vectors(session, gallery, fits.take)
            if fits.all:
                copy.finish(position, epoch)
            return fits.all

    def keep_fresh(self, gallery: GalleryRef) -> None:
        """Let the copy follow, if there is one and it has not for some seconds."""
        age = self._memory.age_s(gallery)
        if age is not None and age > _FOLLOW_S:
            self.follow(gallery)

    def follow(self, gallery: GalleryRef) -> bool:
        """Bring the copy of a gallery up to date; False where it cannot be, and then it may go."""
        with self._memory.change(gallery) as copy:
            if copy is None or copy.epoch != self._memory.epoch:
                return False
            with separate_transaction(gallery.tenant_id) as session:
                position = horizon(session)
                tail = changed_since(
                    session, gallery, self._follower, copy.position, _MOST_FOLLOWED + 1
                )
                if not tail.complete or len(tail.face_ids) > _MOST_FOLLOWED:
                    return False
                fits = _Fitting(copy)
                if tail.face_ids:
                    copy.remove(_as_bytes(tail.face_ids))
                    copy_vectors(session, gallery, fits.take, tail.face_ids)
            if fits.all:
                copy.finish(position, copy.epoch)
            return fits.all


class _Fitting:
    """Takes blocks into a copy as long as there is room."""

    def __init__(self, copy: Copy) -> None:
        self._copy = copy
        self.all = True

    def take(self, block: FaceBlock) -> None:
        self.all = self.all and self._copy.append(block.ids, block.vectors)


def _as_bytes(face_ids: Sequence[UUID]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(each.bytes for each in face_ids), np.uint8).reshape(-1, 16)
