"""Use case: a client hands over a job."""

from __future__ import annotations

from uuid import UUID

from flask import current_app

from app.database.notify import wake_dispatcher
from app.database.transactions import after_commit, tenant_transaction
from app.domain.actor import Actor
from app.domain.job_request import JobRequest
from app.models.job import Job
from app.services.jobs.make_job import make_job
from app.services.jobs.new_job import by_collection_id, new_job, require_names
from app.services.jobs.resolve_items import resolve_items
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.room import require_room_for_job


def submit_job(tenant_id: UUID, request: JobRequest, actor: Actor) -> Job:
    """Write a job with its items and shards in one transaction, then wake the dispatcher.

    Returns the job as it was written. An item that cannot be done has failed with that; a job of
    which this is true of all has ended.

    Raises:
        Invalid: (or one of its kinds) the request cannot be run as it is; see `JobRequest.check`.
        AttributesNotAllowed: the tenant may not ask for attributes.
        NotFound: a collection or webhook endpoint is not there.
        TooManyJobs, TooManyItemsWaiting, TooManyItems: see `require_room_for_job`.
    """
    request.check(current_app.config["SETTINGS"].max_job_items)
    with tenant_transaction(tenant_id) as session:
        request = by_collection_id(session, tenant_id, request)
        model = require_names(session, tenant_id, request)
        items = resolve_items(session, tenant_id, request)
        require_room_for_job(session, tenant_id, len(items.rows) - len(items.failed_places))
        job = new_job(session, tenant_id, request, model, len(request.items))
        ended = make_job(session, job, items)
        detail = {"operation": job.operation, "items": job.total_items}
        record_audit(session, tenant_id, actor, "job.submitted", "job", job.id, detail)
        after_commit(session, wake_dispatcher)
        return session.get_one(Job, job.id) if ended else job
