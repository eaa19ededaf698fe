"""Use cases: a client reads what was, is and will be sent to an endpoint, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.database.recent_reads import recent_reads
from app.database.transactions import read_transaction
from app.domain.windows import Window
from app.models.webhook_delivery import WebhookAttempt, WebhookDelivery
from app.queries import webhooks as queries


def read_delivery(tenant_id: UUID, endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Read a delivery.

    Raises:
        NotFound: the endpoint of this tenant has no such delivery.
    """
    with read_transaction(tenant_id) as session:
        return queries.find_delivery(session, tenant_id, endpoint_id, delivery_id)


def list_deliveries(
    tenant_id: UUID, endpoint_id: UUID, window: Window, *, state: str | None = None
) -> Sequence[WebhookDelivery]:
    """Read an endpoint's deliveries, in a window.

    Raises:
        NotFound: no endpoint of this tenant has the id.
    """
    return recent_reads().read(
        tenant_id,
        lambda session: queries.list_deliveries(
            session, tenant_id, endpoint_id, window, state=state
        ),
    )


def list_attempts(
    tenant_id: UUID, endpoint_id: UUID, delivery_id: UUID, window: Window
) -> Sequence[WebhookAttempt]:
    """Read a delivery's attempts, in a window.

    Raises:
        NotFound: the endpoint of this tenant has no such delivery.
    """
    with read_transaction(tenant_id) as session:
        delivery = queries.find_delivery(session, tenant_id, endpoint_id, delivery_id)
        return queries.list_attempts(session, delivery, window)
