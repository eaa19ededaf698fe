"""The right to try one delivery: one worker at a time, and few at a time at one endpoint."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database.transactions import tenant_transaction
from app.domain.request_errors import NotFound
from app.domain.states import DeliveryState, EndpointState
from app.domain.webhooks import CLOCK_LEEWAY, CONCURRENT_PER_ENDPOINT, DELIVERY_LEASE
from app.models.webhook_delivery import WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint
from app.queries.webhooks import count_under_way, endpoint_of, is_leasable, lock_endpoint
from app.services.webhooks.endpoint_secrets import live_secrets


@dataclass(frozen=True)
class LeasedDelivery:
    """What a worker needs for one attempt. `token` proves later that the lease is still its own."""

    id: UUID
    tenant_id: UUID
    endpoint_id: UUID
    job_id: UUID | None
    url: str
    payload: str
    token: int
    secrets: tuple[str, ...] = field(repr=False)


def lease_delivery(tenant_id: UUID, delivery_id: UUID, now: dt.datetime) -> LeasedDelivery | None:
    """Take a delivery that is due; None when it is not, or its endpoint is busy or disabled.

    Raises:
        ConfigurationError: the endpoint's secret cannot be read; no attempt is counted.
    """
    with tenant_transaction(tenant_id) as session:
        endpoint_id = endpoint_of(session, tenant_id, delivery_id)
        if endpoint_id is None:
            return None
        try:
            # Locked before its deliveries, here and when an outcome is recorded.
            endpoint = lock_endpoint(session, tenant_id, endpoint_id)
        except NotFound:
            return None
        delivery = _due(session, tenant_id, delivery_id, now)
        if delivery is None:
            return None
        if endpoint.state == EndpointState.DISABLED:
            delivery.state = DeliveryState.HELD
            return None
        if count_under_way(session, tenant_id, endpoint_id, now) >= CONCURRENT_PER_ENDPOINT:
            return None
        return _lease(delivery, endpoint, now)


def _due(
    session: Session, tenant_id: UUID, delivery_id: UUID, now: dt.datetime
) -> WebhookDelivery | None:
    return session.scalars(
        select(WebhookDelivery)
        .where(
            WebhookDelivery.tenant_id == tenant_id,
            WebhookDelivery.id == delivery_id,
            is_leasable(now, due_by=now + CLOCK_LEEWAY),
        )
        .with_for_update()
    ).one_or_none()


def _lease(
    delivery: WebhookDelivery, endpoint: WebhookEndpoint, now: dt.datetime
) -> LeasedDelivery:
    delivery.leased_until = now + DELIVERY_LEASE
    delivery.lease_token += 1
    return LeasedDelivery(
        id=delivery.id,
        tenant_id=delivery.tenant_id,
        endpoint_id=endpoint.id,
        job_id=delivery.job_id,
        url=endpoint.url,
        payload=delivery.payload,
        token=delivery.lease_token,
        secrets=live_secrets(endpoint, now),
    )
