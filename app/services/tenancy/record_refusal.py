"""Use case: a key that was presented opens nothing, and the audit log says so."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.database.transactions import tenant_transaction
from app.domain.actor import Actor
from app.services.tenancy.record_audit import record_audit


def record_refusal(tenant_id: UUID, actor: Actor, detail: dict[str, Any]) -> None:
    """Write the event; INSTALLATION stands for the tenant where the key is nobody's."""
    with tenant_transaction(tenant_id) as session:
        record_audit(session, tenant_id, actor, "api_key.refused", "api_key", actor.key_id, detail)
