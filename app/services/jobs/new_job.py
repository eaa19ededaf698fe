"""A part of making a job: its row, once what the request names is found to be there."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from app.config import Settings
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
from app.queries.collections import collection_of_name
from app.queries.interactive_lane import open_interactive_items
from app.services.gallery.offered_model import offered_model


def by_collection_id(session: Session, tenant_id: UUID, request: JobRequest) -> JobRequest:
    """The request with its collection's id in the place of the name.

    Raises:
        NotFound: no collection has this name.
    """
    if request.collection is None:
        return request
    found = collection_of_name(session, tenant_id, request.collection)
    if found is None:
        raise NotFound(
            "There is no such collection",
            errors=(FieldError("/collection", "no collection of yours has this name"),),
        )
    return replace(request, collection_id=found.id, collection=None)


def require_names(session: Session, tenant_id: UUID, request: JobRequest) -> str:
    """Look up what a request names beside its items; returns the identity of its model.

    Raises:
        AttributesNotAllowed: the tenant may not ask for attributes.
        NotFound: a collection or webhook endpoint is not there.
        ModelUnavailable, ModelMismatch: the model is not offered, or not the collection's.
    """
    _require_attributes_allowed(session, tenant_id, request)
    model = _model_of(session, request)
    _require_endpoint(session, request.webhook_endpoint_id)
    return model


def new_job(session: Session, tenant_id: UUID, request: JobRequest, model: str, total: int) -> Job:
    """Describe a job of `total` items, which is not written yet."""
    settings: Settings = current_app.config["SETTINGS"]
    now = dt.datetime.now(dt.UTC)
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
