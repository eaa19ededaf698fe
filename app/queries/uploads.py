"""Reads of uploads, inside the tenant's transaction."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.presigned_upload import NamedUploads
from app.domain.storage import ObjectLocation
from app.models.image import Image
from app.models.presigned_upload import PresignedUpload
from app.queries.rows import the_one


def find_image(session: Session, tenant_id: UUID, image_id: UUID) -> Image:
    """One upload.

    Raises:
        NotFound: no upload of this tenant has the id.
    """
    query = select(Image).where(Image.tenant_id == tenant_id, Image.id == image_id)
    return the_one(session, query, "There is no such image")


def find_presigned(session: Session, tenant_id: UUID, image_id: UUID) -> PresignedUpload | None:
    """One upload that was presigned; None once retention has removed what was left of it."""
    query = select(PresignedUpload).where(
        PresignedUpload.tenant_id == tenant_id, PresignedUpload.id == image_id
    )
    return session.scalars(query).one_or_none()


def find_presigned_among(session: Session, tenant_id: UUID, wanted: Collection[UUID]) -> set[UUID]:
    """Which of the uploads were presigned, and may still be sent by who has the URL."""
    query = select(PresignedUpload.id).where(
        PresignedUpload.tenant_id == tenant_id, PresignedUpload.id.in_(wanted)
    )
    return set(session.scalars(query))


def find_places(
    session: Session, tenant_id: UUID, wanted: Collection[UUID]
) -> dict[UUID, ObjectLocation]:
    """Where those of the uploads lie that the tenant has."""
    rows = session.execute(
        select(Image.id, Image.uri).where(Image.tenant_id == tenant_id, Image.id.in_(wanted))
    )
    return {row.id: ObjectLocation.parse(row.uri) for row in rows}


def find_uploads(session: Session, tenant_id: UUID, wanted: Collection[UUID]) -> NamedUploads:
    """Those of the uploads that the tenant has, and which of them can be used."""
    if not wanted:
        return NamedUploads()
    unfinished = session.execute(
        select(PresignedUpload.id).where(
            PresignedUpload.tenant_id == tenant_id,
            PresignedUpload.id.in_(wanted),
            PresignedUpload.completed_at.is_(None),
        )
    )
    places = find_places(session, tenant_id, wanted)
    return NamedUploads(
        {image_id: str(place) for image_id, place in places.items()},
        frozenset(unfinished.scalars()),
    )
