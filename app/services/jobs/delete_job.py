"""Use case: a client wants a job gone, with all that is kept of it."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.database.transactions import queue_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.request_errors import JobNotTerminal
from app.models.job import Job, JobProgress
from app.queries.jobs import find_job
from app.services.tenancy.record_audit import record_audit

# A job of more goes in the background, so many items a transaction.
_ITEMS_A_BATCH = 2000
_JOBS_A_RUN = 1000

_DELETE_LETTERS = text("DELETE FROM dead_letters WHERE tenant_id = :tenant_id AND job_id = :job_id")
_DELETE_FACES = text("""
DELETE FROM detections
WHERE tenant_id = :tenant_id AND job_id = :job_id AND item_seq >= :first AND item_seq < :end
""")
_DELETE_ITEMS = text("""
DELETE FROM items
WHERE tenant_id = :tenant_id AND job_id = :job_id AND seq >= :first AND seq < :end
""")
# Its shards go with it.
_DELETE_JOB = text("DELETE FROM jobs WHERE tenant_id = :tenant_id AND id = :job_id")

_DELETED = text("""
SELECT id, tenant_id, total_items FROM jobs WHERE deleted_at IS NOT NULL
ORDER BY deleted_at LIMIT :most
""")


def delete_job(tenant_id: UUID, job_id: UUID, actor: Actor) -> JobProgress:
    """Remove a job that has ended, with its items, results and dead letters.

    A large one is seen by nobody from now on, and removed in the background. Faces that it enrolled
    stay: they belong to their collection.

    Returns:
        The job as it was.

    Raises:
        NotFound: the tenant has no such job.
        JobNotTerminal: it has not ended.
    """
    with tenant_transaction(tenant_id) as session:
        session.execute(select(Job.id).where(Job.id == job_id).with_for_update())
        progress = find_job(session, tenant_id, job_id)
        job = progress.job
        if job.finished_at is None:
            raise JobNotTerminal(
                f"The job is {job.state}: cancel it (POST /api/v1/jobs/{job_id}/cancel), "
                "then delete it"
            )
        job.deleted_at = dt.datetime.now(dt.UTC)
        session.flush()
        session.execute(_DELETE_LETTERS, {"tenant_id": tenant_id, "job_id": job_id})
        record_audit(session, tenant_id, actor, "job.deleted", "job", job_id)
        if job.total_items <= _ITEMS_A_BATCH:
            _remove_batch(session, tenant_id, job_id, 0)
            _remove_job(session, tenant_id, job_id)
    return progress


def remove_deleted_jobs() -> int:
    """Remove what was too large to go at once, oldest deletion first; returns how many jobs went.

    Cut short, it begins the job that it was at again, and finds its first batches gone.
    """
    with queue_transaction() as session:
        deleted = session.execute(_DELETED, {"most": _JOBS_A_RUN}).all()
    for job in deleted:
        remove_job(job.tenant_id, job.id, job.total_items)
    return len(deleted)


def remove_job(tenant_id: UUID, job_id: UUID, total_items: int) -> None:
    """Remove a job that nobody works at and nobody sees any more, in batches."""
    for first in range(0, total_items, _ITEMS_A_BATCH):
        with tenant_transaction(tenant_id) as session:
            _remove_batch(session, tenant_id, job_id, first)
    with tenant_transaction(tenant_id) as session:
        session.execute(_DELETE_LETTERS, {"tenant_id": tenant_id, "job_id": job_id})
        _remove_job(session, tenant_id, job_id)


def _remove_batch(session: Session, tenant_id: UUID, job_id: UUID, first: int) -> None:
    values = {"tenant_id": tenant_id, "job_id": job_id}
    values_of_batch = {**values, "first": first, "end": first + _ITEMS_A_BATCH}
    session.execute(_DELETE_FACES, values_of_batch)
    session.execute(_DELETE_ITEMS, values_of_batch)


def _remove_job(session: Session, tenant_id: UUID, job_id: UUID) -> None:
    session.execute(_DELETE_JOB, {"tenant_id": tenant_id, "job_id": job_id})
