"""A part of completing, deleting and purging: presigned uploads of which nothing more is to come.

Whoever completes an upload, deletes its image or removes what is left of it comes by its row here.
Once that is closed nobody writes the image's row any more. And who wrote the object looks for the
image's row after that, as who deleted that row deletes the object after it: whichever is the later
one leaves none behind.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from app.database.transactions import tenant_transaction
from app.models.image import Image
from app.models.presigned_upload import PresignedUpload


def hold_unfinished(session: Session, tenant_id: UUID, image_ids: Collection[UUID]) -> set[UUID]:
    """Hold those of the presigned uploads that are not closed, in the order of their ids."""
    query = select(PresignedUpload.id).where(*_open_ones(tenant_id, image_ids))
    return set(session.scalars(query.order_by(PresignedUpload.id).with_for_update(key_share=True)))


def close_presigned(session: Session, tenant_id: UUID, image_ids: Collection[UUID]) -> set[UUID]:
    """Close presigned uploads; returns which were open until now."""
    held = hold_unfinished(session, tenant_id, image_ids)
    if held:
        closing = update(PresignedUpload).where(*_open_ones(tenant_id, held))
        session.execute(closing.values(completed_at=func.now()))
    return held


def end_presigned(tenant_id: UUID, image_ids: Collection[UUID]) -> set[UUID]:
    """Close presigned uploads whose time is over, and forget the images that never were finished.

    Returns which have no image: no object of theirs is of use to anybody.
    """
    with tenant_transaction(tenant_id) as session:
        unfinished = close_presigned(session, tenant_id, image_ids)
        own = Image.tenant_id == tenant_id
        if unfinished:
            session.execute(delete(Image).where(own, Image.id.in_(unfinished)))
        kept = session.scalars(select(Image.id).where(own, Image.id.in_(image_ids)))
        return set(image_ids) - set(kept)


def _open_ones(tenant_id: UUID, image_ids: Collection[UUID]) -> tuple[ColumnElement[bool], ...]:
    return (
        PresignedUpload.tenant_id == tenant_id,
        PresignedUpload.id.in_(image_ids),
        PresignedUpload.completed_at.is_(None),
    )
