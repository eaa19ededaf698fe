"""A part of storing: compare the faces of a batch with the gallery, or with each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calibration import RateBasis
from app.domain.gallery import Embedding
from app.domain.job_options import JobOptions
from app.domain.matching import MatchRule, Neighbour, cosine
from app.domain.outcomes import FoundFace
from app.domain.photograph import decide_photograph
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
    threshold_reason: dict[str, Any]
    search: SearchReport


@dataclass(frozen=True)
class PairDecision:
    """The answer of a one-to-one comparison: the best pair of faces counts.

    Without similarity there was nothing to compare with: the claimed subject has no faces.
    """

    decision: Decision
    similarity: float | None
    fmr: float | None
    fmr_basis: RateBasis | None


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
    probes = {key: face for batch in batches for key, face in _probes(batch)}
    rules = {batch.job.id: match_rule(batch.job.model, collection) for batch in batches}
    wanted = max(_TO_DECIDE, *(batch.options.top_k for batch in batches))
    found = nearest_subjects(session, collection, list(probes.values()), wanted)
    nearest = dict(zip(probes, found.nearest, strict=True))
    for batch in batches:
        nearest |= _further(session, collection, batch, rules[batch.job.id], probes, nearest)
    names = _external_ids(session, list(nearest.values()))
    decisions: dict[FaceKey, FaceDecision] = {}
    for batch in batches:
        for keys in _photographs(batch, probes):
            rule = rules[batch.job.id]
            decided = _decide(rule, batch.options, {key: nearest[key] for key in keys}, names)
            for key, (decision, matches) in decided.items():
                reason = rule.reason.as_json()
                decisions[key] = FaceDecision(
                    decision, matches, rule.threshold, reason, found.report
                )
    return decisions


def _further(
    session: Session,
    collection: Collection,
    batch: JobBatch,
    rule: MatchRule,
    probes: Mapping[FaceKey, Embedding],
    nearest: Mapping[FaceKey, list[Neighbour]],
) -> dict[FaceKey, list[Neighbour]]:
    """More candidates where all that were found match: other faces of the image may be theirs."""
    further: dict[FaceKey, list[Neighbour]] = {}
    if not batch.options.distinct_people:
        return further
    for keys in _photographs(batch, probes):
        full = [k for k in keys if nearest[k] and nearest[k][-1].similarity >= rule.threshold]
        if len(keys) > 1 and full:
            wanted = max(len(nearest[key]) for key in full) + len(keys) - 1
            again = nearest_subjects(session, collection, [probes[key] for key in full], wanted)
            further |= zip(full, again.nearest, strict=True)
    return further


def _photographs(batch: JobBatch, probes: Mapping[FaceKey, Embedding]) -> Iterator[list[FaceKey]]:
    """The searched faces of each image."""
    of_item: dict[int, list[FaceKey]] = {}
    for key in probes:
        if key[0] == batch.job.id:
            of_item.setdefault(key[1], []).append(key)
    yield from of_item.values()


def _decide(
    rule: MatchRule,
    options: JobOptions,
    nearest: Mapping[FaceKey, Sequence[Neighbour]],
    names: Mapping[UUID, str],
) -> dict[FaceKey, tuple[Decision, list[dict[str, Any]]]]:
    """Decide about the faces of one image, together."""
    keys = list(nearest)
    decided = decide_photograph(rule, list(nearest.values()), distinct=options.distinct_people)
    return {
        key: (
            face.decision,
            [
                _match(rule, candidate, names, face.taken, keys)
                for candidate in _free_first(nearest[key], face.taken)[: options.top_k]
            ],
        )
        for key, face in zip(keys, decided, strict=True)
    }


def _free_first(candidates: Sequence[Neighbour], taken: Mapping[UUID, int]) -> list[Neighbour]:
    """Whom a face may be before whom it may not: who is matched stands first, always."""
    return sorted(candidates, key=lambda near: near.subject_id in taken)


def _match(
    rule: MatchRule,
    candidate: Neighbour,
    names: Mapping[UUID, str],
    taken: Mapping[UUID, int],
    keys: Sequence[FaceKey],
) -> dict[str, Any]:
    subject = candidate.subject_id
    match = {
        "subject": names.get(subject) if subject else None,
        "subject_id": str(subject) if subject else None,
        "face_id": str(candidate.face_id),
        "similarity": round(candidate.similarity, 6),
        **_rated(rule, candidate.similarity),
    }
    if subject is not None and subject in taken:
        _, _, match["taken_by"] = keys[taken[subject]]
    return match


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


def _rated(rule: MatchRule, similarity: float) -> dict[str, Any]:
    rate, basis = rule.rate(similarity)
    return {"fmr": rate, "fmr_basis": basis.value}


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
        return PairDecision(Decision.NO_MATCH, None, None, None)
    return PairDecision(rule.decide_pair(similarity), similarity, *rule.rate(similarity))


def _embeddings(faces: Iterable[FoundFace]) -> list[Embedding]:
    return [face.embedding for face in faces if face.embedding is not None]
