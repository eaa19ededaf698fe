"""A part of every use case of webhook endpoints: what was done to which."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.domain.actor import Actor
from app.models.webhook_endpoint import WebhookEndpoint
from app.services.tenancy.record_audit import record_audit


def audit_endpoint(
    session: Session, endpoint: WebhookEndpoint, actor: Actor, verb: str, **detail: Any
) -> None:
    """Record that something was done to an endpoint, in the caller's transaction."""
    tenant_id, action = endpoint.tenant_id, f"webhook_endpoint.{verb}"
    record_audit(session, tenant_id, actor, action, "webhook_endpoint", endpoint.id, detail)
