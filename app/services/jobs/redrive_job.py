"""Use cases: what failed of a job that has ended is tried again, as a job of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database.notify import wake_dispatcher
from app.database.transactions import after_commit, owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM, Actor
from app.domain.job_options import JobOptions
from app.domain.job_request import MOST_REDRIVES, JobRequest
from app.domain.request_errors import (
    CollectionDeleted,
    JobNotTerminal,
    NotFound,
    NothingToRedrive,
)
from app.domain.states import Operation
from app.models.collection import Collection
from app.models.job import Job
from app.queries.jobs import find_job
from app.services.jobs.append_failed_items import append_failed_items, count_failed_items
from app.services.jobs.make_job import create_job, seal_job
from app.services.jobs.new_job import new_job, require_names
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.room import require_room_for_job


def redrive_job(
    tenant_id: UUID,
    job_id: UUID,
    actor: Actor,
    *,
    codes: Sequence[str] | None = None,
    waiting: bool = False,
) -> Job:
    """Make a job of the failed items of another, or of those that failed with some codes.

    Returns the new job. An item that no try can help has failed with that; a job of nothing else
    has ended.

    Raises:
        NotFound: the tenant has no such job.
        JobNotTerminal: it has not ended.
        NothingToRedrive: no item of it failed, or none with these codes.
        CollectionDeleted: its collection is gone.
        AttributesNotAllowed, ModelUnavailable: it could not be submitted any more.
        TooManyJobs, TooManyItemsWaiting, TooManyItems: see `require_room_for_job`.
    """
    with tenant_transaction(tenant_id) as session:
        failed_of = _hold_ended(session, tenant_id, job_id)
        count = count_failed_items(session, tenant_id, job_id, codes)
        if not count:
            raise _nothing(failed_of, codes)
        require_room_for_job(session, tenant_id, count)
        job = _successor(session, failed_of, count, waiting=waiting)
        create_job(session, job)
        append_failed_items(session, job.id, failed_of, codes)
        seal_job(session, job.id)
        failed_of.redriven_by = [*failed_of.redriven_by, job.id][-MOST_REDRIVES:]
        session.flush()
        detail: dict[str, Any] = {"job_id": str(job.id), "items": count}
        if codes is not None:  # ours alone: the log holds no words of a client's
            detail["codes"] = sorted(set(codes) & failed_of.errors_by_code.keys())
        record_audit(session, tenant_id, actor, "job.redriven", "job", job_id, detail)
        after_commit(session, wake_dispatcher)
        return session.get_one(Job, job.id)


def redrive_job_of_anyone(job_id: UUID, codes: Sequence[str] | None = None) -> Job:
    """The same for an operator, who does not say whose job it is.

    Raises:
        NotFound: there is no such job.
    """
    with owner_transaction() as session:
        tenant_id = session.scalar(select(Job.tenant_id).where(Job.id == job_id))
    if tenant_id is None:
        raise NotFound("There is no such job")
    return redrive_job(tenant_id, job_id, SYSTEM, codes=codes)


def _hold_ended(session: Session, tenant_id: UUID, job_id: UUID) -> Job:
    """The job, which is neither deleted nor redriven by somebody else meanwhile."""
    held = select(Job.id).where(Job.id == job_id).with_for_update(key_share=True)
    session.execute(held)
    job = find_job(session, tenant_id, job_id).job
    if job.finished_at is None:
        raise JobNotTerminal(
            f"The job is {job.state}: wait for its end, or cancel it, then redrive what failed"
        )
    return job


def _nothing(job: Job, codes: Sequence[str] | None) -> NothingToRedrive:
    if codes is None or not job.failed_items:
        return NothingToRedrive("No item of the job failed: there is nothing to try again")
    failed = ", ".join(sorted(job.errors_by_code))
    return NothingToRedrive(
        f"No item of the job failed with {' or '.join(codes)}; those that failed have {failed}"
    )


def _successor(session: Session, failed_of: Job, count: int, *, waiting: bool) -> Job:
    """Describe the new job: of the same kind, and told of to the same."""
    if failed_of.collection_id and session.get(Collection, failed_of.collection_id) is None:
        raise CollectionDeleted(
            "The job's collection was deleted; submit its items anew with another"
        )
    request = JobRequest(
        operation=Operation(failed_of.operation),
        items=(),
        collection_id=failed_of.collection_id,
        # A collection has its own; another goes by its name, whose version may be a newer one.
        model=None if failed_of.collection_id else failed_of.model.partition("@")[0],
        options=JobOptions.from_json(failed_of.options),
        notify_webhooks=failed_of.notify_webhooks,
        metadata=failed_of.metadata_,
        waiting=waiting,
    )
    model = require_names(session, failed_of.tenant_id, request)
    # An endpoint that was deleted since is told nothing, as of any job that ends after it.
    named = replace(request, webhook_endpoint_id=failed_of.webhook_endpoint_id)
    job = new_job(session, failed_of.tenant_id, named, model, count)
    job.redrive_of = failed_of.id
    return job
