"""A part of storing: faces of enrolment items enter the gallery, each photograph once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.adapters.pgvector_store import PgVectorStore
from app.domain.gallery import GalleryRef, GalleryVector
from app.domain.identifiers import new_id
from app.domain.outcomes import FoundFace, ItemOutcome
from app.models.collection import Collection
from app.models.job import Job
from app.services.match_faces import FaceKey

_INSERT = text("""
INSERT INTO faces (id, tenant_id, collection_id, subject_id, image_sha256, face_no, box, quality,
                   model, job_id, item_seq)
SELECT row.id, :tenant_id, :collection_id, row.subject_id, decode(row.sha256, 'hex'), row.face_no,
       row.box, row.quality, :model, :job_id, row.item_seq
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (id uuid, subject_id uuid, sha256 text,
  face_no smallint, box integer[], quality real, item_seq integer)
ORDER BY row.sha256, row.face_no
ON CONFLICT (collection_id, image_sha256, face_no) DO NOTHING
RETURNING id
""")

_EXISTING = text("""
SELECT row.id AS proposed, faces.id, faces.subject_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (id uuid, sha256 text, face_no smallint)
JOIN faces ON faces.collection_id = :collection_id
  AND faces.image_sha256 = decode(row.sha256, 'hex') AND faces.face_no = row.face_no
""")


@dataclass(frozen=True)
class EnrolledFace:
    """What became of a face: its gallery id, whose it is, and why it was not new if it was not."""

    face_id: UUID
    subject_id: UUID | None
    enrolled: bool
    reason: str | None = None


def enrol_faces(
    session: Session,
    job: Job,
    collection: Collection,
    outcomes: Sequence[ItemOutcome],
    claimed: Mapping[int, UUID | None],
) -> dict[FaceKey, EnrolledFace]:
    """Insert the faces of these items and make them searchable; keys are (seq, face_no).

    `claimed` says whom each item shows, by its number.
    """
    faces = {
        (outcome.seq, face.face_no): (new_id(), outcome, face)
        for outcome in outcomes
        if outcome.image is not None
        for face in outcome.image.faces
        if face.embedding is not None
    }
    rows = json.dumps(
        [_row(face_id, o, face, claimed.get(o.seq)) for face_id, o, face in faces.values()]
    )
    parameters = {
        "tenant_id": job.tenant_id,
        "collection_id": collection.id,
        "model": job.model,
        "job_id": job.id,
        "rows": rows,
    }
    inserted = set(session.execute(_INSERT, parameters).scalars())
    _make_searchable(session, job, collection, faces, inserted)
    existing = {row.proposed: row for row in session.execute(_EXISTING, parameters)}
    return {
        key: (
            EnrolledFace(face_id, claimed.get(key[0]), enrolled=True)
            if face_id in inserted
            else EnrolledFace(
                existing[face_id].id,
                existing[face_id].subject_id,
                enrolled=False,
                reason="already_enrolled",
            )
        )
        for key, (face_id, _, _) in faces.items()
    }


def _row(
    face_id: UUID, outcome: ItemOutcome, face: FoundFace, subject_id: UUID | None
) -> dict[str, Any]:
    return {
        "id": str(face_id),
        "subject_id": str(subject_id) if subject_id else None,
        "sha256": outcome.image.sha256.hex() if outcome.image else None,
        "face_no": face.face_no,
        "box": face.box,
        "quality": face.quality,
        "item_seq": outcome.seq,
    }


def _make_searchable(
    session: Session,
    job: Job,
    collection: Collection,
    faces: dict[FaceKey, tuple[UUID, ItemOutcome, FoundFace]],
    inserted: set[UUID],
) -> None:
    gallery = GalleryRef(job.tenant_id, collection.id, collection.dimensions)
    vectors = [
        GalleryVector(face_id, None, face.embedding)
        for face_id, _, face in faces.values()
        if face_id in inserted and face.embedding is not None
    ]
    PgVectorStore(session).add(gallery, vectors)
    session.execute(
        text("UPDATE collections SET face_count = face_count + :new WHERE id = :id"),
        {"new": len(inserted), "id": collection.id},
    )
