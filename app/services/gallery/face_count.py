"""A part of erasing faces: the collection's count goes down with them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.models.collection import Collection


def lower_face_count(session: Session, tenant_id: UUID, collection_id: UUID, faces: int) -> None:
    """Take erased faces off a collection's count; last in its transaction, for it locks the row."""
    if faces:
        session.execute(
            update(Collection)
            .where(Collection.tenant_id == tenant_id, Collection.id == collection_id)
            .values(face_count=Collection.face_count - faces)
        )
