"""Parts of ending a job early: open shards are closed with their counts, no item is rewritten."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.lease import Lease
from app.domain.states import JobFailure, JobState
from app.services.jobs.finish_job import finish_job

_CLOSE_UNLEASED = text("""
WITH closed AS (
  UPDATE shards SET state = 'canceled', hint_expires_at = NULL
  WHERE job_id = :job_id AND state = 'pending' RETURNING open_items
)
SELECT coalesce(sum(open_items), 0) FROM closed
""")

_CLOSE_LEASED = text("""
UPDATE shards SET state = 'canceled', leased_until = NULL, lease_instance = NULL, lease_pid = NULL
WHERE job_id = :job_id AND shard_no = :shard_no AND state = 'leased' AND lease_token = :token
RETURNING open_items
""")

_COUNT_CANCELED = text("""
UPDATE jobs SET open_items = open_items - :closed, canceled_items = canceled_items + :closed
WHERE id = :job_id
""")


def close_unleased_shards(session: Session, job_id: UUID) -> None:
    """Close every shard nobody holds; shards first and the job last, as everywhere."""
    closed = session.execute(_CLOSE_UNLEASED, {"job_id": job_id}).scalar_one()
    session.execute(_COUNT_CANCELED, {"job_id": job_id, "closed": closed})


def leave_shard(session: Session, lease: Lease) -> None:
    """Close the rest of a leased shard whose job is being canceled."""
    closed = session.execute(_CLOSE_LEASED, lease.key).scalar()
    session.execute(_COUNT_CANCELED, {"job_id": lease.shard.job_id, "closed": closed or 0})


def fail_without_collection(session: Session, job_id: UUID) -> None:
    """Fail a job whose collection is not there any more."""
    fail_job(session, job_id, JobFailure.COLLECTION_DELETED)


def fail_job(session: Session, job_id: UUID, code: JobFailure) -> None:
    """End a job that cannot run as a whole: its model or its collection is gone.

    Every shard is closed, the leased ones too: their holders find their token gone and stop.
    """
    closed = session.execute(
        text("""
            WITH closed AS (
              UPDATE shards SET state = 'canceled', hint_expires_at = NULL, leased_until = NULL,
                lease_instance = NULL, lease_pid = NULL
              WHERE job_id = :job_id AND state IN ('pending', 'leased') RETURNING open_items)
            SELECT coalesce(sum(open_items), 0) FROM closed"""),
        {"job_id": job_id},
    ).scalar_one()
    session.execute(_COUNT_CANCELED, {"job_id": job_id, "closed": closed})
    session.execute(
        text("UPDATE jobs SET failure_code = :code WHERE id = :job_id AND finished_at IS NULL"),
        {"job_id": job_id, "code": code},
    )
    finish_job(session, job_id, JobState.FAILED)
