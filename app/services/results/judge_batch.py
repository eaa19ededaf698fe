"""A part of storing: what a batch amounts to, decided before anything of it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.errors import SubjectDeleted
from app.domain.item_rules import judge
from app.domain.outcomes import ItemOutcome
from app.domain.states import Operation
from app.queries.shard_items import claimed_subjects
from app.services.results.job_batch import FaceKey, ItemKey, JobBatch
from app.services.results.match_faces import (
    FaceDecision,
    PairDecision,
    identify_faces,
    verify_pairs,
)

_CLAIMING = {Operation.ENROL, Operation.VERIFY}

_LIVING_SUBJECTS = text("SELECT id FROM subjects WHERE id = ANY (:ids) ORDER BY id FOR KEY SHARE")


@dataclass(frozen=True)
class Judgement:
    """The items' outcomes as their operations see them, and what was decided about the faces."""

    outcomes: dict[ItemKey, ItemOutcome]
    claimed: dict[ItemKey, UUID | None] = field(default_factory=dict)
    faces: dict[FaceKey, FaceDecision] = field(default_factory=dict)
    pairs: dict[ItemKey, PairDecision] = field(default_factory=dict)


def judge_batches(session: Session, batches: Sequence[JobBatch]) -> Judgement:
    """Apply each job's rules; replaces the outcomes in `batches` by what they amount to."""
    claimed = _claimed(session, batches)
    living = _living(session, claimed)
    for batch in batches:
        for seq, outcome in batch.outcomes.items():
            judged = judge(batch.operation, batch.options, outcome)
            subject = claimed.get((batch.job.id, seq))
            if subject is not None and subject not in living:
                error = SubjectDeleted("the subject was deleted meanwhile")
                judged = ItemOutcome(seq, outcome.image, error=error)
            batch.outcomes[seq] = judged
    return Judgement(
        {(batch.job.id, seq): o for batch in batches for seq, o in batch.outcomes.items()},
        claimed,
        identify_faces(session, [b for b in batches if b.operation is Operation.IDENTIFY]),
        verify_pairs(session, [b for b in batches if b.operation is Operation.VERIFY], claimed),
    )


def _claimed(session: Session, batches: Sequence[JobBatch]) -> dict[ItemKey, UUID | None]:
    """Asked only where somebody can be claimed."""
    keys = [
        (batch.job.id, seq)
        for batch in batches
        if batch.operation in _CLAIMING
        for seq in batch.outcomes
    ]
    return claimed_subjects(session, keys) if keys else {}


def _living(session: Session, claimed: dict[ItemKey, UUID | None]) -> set[UUID]:
    """The subjects that are still there, and stay until we have committed."""
    wanted = {subject for subject in claimed.values() if subject is not None}
    if not wanted:
        return set()
    return set(session.execute(_LIVING_SUBJECTS, {"ids": list(wanted)}).scalars())
