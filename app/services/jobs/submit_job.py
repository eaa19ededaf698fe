"""Use case: a client hands over a job."""

from __future__ import annotations

import datetime as dt
from functools import partial
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from app.config import Settings
from app.database.notify import wake_dispatcher
from app.database.transactions import after_commit, tenant_transaction
from app.domain.actor import Actor
from app.domain.identifiers import new_id
from app.domain.job_options import INTERACTIVE_CAP, choose_priority
from app.domain.job_request import JobRequest
from app.domain.request_errors import (
    AttributesNotAllowed,
    FieldError,
    ModelMismatch,
    NotFound,
)
from app.models.collection import Collection
from app.models.job import Job
from app.models.tenant import Tenant
from app.models.webhook_endpoint import WebhookEndpoint
from app.queries.interactive_lane import open_interactive_items
from app.services.gallery.offered_model import offered_model
from app.services.jobs.make_job import make_job
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
    settings: Settings = current_app.config["SETTINGS"]
    request.check(settings.max_job_items)
    with tenant_transaction(tenant_id) as session:
        _require_attributes_allowed(session, tenant_id, request)
        model = _model_of(session, request)
        _require_endpoint(session, request.webhook_endpoint_id)
        items = resolve_items(session, tenant_id, request)
        job = _new_job(session, tenant_id, request, model, settings)
        require_room_for_job(session, tenant_id, len(items.rows) - len(items.failed_places))
        ended = make_job(session, job, items)
        detail = {"operation": job.operation, "items": job.total_items}
        record_audit(session, tenant_id, actor, "job.submitted", "job", job.id, detail)
        after_commit(session, wake_dispatcher)
        return session.get_one(Job, job.id) if ended else job


def _require_attributes_allowed(session: Session, tenant_id: UUID, request: JobRequest) -> None:
    asked = request.options.attributes
    if asked and not session.get_one(Tenant, tenant_id).attributes_allowed:
        raise AttributesNotAllowed(
            "Your tenant may not ask for attributes of faces; the operator can allow it",
            errors=(FieldError("/options/attributes", "leave it out"),),
        )


def _model_of(session: Session, request: JobRequest) -> str:
    collection = session.get(Collection, request.collection_id) if request.collection_id else None
    if request.collection_id and collection is None:
        raise NotFound(
            "There is no such collection",
            errors=(FieldError("/collection_id", "no collection of yours has this id"),),
        )
    if collection is not None and request.model is None:
        return collection.model
    identity = offered_model(request.model).identity
    if collection is not None and identity != collection.model:
        raise ModelMismatch(
            f"The collection's embeddings are from {collection.model}, not from {identity}",
            errors=(FieldError("/model", f"leave it out, or use {collection.model}"),),
        )
    return identity


def _require_endpoint(session: Session, endpoint_id: UUID | None) -> None:
    if endpoint_id is not None and session.get(WebhookEndpoint, endpoint_id) is None:
        raise NotFound(
            "There is no such webhook endpoint",
            errors=(FieldError("/webhook_endpoint_id", "no endpoint of yours has this id"),),
        )


def _new_job(
    session: Session, tenant_id: UUID, request: JobRequest, model: str, settings: Settings
) -> Job:
    now = dt.datetime.now(dt.UTC)
    total = len(request.items)
    open_items = partial(open_interactive_items, session, tenant_id, model, at_most=INTERACTIVE_CAP)
    return Job(
        id=new_id(),
        tenant_id=tenant_id,
        operation=request.operation,
        priority=choose_priority(total, waiting=request.waiting, open_interactive=open_items),
        collection_id=request.collection_id,
        model=model,
        options=request.options.as_json(),
        metadata_=request.metadata,
        webhook_endpoint_id=request.webhook_endpoint_id,
        notify_webhooks=request.notify_webhooks,
        awaited=request.waiting,
        created_at=now,
        expires_at=now + dt.timedelta(days=settings.job_queue_days),
    )
