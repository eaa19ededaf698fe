"""Where the picture lies in which an enrolled face was found, inside the tenant's transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.domain.request_errors import NotFound
from app.models.face import Face
from app.models.job import Item, Job


def find_face_picture(
    session: Session, tenant_id: UUID, collection_id: UUID, face_id: UUID
) -> Row[Any]:
    """`image_sha256` and `box` of a face, and its `image_uri`: None once its job is gone.

    Raises:
        NotFound: no collection of this tenant has the id, or it has no such face.
    """
    shown = (
        select(Item.job_id, Item.seq, Item.image_uri)
        .join(Job, (Job.tenant_id == Item.tenant_id) & (Job.id == Item.job_id))
        .where(Item.tenant_id == tenant_id, Job.deleted_at.is_(None))
        .subquery()
    )
    face = session.execute(
        select(Face.image_sha256, Face.box, shown.c.image_uri)
        .outerjoin(shown, (shown.c.job_id == Face.job_id) & (shown.c.seq == Face.item_seq))
        .where(Face.tenant_id == tenant_id, Face.collection_id == collection_id, Face.id == face_id)
    ).one_or_none()
    if face is None:
        raise NotFound("The collection has no such face")
    return face
