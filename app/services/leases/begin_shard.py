"""Use case: a worker that holds a lease looks what is to be done."""

from __future__ import annotations

from dataclasses import dataclass

from app.database.transactions import tenant_transaction
from app.domain.job_options import JobOptions
from app.domain.lease import Lease
from app.domain.states import JobState, Operation
from app.domain.storage import ReadableStorage
from app.models.collection import Collection
from app.models.job import Job
from app.queries.shard_items import OpenItem, open_items
from app.services.jobs import move_job
from app.services.jobs.close_shards import fail_without_collection, leave_shard
from app.services.jobs.finish_job import finish_job
from app.services.tenancy.storage_places import readable_storage


@dataclass(frozen=True)
class ShardWork:
    """A leased shard with its open items and how they are to be treated."""

    lease: Lease
    operation: Operation
    options: JobOptions
    items: tuple[OpenItem, ...]
    readable: ReadableStorage


def begin_shard(lease: Lease) -> ShardWork | None:
    """Mark the job as begun and return the shard's open items.

    None when there is nothing to do: the job is being canceled, or its collection is gone.
    """
    with tenant_transaction(lease.tenant_id) as session:
        move_job.start(session, lease.shard.job_id)
        job = session.get_one(Job, lease.shard.job_id)
        if job.state == JobState.CANCELLING:
            leave_shard(session, lease)
            finish_job(session, job.id)
            return None
        if job.collection_id and session.get(Collection, job.collection_id) is None:
            fail_without_collection(session, job.id)
            return None
        return ShardWork(
            lease,
            Operation(job.operation),
            JobOptions.from_json(job.options),
            tuple(open_items(session, lease)),
            readable_storage(session, lease.tenant_id),
        )
