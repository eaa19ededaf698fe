"""Reads of webhook endpoints, deliveries and attempts, inside the tenant's transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from app.domain.states import DeliveryState
from app.domain.windows import Window
from app.models.webhook_delivery import WebhookAttempt, WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint
from app.queries.rows import in_window, the_one

_NO_ENDPOINT = "There is no such webhook endpoint"
_NO_DELIVERY = "The endpoint has no such delivery"


def find_endpoint(session: Session, tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """One endpoint.

    Raises:
        NotFound: no endpoint of this tenant has the id.
    """
    return the_one(session, _endpoint(tenant_id, endpoint_id), _NO_ENDPOINT)


def lock_endpoint(session: Session, tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """One endpoint, held by this transaction; jobs that end may still write deliveries for it.

    Raises:
        NotFound: no endpoint of this tenant has the id.
    """
    locked = _endpoint(tenant_id, endpoint_id).with_for_update(key_share=True)
    return the_one(session, locked, _NO_ENDPOINT)


def _endpoint(tenant_id: UUID, endpoint_id: UUID) -> Select[WebhookEndpoint]:
    return select(WebhookEndpoint).where(
        WebhookEndpoint.tenant_id == tenant_id, WebhookEndpoint.id == endpoint_id
    )


def count_endpoints(session: Session, tenant_id: UUID) -> int:
    """Endpoints of a tenant, disabled ones too."""
    query = select(func.count()).where(WebhookEndpoint.tenant_id == tenant_id)
    return session.scalars(query).one()


def find_endpoint_of_url(session: Session, tenant_id: UUID, url: str) -> UUID | None:
    """The endpoint that has a URL; the oldest where an earlier version took several."""
    query = select(WebhookEndpoint.id).where(
        WebhookEndpoint.tenant_id == tenant_id, WebhookEndpoint.url == url
    )
    return session.scalars(query.order_by(WebhookEndpoint.id).limit(1)).one_or_none()


def list_endpoints(session: Session, tenant_id: UUID, window: Window) -> Sequence[WebhookEndpoint]:
    """Endpoints, in a window."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.tenant_id == tenant_id)
    return in_window(session, query, WebhookEndpoint.id, window)


def list_deliveries(
    session: Session, tenant_id: UUID, endpoint_id: UUID, window: Window, *, state: str | None
) -> Sequence[WebhookDelivery]:
    """Deliveries of an endpoint, in a window.

    Raises:
        NotFound: no endpoint of this tenant has the id.
    """
    find_endpoint(session, tenant_id, endpoint_id)
    query = _deliveries(tenant_id, endpoint_id)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    return in_window(session, query, WebhookDelivery.id, window)


def list_attempts(
    session: Session, delivery: WebhookDelivery, window: Window
) -> Sequence[WebhookAttempt]:
    """Attempts of a delivery, in a window."""
    query = select(WebhookAttempt).where(
        WebhookAttempt.tenant_id == delivery.tenant_id, WebhookAttempt.delivery_id == delivery.id
    )
    return in_window(session, query, WebhookAttempt.id, window)


def find_delivery(
    session: Session, tenant_id: UUID, endpoint_id: UUID, delivery_id: UUID
) -> WebhookDelivery:
    """One delivery of an endpoint.

    Raises:
        NotFound: the endpoint of this tenant has no such delivery.
    """
    query = _deliveries(tenant_id, endpoint_id).where(WebhookDelivery.id == delivery_id)
    return the_one(session, query, _NO_DELIVERY)


def lock_delivery(
    session: Session, tenant_id: UUID, endpoint_id: UUID, delivery_id: UUID
) -> WebhookDelivery:
    """The same, held by this transaction."""
    query = _deliveries(tenant_id, endpoint_id).where(WebhookDelivery.id == delivery_id)
    return the_one(session, query.with_for_update(), _NO_DELIVERY)


def _deliveries(tenant_id: UUID, endpoint_id: UUID) -> Select[WebhookDelivery]:
    return select(WebhookDelivery).where(
        WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.endpoint_id == endpoint_id
    )


def endpoint_of(session: Session, tenant_id: UUID, delivery_id: UUID) -> UUID | None:
    """The endpoint that a delivery goes to; None when the delivery is gone."""
    return session.scalars(
        select(WebhookDelivery.endpoint_id).where(
            WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.id == delivery_id
        )
    ).one_or_none()


def is_leasable(now: dt.datetime, due_by: dt.datetime | None = None) -> ColumnElement[bool]:
    """SQL: a delivery is due by `due_by` (else `now`), and nobody has it under way at `now`."""
    return and_(
        WebhookDelivery.state == DeliveryState.PENDING,
        WebhookDelivery.next_attempt_at <= (due_by or now),
        or_(WebhookDelivery.leased_until.is_(None), WebhookDelivery.leased_until <= now),
    )


def count_under_way(session: Session, tenant_id: UUID, endpoint_id: UUID, now: dt.datetime) -> int:
    """Attempts under way at an endpoint."""
    return (
        session.scalar(
            select(func.count())
            .select_from(WebhookDelivery)
            .where(
                WebhookDelivery.tenant_id == tenant_id,
                WebhookDelivery.endpoint_id == endpoint_id,
                WebhookDelivery.state == DeliveryState.PENDING,
                WebhookDelivery.leased_until > now,
            )
        )
        or 0
    )


def next_due(session: Session, tenant_id: UUID, endpoint_id: UUID, now: dt.datetime) -> UUID | None:
    """The delivery of an endpoint that has been due for longest, None when there is none."""
    return session.scalars(
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.tenant_id == tenant_id,
            WebhookDelivery.endpoint_id == endpoint_id,
            is_leasable(now),
        )
        .order_by(WebhookDelivery.next_attempt_at)
        .limit(1)
    ).one_or_none()


def was_tried_since(
    session: Session, tenant_id: UUID, endpoint_id: UUID, since: dt.datetime
) -> bool:
    """Whether any attempt at an endpoint was made after a moment."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    WebhookDelivery.tenant_id == tenant_id,
                    WebhookDelivery.endpoint_id == endpoint_id,
                    WebhookAttempt.delivery_id == WebhookDelivery.id,
                    WebhookAttempt.attempted_at > since,
                )
            )
        )
    )
