"""Every change of a job's state after it was made: from a state that the table has a way from.

Each is one statement. A job in another state is left as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, case, func, update
from sqlalchemy.orm import Session

from app.domain.states import JobState, states_before
from app.models.job import Job


def _may_become(target: JobState) -> ColumnElement[bool]:
    return Job.state.in_(sorted(states_before(target)))


_THIS = Job.id == bindparam("job_id")
_UNTOUCHED = {"synchronize_session": False}

# A job that is still being prepared is worked on as it is: sealing it takes note of that.
_START = (
    update(Job)
    .where(_THIS, _may_become(JobState.PROCESSING), Job.started_at.is_(None))
    .values(
        started_at=func.now(),
        state=case((Job.sealed_at.is_(None), Job.state), else_=JobState.PROCESSING),
    )
)

_SEAL = (
    update(Job)
    .where(_THIS, _may_become(JobState.QUEUED))
    .values(
        sealed_at=func.now(),
        state=case(
            (and_(Job.started_at.is_(None), Job.open_items > 0), JobState.QUEUED),
            else_=JobState.PROCESSING,
        ),
    )
)

_BEGIN_CANCEL = (
    update(Job)
    .where(_THIS, _may_become(JobState.CANCELLING))
    .values(state=JobState.CANCELLING)
    .returning(Job.id)
)


def start(session: Session, job_id: UUID) -> None:
    """A worker has begun the job's first shard; nothing happens at the others."""
    session.execute(_START, {"job_id": job_id}, execution_options=_UNTOUCHED)


def seal(session: Session, job_id: UUID) -> None:
    """A job that was being prepared has all its items: it waits, or is under way."""
    session.execute(_SEAL, {"job_id": job_id}, execution_options=_UNTOUCHED)


def begin_cancel(session: Session, job_id: UUID) -> bool:
    """The client wants no more of the job; False when it has ended."""
    row = session.execute(_BEGIN_CANCEL, {"job_id": job_id}, execution_options=_UNTOUCHED)
    return row.first() is not None


def end(
    session: Session, job_ids: Sequence[UUID], ending: JobState, finished_at: dt.datetime
) -> None:
    """Jobs that the caller has locked have ended; its objects of them know it."""
    session.execute(
        update(Job)
        .where(Job.id.in_(job_ids), _may_become(ending))
        .values(state=ending, finished_at=finished_at)
    )
