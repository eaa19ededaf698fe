"""Parts of ending a job early: open shards are closed with their counts, no item is rewritten."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.lease import Lease
from app.domain.states import JobFailure, JobState
from app.domain.usage import UsageOutcome
from app.services.jobs import shards
from app.services.jobs.finish_job import finish_job
from app.services.tenancy.note_usage import note_images

_COUNT_CANCELED = text("""
UPDATE jobs SET open_items = open_items - :closed, canceled_items = canceled_items + :closed
WHERE id = :job_id RETURNING tenant_id, operation
""")


def close_unleased_shards(session: Session, job_id: UUID) -> None:
    """Close every shard nobody holds; shards first and the job last, as everywhere."""
    _count(session, job_id, shards.cancel_pending(session, job_id))


def close_open_shards(session: Session, job_id: UUID) -> None:
    """Close every shard, the leased ones too: their holders find their token gone and stop."""
    _count(session, job_id, shards.cancel_open(session, job_id))


def leave_shard(session: Session, lease: Lease) -> None:
    """Close the rest of a leased shard whose job is being canceled."""
    _count(session, lease.shard.job_id, shards.cancel_leased(session, lease))


def _count(session: Session, job_id: UUID, closed: int) -> None:
    job = session.execute(_COUNT_CANCELED, {"job_id": job_id, "closed": closed}).one_or_none()
    if job is not None:
        note_images(session, job.tenant_id, job.operation, UsageOutcome.CANCELED, closed)


def fail_without_collection(session: Session, job_id: UUID) -> None:
    """Fail a job whose collection is not there any more."""
    fail_job(session, job_id, JobFailure.COLLECTION_DELETED)


def fail_job(session: Session, job_id: UUID, code: JobFailure) -> None:
    """End a job that cannot run as a whole: its model or its collection is gone."""
    close_open_shards(session, job_id)
    session.execute(
        text("UPDATE jobs SET failure_code = :code WHERE id = :job_id AND finished_at IS NULL"),
        {"job_id": job_id, "code": code},
    )
    finish_job(session, job_id, JobState.FAILED)
