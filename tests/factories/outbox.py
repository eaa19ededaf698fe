"""What the outbox of the vectors tells of a tenant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from app.database.transactions import queue_transaction


def vector_changes(tenant_id: UUID) -> list[Row[Any]]:
    """A tenant's changes, oldest first, as the role of the followers reads them."""
    with queue_transaction() as session:
        query = "SELECT * FROM vector_changes WHERE tenant_id = :tenant ORDER BY xact, id"
        return list(session.execute(text(query), {"tenant": tenant_id}))


def told(tenant_id: UUID) -> list[tuple[str, UUID]]:
    """Which face each change added or removed."""
    return [(row.change, row.face_id) for row in vector_changes(tenant_id)]
