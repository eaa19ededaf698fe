"""Use case: a client reads who did what, and who read whose faces."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.database.recent_reads import recent_reads
from app.domain.windows import Window
from app.models.audit_event import AuditEvent
from app.queries import audit_events as queries


def list_audit_events(tenant_id: UUID, window: Window) -> Sequence[AuditEvent]:
    """Read events of a window."""
    return recent_reads().read(
        tenant_id, lambda session: queries.list_audit_events(session, tenant_id, window)
    )
