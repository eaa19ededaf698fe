"""A part of storing: faces of enrolment items enter the gallery, each photograph once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.gallery import KnownFace, NewFace
from app.domain.identifiers import new_id
from app.domain.outcomes import FoundImage
from app.domain.states import ItemState, Operation
from app.models.collection import Collection
from app.models.job import Job
from app.services.gallery.vectors import add_faces
from app.services.results.close_items import ClosedItems
from app.services.results.job_batch import FaceKey
from app.services.results.judge_batch import Judgement


@dataclass(frozen=True)
class EnrolledFace:
    """What became of a face: its gallery id, whose it is, and why it was not new if it was not."""

    face_id: UUID
    subject_id: UUID | None
    enrolled: bool
    reason: str | None = None


def enrol_faces(
    session: Session, tenant_id: UUID, judged: Judgement, closed: ClosedItems
) -> dict[FaceKey, EnrolledFace]:
    """Let the faces of closed enrolment items enter the gallery; says what became of each."""
    candidates = list(_candidates(judged, closed))
    known = add_faces(session, tenant_id, candidates)
    return {
        (face.job_id, face.item_seq, face.face_no): _enrolled(face, known.get(face.face_id))
        for face in candidates
    }


def _candidates(judged: Judgement, closed: ClosedItems) -> Iterator[NewFace]:
    for batch in judged.batches:
        if batch.operation is not Operation.ENROL or batch.collection is None:
            continue
        for seq, outcome in batch.outcomes.items():
            key = batch.job.id, seq
            if closed.get(key) is ItemState.SUCCEEDED and outcome.image:
                subject_id = judged.claimed.get(key)
                yield from _faces(batch.job, batch.collection, seq, outcome.image, subject_id)


def _faces(
    job: Job, collection: Collection, seq: int, image: FoundImage, subject_id: UUID | None
) -> Iterator[NewFace]:
    """The faces of an image that have an embedding, each under an id of its own."""
    gallery = replace(collection.gallery, space=job.model)
    for face in image.faces:
        if face.embedding is not None:
            yield NewFace(
                face_id=new_id(),
                gallery=gallery,
                subject_id=subject_id,
                image_sha256=image.sha256,
                face_no=face.face_no,
                box=face.box,
                quality=face.quality,
                model=job.model,
                job_id=job.id,
                item_seq=seq,
                embedding=face.embedding,
            )


def _enrolled(face: NewFace, known: KnownFace | None) -> EnrolledFace:
    if known is None:
        return EnrolledFace(face.face_id, face.subject_id, enrolled=True)
    return EnrolledFace(known.face_id, known.subject_id, False, "already_enrolled")
