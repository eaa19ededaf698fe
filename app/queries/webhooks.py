"""Reads of webhook endpoints, deliveries and attempts, inside the tenant's transaction."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.states import DeliveryState
from app.models.webhook_delivery import WebhookAttempt, WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint


def find_endpoint(session: Session, tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """One endpoint.

    Raises:
        NotFound: no endpoint of this tenant has the id.
    """
    return _one(session, _endpoint(tenant_id, endpoint_id))


def lock_endpoint(session: Session, tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """One endpoint, held by this transaction; jobs that end may still write deliveries for it.

    Raises:
        NotFound: no endpoint of this tenant has the id.
    """
    return _one(session, _endpoint(tenant_id, endpoint_id).with_for_update(key_share=True))


def _endpoint(tenant_id: UUID, endpoint_id: UUID) -> Select[WebhookEndpoint]:
    return select(WebhookEndpoint).where(
        WebhookEndpoint.tenant_id == tenant_id, WebhookEndpoint.id == endpoint_id
    )


def _one(session: Session, query: Select[WebhookEndpoint]) -> WebhookEndpoint:
    endpoint = session.scalars(query).one_or_none()
    if endpoint is None:
        raise NotFound("There is no such webhook endpoint")
    return endpoint


def lock_delivery(
    session: Session, tenant_id: UUID, endpoint_id: UUID, delivery_id: UUID
) -> WebhookDelivery:
    """One delivery of an endpoint, held by this transaction.

    Raises:
        NotFound: the endpoint of this tenant has no such delivery.
    """
    delivery = session.scalars(
        select(WebhookDelivery)
        .where(
            WebhookDelivery.tenant_id == tenant_id,
            WebhookDelivery.endpoint_id == endpoint_id,
            WebhookDelivery.id == delivery_id,
        )
        .with_for_update()
    ).one_or_none()
    if delivery is None:
        raise NotFound("The endpoint has no such delivery")
    return delivery


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
