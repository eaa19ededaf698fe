"""Reads of jobs, inside the tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.domain.request_errors import NotFound
from app.domain.states import JobState, Operation, ShardState
from app.models.job import Job, JobProgress, Shard


def find_job(session: Session, tenant_id: UUID, job_id: UUID) -> JobProgress:
    """One job.

    Raises:
        NotFound: no job of this tenant has the id.
    """
    row = session.execute(_jobs(tenant_id).where(Job.id == job_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such job")
    return JobProgress(*row)


def list_jobs(
    session: Session,
    tenant_id: UUID,
    *,
    limit: int,
    after: UUID | None,
    state: JobState | None = None,
    operation: Operation | None = None,
) -> Sequence[JobProgress]:
    """Jobs, newest first: up to `limit` and one more."""
    query = _jobs(tenant_id)
    if after is not None:
        query = query.where(Job.id < after)
    if state is not None:
        query = query.where(Job.state == state)
    if operation is not None:
        query = query.where(Job.operation == operation)
    rows = session.execute(query.order_by(Job.id.desc()).limit(limit + 1))
    return [JobProgress(*row) for row in rows]


def _jobs(tenant_id: UUID) -> Select[Any]:
    processing = (
        select(func.coalesce(func.sum(Shard.open_items), 0))
        .where(
            Shard.tenant_id == tenant_id,
            Shard.job_id == Job.id,
            Shard.state == ShardState.LEASED,
        )
        .scalar_subquery()
    )
    shown = Job.tenant_id == tenant_id, Job.deleted_at.is_(None)
    return select(Job, processing).where(*shown)
