"""Proposed faces become an answer: compared anew in SQL, under the rights of the tenant."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.gallery import Embedding, GalleryRef
from app.domain.matching import Neighbour
from app.queries.nearest_faces import compare_faces, nearest_faces


def confirm(
    session: Session,
    gallery: GalleryRef,
    probes: Sequence[Embedding],
    proposed: Sequence[Sequence[UUID] | None],
    limit: int,
    faces: int,
    changed: Collection[UUID] = (),
) -> list[list[Neighbour]]:
    """For each probe the nearest `limit` of the faces proposed for it, as SQL compares them.

    A face that is gone meanwhile is not answered. Where one of `faces` that were not proposed may
    stand in its place, and where nothing was proposed (`None`), all are compared in SQL. Those that
    `changed` were known to: others have been proposed in their places.
    """
    answers = compare_faces(session, gallery, probes, [ids or () for ids in proposed])
    found = [answer[:limit] for answer in answers]
    again = [
        number
        for number, (ids, answer) in enumerate(zip(proposed, answers, strict=True))
        if ids is None or (len(ids) < faces and _gone(ids, answer, changed))
    ]
    anew = nearest_faces(session, gallery, [probes[number] for number in again], limit)
    for number, answer in zip(again, anew, strict=True):
        found[number] = answer
    return found


def _gone(ids: Sequence[UUID], answer: Sequence[Neighbour], changed: Collection[UUID]) -> set[UUID]:
    """The faces that are not there any more, though nobody said that they may be gone."""
    return set(ids).difference((each.face_id for each in answer), changed)
