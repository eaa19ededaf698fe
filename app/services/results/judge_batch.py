"""A part of storing: what a batch amounts to, decided before anything of it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.item_errors import SubjectDeleted
from app.domain.item_rules import judge
from app.domain.outcomes import ItemOutcome
from app.domain.states import Operation
from app.queries.shard_items import Claim, claims
from app.services.results.job_batch import FaceKey, ItemKey, JobBatch
from app.services.results.match_faces import (
    FaceDecision,
    PairDecision,
    identify_faces,
    verify_pairs,
)

_CLAIMING = {Operation.ENROL, Operation.VERIFY}

_LIVING_SUBJECTS = "SELECT id FROM subjects WHERE id = ANY (:ids) ORDER BY id FOR {lock}"


@dataclass(frozen=True)
class Judgement:
    """The batches with their outcomes as the operations see them, and what was decided about them.

    `claimed` says whom each item shows, or is compared with, where that can be claimed.
    """

    batches: Sequence[JobBatch]
    claimed: Mapping[ItemKey, Claim] = field(default_factory=dict)
    faces: Mapping[FaceKey, FaceDecision] = field(default_factory=dict)
    pairs: Mapping[ItemKey, PairDecision] = field(default_factory=dict)

    @cached_property
    def outcomes(self) -> dict[ItemKey, ItemOutcome]:
        """What each item of the batches amounts to."""
        return {
            (batch.job.id, seq): outcome
            for batch in self.batches
            for seq, outcome in batch.outcomes.items()
        }


def judge_batches(session: Session, batches: Sequence[JobBatch]) -> Judgement:
    """Apply each job's rules to what was recognised; `batches` stay as they are."""
    claimed = _claimed(session, batches)
    subjects = {key: claim.subject_id for key, claim in claimed.items()}
    living = _living(session, batches, subjects)
    judged = [
        replace(
            batch,
            outcomes={
                seq: _judge(batch, outcome, subjects.get((batch.job.id, seq)), living)
                for seq, outcome in batch.outcomes.items()
            },
        )
        for batch in batches
    ]
    return Judgement(
        judged,
        claimed,
        identify_faces(session, [b for b in judged if b.operation is Operation.IDENTIFY]),
        verify_pairs(session, [b for b in judged if b.operation is Operation.VERIFY], subjects),
    )


def _judge(
    batch: JobBatch, outcome: ItemOutcome, subject: UUID | None, living: set[UUID]
) -> ItemOutcome:
    if subject is not None and subject not in living:
        error = SubjectDeleted("the subject was deleted meanwhile")
        return replace(outcome, reference=None, error=error)
    return judge(batch.operation, batch.options, outcome)


def _claimed(session: Session, batches: Sequence[JobBatch]) -> dict[ItemKey, Claim]:
    """Asked only where somebody can be claimed."""
    keys = [
        (batch.job.id, seq)
        for batch in batches
        if batch.operation in _CLAIMING
        for seq in batch.outcomes
    ]
    return claims(session, keys) if keys else {}


def _living(
    session: Session, batches: Sequence[JobBatch], subjects: Mapping[ItemKey, UUID | None]
) -> set[UUID]:
    """The subjects that are still there, and stay until we have committed.

    Faces that replace others wait for each other here: none of two would see the other's.
    """
    wanted = {subject for subject in subjects.values() if subject is not None}
    if not wanted:
        return set()
    replacing = any(batch.options.on_changed == "replace" for batch in batches)
    statement = _LIVING_SUBJECTS.format(lock="NO KEY UPDATE" if replacing else "KEY SHARE")
    return set(session.execute(text(statement), {"ids": list(wanted)}).scalars())
