"""Use case: a client reads who did what, and who read whose faces."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.database.transactions import read_transaction
from app.domain.windows import Window
from app.models.audit_event import AuditEvent
from app.queries import audit_events as queries


def list_audit_events(tenant_id: UUID, window: Window) -> Sequence[AuditEvent]:
    """Read events of a window."""
    with read_transaction(tenant_id) as session:
        return queries.list_audit_events(session, tenant_id, window)
