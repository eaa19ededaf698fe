"""The task that tries webhook deliveries."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from app.domain.names import TaskName
from app.services.webhooks.deliver import deliver_due


@shared_task(name=TaskName.DELIVER_WEBHOOK)
def deliver_webhook(delivery_id: str, tenant_id: str) -> None:
    """Try the delivery that a hint names, if it is still due."""
    deliver_due(UUID(tenant_id), UUID(delivery_id))
