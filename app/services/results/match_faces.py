"""A part of storing: compare the faces of a batch with the gallery, or with each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.gallery import Embedding
from app.domain.matching import MatchRule, Neighbour, cosine
from app.domain.outcomes import FoundFace
from app.domain.searches import SearchReport
from app.domain.states import Decision
from app.models.collection import Collection
from app.models.subject import Subject
from app.services.gallery.match_rule import match_rule
from app.services.gallery.search import compare, nearest_subjects
from app.services.results.job_batch import FaceKey, ItemKey, JobBatch

# Whoever is matched, it takes the one after to tell whether the answer is ambiguous.
_TO_DECIDE = 2


@dataclass(frozen=True)
class FaceDecision:
    """What was decided about one face of an item, by which rule."""

    decision: Decision
    matches: list[dict[str, Any]]
    threshold: float
    search: SearchReport


@dataclass(frozen=True)
class PairDecision:
    """The answer of a one-to-one comparison: the best pair of faces counts.

    Without similarity there was nothing to compare with: the claimed subject has no faces.
    """

    decision: Decision
    similarity: float | None
    fmr: float | None


def identify_faces(session: Session, batches: Sequence[JobBatch]) -> dict[FaceKey, FaceDecision]:
    """Search every embedded face in its job's gallery: one search a collection."""
    of_gallery: dict[UUID, tuple[Collection, list[JobBatch]]] = {}
    for batch in batches:
        if batch.collection is not None:
            of_gallery.setdefault(batch.collection.id, (batch.collection, []))[1].append(batch)
    decisions: dict[FaceKey, FaceDecision] = {}
    for collection, searching in of_gallery.values():
        decisions |= _search(session, collection, searching)
    return decisions


def _search(
    session: Session, collection: Collection, batches: Sequence[JobBatch]
) -> dict[FaceKey, FaceDecision]:
    """The decisions for jobs of one collection; each keeps as many candidates as it asked for."""
    probes = {key: (batch, face) for batch in batches for key, face in _probes(batch)}
    wanted = max(_TO_DECIDE, *(batch.options.top_k for batch in batches))
    found = nearest_subjects(session, collection, [e for _, e in probes.values()], wanted)
    rules = {batch.job.model: match_rule(batch.job.model, collection) for batch in batches}
    names = _external_ids(session, found.nearest)
    return {
        key: _decide(rules[batch.job.model], candidates, batch.options.top_k, names, found.report)
        for (key, (batch, _)), candidates in zip(probes.items(), found.nearest, strict=True)
    }


def _probes(batch: JobBatch) -> Iterator[tuple[FaceKey, Embedding]]:
    for seq, outcome in batch.outcomes.items():
        if outcome.error is not None or outcome.image is None:
            continue
        for face in outcome.image.faces:
            if face.embedding is not None:
                yield (batch.job.id, seq, face.face_no), face.embedding


def _external_ids(session: Session, nearest: Sequence[Sequence[Neighbour]]) -> dict[UUID, str]:
    ids = {n.subject_id for neighbours in nearest for n in neighbours if n.subject_id}
    rows = session.execute(select(Subject.id, Subject.external_id).where(Subject.id.in_(ids)))
    return {row.id: row.external_id for row in rows}


def _decide(
    rule: MatchRule,
    candidates: Sequence[Neighbour],
    top_k: int,
    names: Mapping[UUID, str],
    search: SearchReport,
) -> FaceDecision:
    matches = [
        {
            "subject": names.get(c.subject_id) if c.subject_id else None,
            "subject_id": str(c.subject_id) if c.subject_id else None,
            "face_id": str(c.face_id),
            "similarity": round(c.similarity, 6),
            "fmr": rule.false_match_rate(c.similarity),
        }
        for c in candidates[:top_k]
    ]
    return FaceDecision(rule.decide(candidates), matches, rule.threshold, search)


def verify_pairs(
    session: Session, batches: Sequence[JobBatch], claimed: Mapping[ItemKey, UUID | None]
) -> dict[ItemKey, PairDecision]:
    """Compare each item's faces with its reference image, or with the claimed subject's faces."""
    decisions: dict[ItemKey, PairDecision] = {}
    for batch in batches:
        rule = match_rule(batch.job.model, batch.collection)
        for seq, similarities in _compared(session, batch, claimed).items():
            decisions[batch.job.id, seq] = _decide_pair(rule, max(similarities, default=None))
    return decisions


def _compared(
    session: Session, batch: JobBatch, claimed: Mapping[ItemKey, UUID | None]
) -> dict[int, list[float]]:
    """The similarities of the faces that each item compares; one search for a job's claims."""
    found: dict[int, list[float]] = {}
    claims: list[tuple[int, Embedding, UUID]] = []
    for seq, outcome in batch.outcomes.items():
        if outcome.error is not None or outcome.image is None:
            continue
        probes = _embeddings(outcome.image.faces)
        others = _embeddings(outcome.reference.faces) if outcome.reference else []
        found[seq] = [cosine(probe, other) for probe in probes for other in others]
        if subject_id := claimed.get((batch.job.id, seq)):
            claims += [(seq, probe, subject_id) for probe in probes]
    if batch.collection is not None:
        pairs = [(probe, subject_id) for _, probe, subject_id in claims]
        answers = compare(session, batch.collection, pairs)
        for (seq, _, _), similarity in zip(claims, answers, strict=True):
            if similarity is not None:
                found[seq].append(similarity)
    return found


def _decide_pair(rule: MatchRule, similarity: float | None) -> PairDecision:
    if similarity is None:
        return PairDecision(Decision.NO_MATCH, None, None)
    fmr = rule.false_match_rate(similarity)
    return PairDecision(rule.decide_pair(similarity), similarity, fmr)


def _embeddings(faces: Iterable[FoundFace]) -> list[Embedding]:
    return [face.embedding for face in faces if face.embedding is not None]
