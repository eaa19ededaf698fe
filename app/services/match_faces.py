"""A part of storing: compare the faces of a batch with the gallery, or with each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.pgvector_store import PgVectorStore
from app.domain.gallery import Embedding, GalleryRef
from app.domain.job_options import JobOptions
from app.domain.matching import MatchRule, Neighbour, best_per_subject, cosine
from app.domain.outcomes import FoundFace, ItemOutcome
from app.domain.states import Decision
from app.models.collection import Collection
from app.models.face import Face
from app.models.job import Job
from app.models.subject import Subject
from app.services.match_rule import match_rule

# A subject with several faces takes several places among the nearest: look this much further.
_FACES_A_SUBJECT = 4

FaceKey = tuple[int, int]


@dataclass(frozen=True)
class FaceDecision:
    """What was decided about one face of an item, by which rule."""

    decision: Decision
    matches: list[dict[str, Any]]
    threshold: float
    search_index: str


@dataclass(frozen=True)
class PairDecision:
    """The answer of a one-to-one comparison: the best pair of faces counts."""

    decision: Decision
    similarity: float
    fmr: float


def identify_faces(
    session: Session, job: Job, collection: Collection, outcomes: Iterable[ItemOutcome]
) -> dict[FaceKey, FaceDecision]:
    """Search every good enough face of a batch in the gallery; keys are (seq, face_no)."""
    options = JobOptions.from_json(job.options)
    probes = {
        (outcome.seq, face.face_no): face.embedding
        for outcome in outcomes
        if outcome.error is None and outcome.image is not None
        for face in outcome.image.faces
        if face.embedding is not None and face.quality >= options.min_quality
    }
    store = PgVectorStore(session)
    gallery = GalleryRef(job.tenant_id, collection.id, collection.dimensions)
    nearest = store.search(gallery, list(probes.values()), options.top_k * _FACES_A_SUBJECT)
    rule = match_rule(job.model, collection)
    names = _external_ids(session, nearest)
    return {
        key: _decide(rule, best_per_subject(neighbours, options.top_k), names, store.index_name)
        for key, neighbours in zip(probes, nearest, strict=True)
    }


def _external_ids(session: Session, nearest: Sequence[Sequence[Neighbour]]) -> dict[UUID, str]:
    ids = {n.subject_id for neighbours in nearest for n in neighbours if n.subject_id}
    rows = session.execute(select(Subject.id, Subject.external_id).where(Subject.id.in_(ids)))
    return {row.id: row.external_id for row in rows}


def _decide(
    rule: MatchRule, candidates: list[Neighbour], names: Mapping[UUID, str], index: str
) -> FaceDecision:
    matches = [
        {
            "subject": names.get(c.subject_id) if c.subject_id else None,
            "subject_id": str(c.subject_id) if c.subject_id else None,
            "face_id": str(c.face_id),
            "similarity": round(c.similarity, 6),
            "fmr": rule.false_match_rate(c.similarity),
        }
        for c in candidates
    ]
    return FaceDecision(rule.decide(candidates), matches, rule.threshold, index)


def verify_pairs(
    session: Session,
    job: Job,
    collection: Collection | None,
    outcomes: Iterable[ItemOutcome],
    claimed: Mapping[int, UUID | None],
) -> dict[int, PairDecision]:
    """Compare each item's faces with its reference image, or with the claimed subject's faces."""
    rule = match_rule(job.model, collection)
    decisions = {}
    for outcome in outcomes:
        if outcome.error is not None or outcome.image is None:
            continue
        probes = _embeddings(outcome.image.faces)
        if outcome.reference is not None:
            others = _embeddings(outcome.reference.faces)
        else:
            others = _subject_embeddings(session, job, collection, claimed.get(outcome.seq))
        similarity = max((cosine(a, b) for a in probes for b in others), default=-1.0)
        decisions[outcome.seq] = PairDecision(
            rule.decide_pair(similarity), similarity, rule.false_match_rate(similarity)
        )
    return decisions


def _embeddings(faces: Iterable[FoundFace]) -> list[Embedding]:
    return [face.embedding for face in faces if face.embedding is not None]


def _subject_embeddings(
    session: Session, job: Job, collection: Collection | None, subject_id: UUID | None
) -> list[Embedding]:
    if collection is None or subject_id is None:
        return []
    gallery = GalleryRef(job.tenant_id, collection.id, collection.dimensions)
    faces = session.execute(select(Face.id).where(Face.subject_id == subject_id)).scalars().all()
    return PgVectorStore(session).read(gallery, faces)
