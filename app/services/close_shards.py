"""Parts of ending a job early: open shards are closed with their counts, no item is rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from app.domain.lease import Lease, ShardRef
from app.domain.states import JobState
from app.models.job import Job
from app.services.finish_job import finish_job, finish_jobs

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


_STATES = text("""
SELECT id, state FROM jobs WHERE id = ANY(:job_ids)
""").bindparams(bindparam("job_ids", type_=ARRAY(PG_UUID)))


def close_unleased_shards(session: Session, job_id: UUID) -> None:
    """Close every shard nobody holds; shards first and the job last, as everywhere."""
    closed = session.execute(_CLOSE_UNLEASED, {"job_id": job_id}).scalar_one()
    session.execute(_COUNT_CANCELED, {"job_id": job_id, "closed": closed})


def settle_jobs(session: Session, leases: Sequence[Lease]) -> set[ShardRef]:
    """After a batch: end the jobs whose last it was, and leave those that are being canceled.

    Returns the shards of which nothing is left to do.
    """
    states = {
        row.id: row.state
        for row in session.execute(
            _STATES, {"job_ids": sorted({lease.shard.job_id for lease in leases})}
        )
    }
    left = [lease for lease in leases if states[lease.shard.job_id] == JobState.CANCELLING]
    for lease in left:
        _close_leased_shard(session, lease)
    ended = set(finish_jobs(session, sorted(states)))
    return {lease.shard for lease in leases if lease in left or lease.shard.job_id in ended}


def _close_leased_shard(session: Session, lease: Lease) -> None:
    closed = session.execute(_CLOSE_LEASED, lease.key).scalar()
    session.execute(_COUNT_CANCELED, {"job_id": lease.shard.job_id, "closed": closed or 0})


def fail_without_collection(session: Session, job: Job) -> bool:
    """Fail a job whose collection is not there any more; False when it never needed one."""
    if job.collection_id is None:
        return False
    fail_job(session, job.id, "collection_deleted")
    return True


def fail_job(session: Session, job_id: UUID, code: str) -> None:
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
