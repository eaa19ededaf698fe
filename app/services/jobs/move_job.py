"""Every change of a job's state after it was made: from a state that the table has a way from.

Each is one statement. A job in another state is left as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app.domain.states import JobState, states_before
from app.models.job import Job


def _may_become(target: JobState) -> str:
    states = ", ".join(f"'{state}'" for state in sorted(states_before(target)))
    return f"state IN ({states})"


# A job that is still being prepared is worked on as it is: sealing it takes note of that.
_START = text(f"""
UPDATE jobs SET started_at = now(),
  state = CASE WHEN sealed_at IS NULL THEN state ELSE '{JobState.PROCESSING}' END
WHERE id = :job_id AND started_at IS NULL AND {_may_become(JobState.PROCESSING)}
""")  # noqa: S608 - states of ours

_SEAL = text(f"""
UPDATE jobs SET sealed_at = now(),
  state = CASE WHEN started_at IS NULL AND open_items > 0 THEN '{JobState.QUEUED}'
    ELSE '{JobState.PROCESSING}' END
WHERE id = :job_id AND {_may_become(JobState.QUEUED)}
""")  # noqa: S608 - states of ours

_BEGIN_CANCEL = text(f"""
UPDATE jobs SET state = '{JobState.CANCELLING}'
WHERE id = :job_id AND {_may_become(JobState.CANCELLING)}
RETURNING id
""")  # noqa: S608 - states of ours


def start(session: Session, job_id: UUID) -> None:
    """A worker has begun the job's first shard; nothing happens at the others."""
    session.execute(_START, {"job_id": job_id})


def seal(session: Session, job_id: UUID) -> None:
    """A job that was being prepared has all its items: it waits, or is under way."""
    session.execute(_SEAL, {"job_id": job_id})


def begin_cancel(session: Session, job_id: UUID) -> bool:
    """The client wants no more of the job; False when it has ended."""
    return session.execute(_BEGIN_CANCEL, {"job_id": job_id}).first() is not None


def end(
    session: Session, job_ids: Sequence[UUID], ending: JobState, finished_at: dt.datetime
) -> None:
    """Jobs that the caller has locked have ended; its objects of them know it."""
    session.execute(
        update(Job)
        .where(Job.id.in_(job_ids), Job.state.in_(states_before(ending)))
        .values(state=ending, finished_at=finished_at)
    )
