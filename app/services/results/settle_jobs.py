"""A part of storing: the jobs whose last items a batch closed end with it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.domain.lease import Lease, ShardRef
from app.domain.states import JobState
from app.services.jobs.close_shards import leave_shard
from app.services.jobs.finish_job import finish_jobs
from app.services.results.job_batch import CountedJob


def settle_jobs(
    session: Session, leases: Sequence[Lease], jobs: Sequence[CountedJob]
) -> set[ShardRef]:
    """After a batch: end the jobs whose last it was, and leave those that are being canceled.

    Returns the shards of which nothing is left to do.
    """
    canceled = {job.id for job in jobs if job.state is JobState.CANCELLING}
    for lease in leases:
        if lease.shard.job_id in canceled:
            leave_shard(session, lease)
    empty = canceled | {job.id for job in jobs if job.open_items == 0}
    over = canceled | set(finish_jobs(session, sorted(empty))) if empty else set()
    return {lease.shard for lease in leases if lease.shard.job_id in over}
