"""Use cases: a tenant's endpoints are made, changed, deleted, tested and read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from app.adapters.outgoing_http import OutgoingHttp
from app.database.notify import wake_dispatcher
from app.database.transactions import after_commit, read_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.identifiers import new_id
from app.domain.request_errors import (
    AlreadyExists,
    EndpointDisabled,
    FieldError,
    Invalid,
    TooManyEndpoints,
    WebhookAddressForbidden,
    WebhookUrlInvalid,
)
from app.domain.states import EndpointState, EventType
from app.domain.webhooks import SUBSCRIBABLE, DisabledReason, event_payload
from app.domain.windows import Window
from app.models.webhook_delivery import WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint
from app.queries import webhooks as queries
from app.queries.counting import count_alone
from app.queries.webhooks import (
    count_endpoints,
    find_endpoint,
    find_endpoint_of_url,
    lock_endpoint,
)
from app.services.webhooks.audit_endpoint import audit_endpoint
from app.services.webhooks.endpoint_secrets import new_secret, secret_box
from app.services.webhooks.switch_endpoint import disable_endpoint, enable_endpoint


@dataclass(frozen=True)
class NewEndpoint:
    """What a client chooses: where to, which event types, and a text for itself."""

    url: str
    events: Sequence[str] = SUBSCRIBABLE
    description: str | None = None


def create_endpoint(
    tenant_id: UUID, wanted: NewEndpoint, actor: Actor
) -> tuple[WebhookEndpoint, str]:
    """Register a receiver.

    Returns:
        The endpoint and its signing secret, which is not shown again.

    Raises:
        WebhookUrlInvalid: the URL is not one that can be called.
        WebhookAddressForbidden: it names an address, or this machine, and is not listed.
        Invalid: an event type that does not exist, or none.
        AlreadyExists: an endpoint of the tenant has the URL.
        TooManyEndpoints: the tenant has MAX_WEBHOOK_ENDPOINTS.
    """
    _check_url(wanted.url)
    secret = new_secret()
    endpoint = WebhookEndpoint(
        id=new_id(),
        tenant_id=tenant_id,
        url=wanted.url,
        description=wanted.description,
        events=_known(wanted.events),
        secret_encrypted=secret_box().seal(secret),
        state=EndpointState.ENABLED,
        created_at=dt.datetime.now(dt.UTC),
    )
    with tenant_transaction(tenant_id) as session:
        count_alone(session, tenant_id, "webhook_endpoints")
        _refuse_second(session, tenant_id, wanted.url)
        _refuse_too_many(session, tenant_id)
        session.add(endpoint)
        session.flush()
        audit_endpoint(session, endpoint, actor, "created")
    return endpoint, secret


def update_endpoint(
    tenant_id: UUID, endpoint_id: UUID, changes: Mapping[str, Any], actor: Actor
) -> WebhookEndpoint:
    """Change `url`, `events`, `description` or `state`; enabling it sends out what was held.

    Raises:
        NotFound: no endpoint of this tenant has the id.
        WebhookUrlInvalid, WebhookAddressForbidden, Invalid, AlreadyExists: as `create_endpoint`.
    """
    with tenant_transaction(tenant_id) as session:
        endpoint = lock_endpoint(session, tenant_id, endpoint_id)
        if "url" in changes:
            _move(session, endpoint, changes["url"])
        if "events" in changes:
            endpoint.events = _known(changes["events"])
        if "description" in changes:
            endpoint.description = changes["description"]
        audit_endpoint(session, endpoint, actor, "updated", fields=sorted(changes))
        _switch(session, endpoint, changes.get("state"), actor)
        session.flush()
    return endpoint


def _move(session: Session, endpoint: WebhookEndpoint, url: str) -> None:
    _check_url(url)
    if url != endpoint.url:
        count_alone(session, endpoint.tenant_id, "webhook_endpoints")
        _refuse_second(session, endpoint.tenant_id, url)
        endpoint.url = url


def _switch(session: Session, endpoint: WebhookEndpoint, state: str | None, actor: Actor) -> None:
    now = dt.datetime.now(dt.UTC)
    if state == EndpointState.ENABLED:
        enable_endpoint(session, endpoint, now, actor)
    elif state == EndpointState.DISABLED:
        disable_endpoint(session, endpoint, DisabledReason.BY_CLIENT, now, actor)


def delete_endpoint(tenant_id: UUID, endpoint_id: UUID, actor: Actor) -> None:
    """Delete an endpoint with its deliveries; an attempt under way may still arrive.

    Raises:
        NotFound: no endpoint of this tenant has the id.
    """
    with tenant_transaction(tenant_id) as session:
        endpoint = lock_endpoint(session, tenant_id, endpoint_id)
        audit_endpoint(session, endpoint, actor, "deleted")
        session.delete(endpoint)
        session.flush()


def send_test_event(tenant_id: UUID, endpoint_id: UUID, actor: Actor) -> WebhookDelivery:
    """Queue an `endpoint.test` event for an endpoint, whatever it subscribes to.

    Raises:
        NotFound: no endpoint of this tenant has the id.
        EndpointDisabled: it would not be sent.
    """
    now, event_id = dt.datetime.now(dt.UTC), new_id()
    with tenant_transaction(tenant_id) as session:
        endpoint = find_endpoint(session, tenant_id, endpoint_id)
        if endpoint.state == EndpointState.DISABLED:
            raise EndpointDisabled("Enable the webhook endpoint first")
        delivery = WebhookDelivery(
            id=event_id,
            tenant_id=tenant_id,
            endpoint_id=endpoint_id,
            type=EventType.TEST,
            payload=event_payload(
                event_id, EventType.TEST, now, {"webhook_endpoint_id": str(endpoint_id)}
            ),
        )
        session.add(delivery)
        session.flush()
        session.refresh(delivery)
        audit_endpoint(session, endpoint, actor, "tested")
        after_commit(session, wake_dispatcher)
    return delivery


def read_endpoint(tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """Read an endpoint.

    Raises:
        NotFound: no endpoint of this tenant has the id.
    """
    with read_transaction(tenant_id) as session:
        return find_endpoint(session, tenant_id, endpoint_id)


def list_endpoints(tenant_id: UUID, window: Window) -> Sequence[WebhookEndpoint]:
    """Read endpoints, in a window."""
    with read_transaction(tenant_id) as session:
        return queries.list_endpoints(session, tenant_id, window)


def _refuse_second(session: Session, tenant_id: UUID, url: str) -> None:
    found = find_endpoint_of_url(session, tenant_id, url)
    if found is not None:
        raise AlreadyExists(
            "A URL can be registered once: it would get each event twice",
            errors=(FieldError("/url", f"the endpoint {found} has it"),),
        )


def _refuse_too_many(session: Session, tenant_id: UUID) -> None:
    most: int = current_app.config["SETTINGS"].max_webhook_endpoints
    if count_endpoints(session, tenant_id) >= most:
        raise TooManyEndpoints(f"A tenant may have {most} webhook endpoints")


def _check_url(url: str) -> None:
    try:
        OutgoingHttp.from_settings(current_app.config["SETTINGS"]).check_new_url(url)
    except (WebhookUrlInvalid, WebhookAddressForbidden) as error:
        raise type(error)(error.detail, errors=(FieldError("/url", error.detail),)) from error


def _known(events: Sequence[str]) -> list[str]:
    unknown = [
        FieldError(f"/events/{position}", f"the event types are {', '.join(SUBSCRIBABLE)}")
        for position, event in enumerate(events)
        if event not in SUBSCRIBABLE
    ]
    if unknown:
        raise Invalid(errors=tuple(unknown))
    if not events:
        raise Invalid(errors=(FieldError("/events", "at least one event type is needed"),))
    return list(dict.fromkeys(events))
