"""Reads of the audit log, inside the tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.audit_event import AuditEvent
from app.queries.rows import newest


def list_audit_events(
    session: Session, tenant_id: UUID, *, limit: int, after: UUID | None
) -> Sequence[AuditEvent]:
    """Events, newest first: up to `limit` and one more."""
    query = select(AuditEvent).where(AuditEvent.tenant_id == tenant_id)
    return newest(session, query, AuditEvent.id, limit=limit, after=after)
