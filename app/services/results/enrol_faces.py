"""A part of storing: faces of enrolment items enter the gallery, each photograph once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.actor import SYSTEM
from app.domain.gallery import AddedFaces, KnownFace, NewFace, NotNew
from app.domain.identifiers import new_id
from app.domain.outcomes import FoundImage
from app.domain.states import ItemState, Operation
from app.queries.shard_items import Claim
from app.services.gallery.vectors import add_faces
from app.services.results.close_items import ClosedItems
from app.services.results.job_batch import FaceKey, JobBatch
from app.services.results.judge_batch import Judgement
from app.services.tenancy.record_audit import record_audit


@dataclass(frozen=True)
class EnrolledFace:
    """What became of a face: its gallery id, whose it is, and why it was not new if it was not.

    `moved_from`: whose it was before; `replaced`: the faces that were erased for it.
    """

    face_id: UUID
    subject_id: UUID | None
    enrolled: bool
    reason: NotNew | None = None
    moved_from: UUID | None = None
    replaced: Sequence[UUID] = ()


def enrol_faces(
    session: Session, tenant_id: UUID, judged: Judgement, closed: ClosedItems
) -> dict[FaceKey, EnrolledFace]:
    """Let the faces of closed enrolment items enter the gallery; says what became of each."""
    candidates = list(_candidates(judged, closed))
    added = add_faces(session, tenant_id, candidates)
    _audit(session, tenant_id, candidates, added)
    return {
        (face.job_id, face.item_seq, face.face_no): replace(
            _enrolled(face, added.known.get(face.face_id)),
            replaced=added.replaced.get(face.face_id, ()),
        )
        for face in candidates
    }


def _candidates(judged: Judgement, closed: ClosedItems) -> Iterator[NewFace]:
    for batch in judged.batches:
        if batch.operation is not Operation.ENROL:
            continue
        for seq, outcome in batch.outcomes.items():
            key = batch.job.id, seq
            if closed.get(key) is ItemState.SUCCEEDED and outcome.image:
                yield from _faces(batch, seq, outcome.image, judged.claimed[key])


def _faces(batch: JobBatch, seq: int, image: FoundImage, claim: Claim) -> Iterator[NewFace]:
    """The faces of an image that have an embedding, each under an id of its own."""
    job, collection = batch.job, batch.collection
    if collection is None:
        return
    gallery = replace(collection.gallery, space=job.model)
    for face in image.faces:
        if face.embedding is not None:
            yield NewFace(
                face_id=new_id(),
                gallery=gallery,
                subject_id=claim.subject_id,
                image_sha256=image.sha256,
                face_no=face.face_no,
                box=face.box,
                quality=face.quality,
                model=job.model,
                job_id=job.id,
                item_seq=seq,
                embedding=face.embedding,
                place_sha256=claim.place_sha256,
                moves=batch.options.on_conflict == "move",
                replaces=batch.options.on_changed == "replace",
            )


def _enrolled(face: NewFace, known: KnownFace | None) -> EnrolledFace:
    if known is None:
        return EnrolledFace(face.face_id, face.subject_id, enrolled=True)
    if known.moved:
        return EnrolledFace(known.face_id, known.subject_id, True, NotNew.MOVED, known.moved_from)
    # Where nobody was named, whose it is contradicts nothing.
    same = face.subject_id in {None, known.subject_id}
    reason = NotNew.ALREADY_ENROLLED if same else NotNew.ENROLLED_AS_OTHER
    return EnrolledFace(known.face_id, known.subject_id, False, reason)


def _audit(
    session: Session, tenant_id: UUID, candidates: Sequence[NewFace], added: AddedFaces
) -> None:
    """One event a job of what its batch moved, and one of what it replaced."""
    moved: dict[UUID, list[dict[str, str | None]]] = defaultdict(list)
    replaced: dict[UUID, list[str]] = defaultdict(list)
    for face in candidates:
        if (known := added.known.get(face.face_id)) and known.moved:
            moved[face.job_id].append(_move(known))
        replaced[face.job_id] += map(str, added.replaced.get(face.face_id, ()))
    told: tuple[tuple[str, Mapping[UUID, Sequence[object]]], ...]
    told = (("job.faces_moved", moved), ("job.faces_replaced", replaced))
    for action, of_job in told:
        for job_id, faces in of_job.items():
            if faces:
                detail = {"faces": faces}
                record_audit(session, tenant_id, SYSTEM, action, "job", job_id, detail)


def _move(face: KnownFace) -> dict[str, str | None]:
    return {
        "face_id": str(face.face_id),
        "from": str(face.moved_from) if face.moved_from else None,
        "to": str(face.subject_id),
    }
