"""Reads of jobs, inside the tenant's transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app.domain.identifiers import id_floor
from app.domain.job_filter import JobFilter
from app.domain.request_errors import NotFound
from app.domain.states import ShardState
from app.domain.windows import Window
from app.models.job import Job, JobProgress, Shard
from app.queries.rows import windowed

# The time of a job and that within its id are taken one after the other.
_APART = dt.timedelta(minutes=1)
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)


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
    session: Session, tenant_id: UUID, window: Window, wanted: JobFilter
) -> Sequence[JobProgress]:
    """Jobs, in a window.

    Of metadata there is no index, as of subjects: it is looked at in what the other filters leave.
    """
    query = _jobs(tenant_id).where(*_conditions(wanted))
    return [JobProgress(*row) for row in session.execute(windowed(query, Job.id, window))]


def _conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state:
        conditions.append(Job.state.in_(wanted.state))
    if wanted.operation is not None:
        conditions.append(Job.operation == wanted.operation)
    if wanted.collection_id is not None:
        conditions.append(Job.collection_id == wanted.collection_id)
    if wanted.metadata is not None:
        conditions.append(Job.metadata_.contains(wanted.metadata))
    return conditions + _made(wanted.created_after, wanted.created_before)


def _made(after: dt.datetime | None, before: dt.datetime | None) -> list[ColumnElement[bool]]:
    """By the time itself, and by that within the id, which the index and the partitions are by."""
    conditions: list[ColumnElement[bool]] = []
    if after is not None:
        conditions += [Job.created_at >= after, Job.id >= id_floor(max(after - _APART, _EPOCH))]
    if before is not None:
        conditions += [Job.created_at < before, Job.id < id_floor(before + _APART)]
    return conditions


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
