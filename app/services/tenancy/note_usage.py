"""A part of everything that usage counts: a note of it, in the same transaction.

So what is counted is what was committed, once, and nobody who removes jobs has to think of it. The
chore `usage-rollup` makes days of the notes (app/services/upkeep/roll_up_usage.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.usage import UsageAmounts, UsageOperation, UsageOutcome

_INSERT = text("""
INSERT INTO usage_entries (tenant_id, operation, outcome, images, faces, inference_ms, webhooks)
SELECT :tenant_id, * FROM unnest(CAST(:operations AS text[]), CAST(:outcomes AS text[]),
  CAST(:images AS bigint[]), CAST(:faces AS bigint[]), CAST(:inference_ms AS bigint[]),
  CAST(:webhooks AS bigint[]))
""")

Used = Mapping[tuple[UsageOperation, UsageOutcome], UsageAmounts]


def note_usage(session: Session, tenant_id: UUID, used: Used) -> None:
    """Note what a tenant has had done, in one statement; nothing where nothing was.

    The caller holds a row that goes with the tenant, so that no note outlives an erasure.
    """
    if not used:
        return
    amounts = list(used.values())
    session.execute(
        _INSERT,
        {
            "tenant_id": tenant_id,
            "operations": [operation.value for operation, _ in used],
            "outcomes": [outcome.value for _, outcome in used],
            **{name: [getattr(each, name) for each in amounts] for name in vars(UsageAmounts())},
        },
    )


def note_images(
    session: Session, tenant_id: UUID, operation: str, outcome: UsageOutcome, images: int
) -> None:
    """Note items of a job that ended without being looked at; nothing for none."""
    if images:
        used = {(UsageOperation(operation), outcome): UsageAmounts(images=images)}
        note_usage(session, tenant_id, used)
