"""A part of storing: faces of enrolment items enter the gallery, each photograph once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from app.database.bulk_rows import BulkTable
from app.domain.gallery import GalleryRef, GalleryVector
from app.domain.identifiers import new_id
from app.domain.outcomes import FoundFace, ItemOutcome
from app.domain.states import ItemState, Operation
from app.models.collection import Collection
from app.services.gallery.pgvector_store import PgVectorStore
from app.services.results.close_items import ClosedItems
from app.services.results.job_batch import FaceKey, ItemKey, JobBatch

_FACES = BulkTable(
    "bulk_faces",
    {
        "id": "uuid",
        "collection_id": "uuid",
        "subject_id": "uuid",
        "image_sha256": "bytea",
        "face_no": "smallint",
        "box": "integer[]",
        "quality": "real",
        "model": "text",
        "job_id": "uuid",
        "item_seq": "integer",
    },
)

_COLUMNS = _FACES.column_names

# In the order of the unique key, so that two batches with the same photographs never block each
# other.
_INSERT = text(
    f"INSERT INTO faces (tenant_id, {_COLUMNS}) SELECT :tenant_id, {_COLUMNS} "  # noqa: S608 - columns of ours
    "FROM pg_temp.bulk_faces ORDER BY collection_id, image_sha256, face_no "
    "ON CONFLICT (collection_id, image_sha256, face_no) DO NOTHING RETURNING id"
)

_KNOWN = text("""
SELECT row.id AS proposed, faces.id, faces.subject_id FROM pg_temp.bulk_faces AS row
JOIN faces ON faces.collection_id = row.collection_id
  AND faces.image_sha256 = row.image_sha256 AND faces.face_no = row.face_no
WHERE row.id = ANY(:proposed)
""").bindparams(bindparam("proposed", type_=ARRAY(PG_UUID)))

_COUNT = text("UPDATE collections SET face_count = face_count + :new WHERE id = :id")


@dataclass(frozen=True)
class EnrolledFace:
    """What became of a face: its gallery id, whose it is, and why it was not new if it was not."""

    face_id: UUID
    subject_id: UUID | None
    enrolled: bool
    reason: str | None = None


@dataclass(frozen=True)
class _Candidate:
    """A face that may enter its collection, under an id of its own."""

    face_id: UUID
    batch: JobBatch
    collection: Collection
    outcome: ItemOutcome
    face: FoundFace

    @property
    def key(self) -> FaceKey:
        return self.batch.job.id, self.outcome.seq, self.face.face_no


def enrol_faces(
    session: Session,
    batches: Sequence[JobBatch],
    closed: ClosedItems,
    claimed: Mapping[ItemKey, UUID | None],
) -> dict[FaceKey, EnrolledFace]:
    """Insert the faces of closed enrolment items and make them searchable.

    `claimed` says whom each item shows.
    """
    candidates = list(_candidates(batches, closed))
    if not candidates:
        return {}
    _FACES.fill(session, (_row(candidate, claimed) for candidate in candidates))
    tenant_id = candidates[0].batch.job.tenant_id
    inserted = set(session.execute(_INSERT, {"tenant_id": tenant_id}).scalars())
    _make_searchable(session, [c for c in candidates if c.face_id in inserted])
    known = _known(session, [c for c in candidates if c.face_id not in inserted])
    return {
        candidate.key: known.get(candidate.face_id)
        or EnrolledFace(candidate.face_id, claimed.get(candidate.key[:2]), enrolled=True)
        for candidate in candidates
    }


def _candidates(batches: Sequence[JobBatch], closed: ClosedItems) -> Iterator[_Candidate]:
    for batch in batches:
        if batch.operation is not Operation.ENROL or batch.collection is None:
            continue
        for seq, outcome in batch.outcomes.items():
            if closed.get((batch.job.id, seq)) is ItemState.SUCCEEDED and outcome.image:
                for face in outcome.image.faces:
                    if face.embedding is not None:
                        yield _Candidate(new_id(), batch, batch.collection, outcome, face)


def _row(candidate: _Candidate, claimed: Mapping[ItemKey, UUID | None]) -> dict[str, Any]:
    job_id, seq, face_no = candidate.key
    image = candidate.outcome.image
    return {
        "id": candidate.face_id,
        "collection_id": candidate.collection.id,
        "subject_id": claimed.get((job_id, seq)),
        "image_sha256": image.sha256 if image else None,
        "face_no": face_no,
        "box": candidate.face.box,
        "quality": candidate.face.quality,
        "model": candidate.batch.job.model,
        "job_id": job_id,
        "item_seq": seq,
    }


def _known(session: Session, candidates: Sequence[_Candidate]) -> dict[UUID, EnrolledFace]:
    """The faces that stand in the place of these, by the ids that these would have had."""
    if not candidates:
        return {}
    rows = session.execute(_KNOWN, {"proposed": [candidate.face_id for candidate in candidates]})
    return {
        row.proposed: EnrolledFace(row.id, row.subject_id, False, "already_enrolled")
        for row in rows
    }


def _make_searchable(session: Session, candidates: Sequence[_Candidate]) -> None:
    vectors: dict[GalleryRef, list[GalleryVector]] = defaultdict(list)
    for candidate in candidates:
        if (embedding := candidate.face.embedding) is not None:
            vector = GalleryVector(candidate.face_id, embedding)
            vectors[candidate.collection.gallery].append(vector)
    for gallery, of_gallery in vectors.items():
        PgVectorStore(session).add(gallery, of_gallery)
    counts = Counter(candidate.collection.id for candidate in candidates)
    for collection_id in sorted(counts):
        session.execute(_COUNT, {"new": counts[collection_id], "id": collection_id})
