"""A part of storing: compare the faces of a batch with the gallery, or with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.pgvector_store import PgVectorStore
from app.domain.gallery import Embedding, GalleryRef
from app.domain.matching import MatchRule, Neighbour, best_per_subject, cosine
from app.domain.outcomes import FoundFace, ItemOutcome
from app.domain.states import Decision
from app.models.face import Face
from app.models.subject import Subject
from app.services.job_batch import FaceKey, ItemKey, JobBatch
from app.services.match_rule import match_rule

# A subject with several faces takes several places among the nearest: look this much further.
_FACES_A_SUBJECT = 4


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


def identify_faces(session: Session, batches: Sequence[JobBatch]) -> dict[FaceKey, FaceDecision]:
    """Search every good enough face in its job's gallery: one search a collection."""
    galleries: dict[UUID, list[JobBatch]] = defaultdict(list)
    for batch in batches:
        if batch.collection is not None:
            galleries[batch.collection.id].append(batch)
    decisions: dict[FaceKey, FaceDecision] = {}
    for of_gallery in galleries.values():
        decisions |= _search(session, of_gallery)
    return decisions


def _search(session: Session, batches: Sequence[JobBatch]) -> dict[FaceKey, FaceDecision]:
    """The decisions for jobs of one collection; each keeps as many candidates as it asked for."""
    probes = {key: (batch, face) for batch in batches for key, face in _probes(batch)}
    store = PgVectorStore(session)
    limit = max(batch.options.top_k for batch in batches) * _FACES_A_SUBJECT
    nearest = store.search(_gallery(batches[0]), [e for _, e in probes.values()], limit)
    rules = {batch.job.model: match_rule(batch.job.model, batch.collection) for batch in batches}
    names = _external_ids(session, nearest)
    return {
        key: _decide(
            rules[batch.job.model],
            best_per_subject(neighbours, batch.options.top_k),
            names,
            store.index_name,
        )
        for (key, (batch, _)), neighbours in zip(probes.items(), nearest, strict=True)
    }


def _probes(batch: JobBatch) -> Iterator[tuple[FaceKey, Embedding]]:
    for seq, outcome in batch.outcomes.items():
        if outcome.error is not None or outcome.image is None:
            continue
        for face in outcome.image.faces:
            if face.embedding is not None and face.quality >= batch.options.min_quality:
                yield (batch.job.id, seq, face.face_no), face.embedding


def _gallery(batch: JobBatch) -> GalleryRef:
    if batch.collection is None:
        raise ValueError("a job without a collection has no gallery")
    collection = batch.collection
    return GalleryRef(collection.tenant_id, collection.id, collection.dimensions)


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
    session: Session, batches: Sequence[JobBatch], claimed: Mapping[ItemKey, UUID | None]
) -> dict[ItemKey, PairDecision]:
    """Compare each item's faces with its reference image, or with the claimed subject's faces."""
    decisions: dict[ItemKey, PairDecision] = {}
    for batch in batches:
        rule = match_rule(batch.job.model, batch.collection)
        for seq, outcome in batch.outcomes.items():
            if outcome.error is not None or outcome.image is None:
                continue
            key = batch.job.id, seq
            similarity = _best_pair(session, batch, outcome, claimed.get(key))
            decisions[key] = PairDecision(
                rule.decide_pair(similarity), similarity, rule.false_match_rate(similarity)
            )
    return decisions


def _best_pair(
    session: Session, batch: JobBatch, outcome: ItemOutcome, subject_id: UUID | None
) -> float:
    probes = _embeddings(outcome.image.faces) if outcome.image else []
    if outcome.reference is not None:
        others = _embeddings(outcome.reference.faces)
    else:
        others = _subject_embeddings(session, batch, subject_id)
    return max((cosine(a, b) for a in probes for b in others), default=-1.0)


def _embeddings(faces: Iterable[FoundFace]) -> list[Embedding]:
    return [face.embedding for face in faces if face.embedding is not None]


def _subject_embeddings(
    session: Session, batch: JobBatch, subject_id: UUID | None
) -> list[Embedding]:
    if batch.collection is None or subject_id is None:
        return []
    faces = session.execute(select(Face.id).where(Face.subject_id == subject_id)).scalars().all()
    return PgVectorStore(session).read(_gallery(batch), faces)
