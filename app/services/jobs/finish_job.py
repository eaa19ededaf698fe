"""Use case: a job whose last item is closed ends, and its webhooks are written with it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.database.notify import wake_at_commit
from app.domain.states import JobState, advance
from app.models.job import Job
from app.services.jobs import move_job
from app.services.webhooks.write_deliveries import write_deliveries


def finish_job(session: Session, job_id: UUID, ending: JobState | None = None) -> bool:
    """End one job if nothing of it is open; returns whether this call was the one that did."""
    return bool(finish_jobs(session, [job_id], ending))


def finish_jobs(
    session: Session, job_ids: Sequence[UUID], ending: JobState | None = None
) -> list[UUID]:
    """End those of these jobs of which nothing is open; returns which this call ended.

    Called by whoever closed the last item (result writer, canceller, reconciler), in the
    transaction that closed it. `ending` is for jobs that end otherwise than by their items, sealed
    or not.
    """
    jobs = _ready_to_end(session, job_ids, sealed=ending is None)
    if not jobs:
        return []
    finished_at = dt.datetime.now(dt.UTC)
    endings: dict[JobState, list[UUID]] = defaultdict(list)
    for job in jobs:
        state = JobState(job.state)
        by_items = JobState.CANCELED if state is JobState.CANCELLING else JobState.SUCCEEDED
        endings[advance(state, ending or by_items)].append(job.id)
    for ended_as, ids in endings.items():
        move_job.end(session, ids, ended_as, finished_at)
    write_deliveries(session, [job for job in jobs if job.notify_webhooks], finished_at)
    wake_at_commit(session, [job.id for job in jobs if job.awaited])
    return [job.id for job in jobs]


def _ready_to_end(session: Session, job_ids: Sequence[UUID], *, sealed: bool) -> Sequence[Job]:
    query = select(Job).where(Job.id.in_(job_ids), Job.open_items == 0, Job.finished_at.is_(None))
    if sealed:
        query = query.where(or_(Job.sealed_at.is_not(None), Job.state == JobState.CANCELLING))
    locked = query.order_by(Job.id).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).all()
