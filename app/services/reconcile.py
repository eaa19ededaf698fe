"""Use case: put right what a crash left between two transactions, and end what is overdue."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Row, text

from app.domain.states import JobState
from app.models.session import queue_transaction, tenant_transaction
from app.services.close_shards import close_unleased_shards
from app.services.finish_job import finish_job

_BATCH = 500

# Jobs that nobody will end by themselves: canceled ones whose last holder died, jobs whose closer
# died before ending them, queued ones past their time.
_OVERDUE = text("""
SELECT id, tenant_id, state, expires_at < now() AS expired FROM jobs
WHERE finished_at IS NULL AND (state = 'cancelling' OR (open_items = 0 AND sealed_at IS NOT NULL)
  OR (state IN ('queued', 'preparing') AND expires_at < now()))
ORDER BY id LIMIT :batch
""")


def reconcile_jobs() -> int:
    """End jobs that are overdue; returns how many ended."""
    with queue_transaction() as session:
        overdue = session.execute(_OVERDUE, {"batch": _BATCH}).all()
    return sum(_settle(job) for job in overdue)


def _settle(job: Row[tuple[UUID, UUID, str, bool]]) -> bool:
    with tenant_transaction(job.tenant_id) as session:
        if job.state == JobState.CANCELLING:
            close_unleased_shards(session, job.id)
            return finish_job(session, job.id)
        if job.expired and job.state == JobState.QUEUED:
            close_unleased_shards(session, job.id)
            return finish_job(session, job.id, JobState.EXPIRED)
        return finish_job(session, job.id)
