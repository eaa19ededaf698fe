"""Use case: a client asks for a delivery once more."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from app.database.notify import wake_dispatcher
from app.database.transactions import after_commit, tenant_transaction
from app.domain.actor import Actor
from app.domain.request_errors import (
    DeliveryNotReplayable,
    EndpointDisabled,
)
from app.domain.states import DeliveryState, EndpointState
from app.domain.webhooks import REPLAYABLE_FOR
from app.models.webhook_delivery import WebhookDelivery
from app.queries.webhooks import lock_delivery, lock_endpoint
from app.services.tenancy.record_audit import record_audit


def replay_delivery(
    tenant_id: UUID,
    endpoint_id: UUID,
    delivery_id: UUID,
    actor: Actor,
    *,
    now: dt.datetime | None = None,
) -> WebhookDelivery:
    """Send a delivery again now, with a whole schedule of retries and the same `webhook-id`.

    Raises:
        NotFound: the tenant has no such endpoint, or the endpoint no such delivery.
        EndpointDisabled: nothing is sent to it.
        DeliveryNotReplayable: the delivery is older than 30 days.
    """
    now = now or dt.datetime.now(dt.UTC)
    with tenant_transaction(tenant_id) as session:
        endpoint = lock_endpoint(session, tenant_id, endpoint_id)
        delivery = lock_delivery(session, tenant_id, endpoint_id, delivery_id)
        if endpoint.state == EndpointState.DISABLED:
            raise EndpointDisabled("Enable the webhook endpoint first: that sends what was held")
        if delivery.created_at < now - REPLAYABLE_FOR:
            raise DeliveryNotReplayable
        delivery.state, delivery.finished_at = DeliveryState.PENDING, None
        delivery.next_attempt_at, delivery.hint_expires_at = now, None
        delivery.attempt_count = 0
        record_audit(
            session,
            tenant_id,
            actor,
            "webhook_delivery.replayed",
            "webhook_delivery",
            delivery_id,
        )
        after_commit(session, wake_dispatcher)
    return delivery
