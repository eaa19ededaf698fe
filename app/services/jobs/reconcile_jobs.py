"""Use case: put right what a crash left between two transactions, and end what is overdue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.database.transactions import queue_transaction, tenant_transaction
from app.domain.states import JobState
from app.models.job import Job
from app.queries.queue_depth import overdue_jobs
from app.services.jobs.close_shards import close_open_shards, close_unleased_shards
from app.services.jobs.finish_job import finish_job

_BATCH = 500


def reconcile_jobs() -> int:
    """End jobs that are overdue; returns how many ended."""
    with queue_transaction() as session:
        overdue = overdue_jobs(session, _BATCH)
    return sum(_settle(job) for job in overdue)


def _settle(job: Row[Any]) -> bool:
    with tenant_transaction(job.tenant_id) as session:
        if job.state == JobState.CANCELLING:
            close_unleased_shards(session, job.id)
            return finish_job(session, job.id)
        if job.expired and job.state in {JobState.QUEUED, JobState.PROCESSING}:
            return _expire(session, job, close_unleased_shards)
        if job.expired and job.state == JobState.PREPARING:
            # Nobody sealed it, and nobody will. Work on it does not make it a job that goes on.
            return _expire(session, job, close_open_shards)
        return finish_job(session, job.id)


def _expire(session: Session, job: Row[Any], close: Callable[[Session, UUID], None]) -> bool:
    with session.begin_nested() as attempt:
        close(session, job.id)  # holds the job's row from here on
        if _state(session, job.id) == job.state and finish_job(session, job.id, JobState.EXPIRED):
            return True
        attempt.rollback()  # somebody holds a shard, or has begun it since we looked: it goes on
    return False


def _state(session: Session, job_id: UUID) -> str | None:
    return session.scalar(select(Job.state).where(Job.id == job_id))
