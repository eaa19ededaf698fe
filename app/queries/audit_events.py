"""Reads of the audit log, inside the tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.windows import Window
from app.models.audit_event import AuditEvent
from app.queries.rows import in_window


def list_audit_events(session: Session, tenant_id: UUID, window: Window) -> Sequence[AuditEvent]:
    """Events of a window."""
    query = select(AuditEvent).where(AuditEvent.tenant_id == tenant_id)
    return in_window(session, query, AuditEvent.id, window)
