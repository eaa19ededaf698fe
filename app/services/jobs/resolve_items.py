"""A part of submitting: from what the client names to S3 places and subjects."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.domain.errors import FieldError, LocationForbidden, NotFound
from app.domain.identifiers import new_id
from app.domain.job_request import JobRequest
from app.domain.states import Operation
from app.models.image import Image
from app.models.subject import Subject
from app.services.tenancy.storage_places import readable_storage


@dataclass(frozen=True)
class ResolvedItems:
    """Rows for the items table, in the order of the request."""

    rows: list[dict[str, str | None]]

    def as_json(self) -> str:
        """The rows as one JSON array, for a single INSERT."""
        return to_json(self.rows).decode()


def resolve_items(session: Session, tenant_id: UUID, request: JobRequest) -> ResolvedItems:
    """Find uploads and subjects (creating subjects to enrol), and check every S3 place.

    Raises:
        LocationForbidden: an image outside the tenant's registered places.
        NotFound: an upload, or the claimed subject of a verification, is not there.
    """
    uploads = _uploads(session, request)
    subjects = _subjects(session, tenant_id, request)
    _check_locations(session, tenant_id, request)
    return ResolvedItems(
        [
            {
                "custom_id": item.custom_id,
                "image_uri": item.image or uploads[item.image_id],
                "reference_uri": item.reference,
                "subject_id": str(subjects[item.subject]) if item.subject else None,
            }
            for item in request.items
        ]
    )


def _uploads(session: Session, request: JobRequest) -> dict[UUID | None, str]:
    wanted = {item.image_id for item in request.items if item.image_id}
    if not wanted:
        return {}
    rows = session.execute(select(Image.id, Image.uri).where(Image.id.in_(wanted)))
    uploads: dict[UUID | None, str] = {row.id: row.uri for row in rows}
    _require(request, "image_id", wanted - uploads.keys(), "no upload of yours has this id")
    return uploads


def _subjects(session: Session, tenant_id: UUID, request: JobRequest) -> dict[str, UUID]:
    wanted = {item.subject for item in request.items if item.subject}
    if not wanted or request.collection_id is None:
        return {}
    if request.operation is Operation.ENROL:
        rows = [
            {
                "id": new_id(),
                "tenant_id": tenant_id,
                "collection_id": request.collection_id,
                "external_id": name,
            }
            for name in sorted(wanted)
        ]
        session.execute(insert(Subject).on_conflict_do_nothing(), rows)
    found = session.execute(
        select(Subject.external_id, Subject.id).where(
            Subject.collection_id == request.collection_id, Subject.external_id.in_(wanted)
        )
    )
    subjects = {row.external_id: row.id for row in found}
    _require(request, "subject", wanted - subjects.keys(), "the collection has no such subject")
    return subjects


def _require(request: JobRequest, field: str, missing: set[str] | set[UUID], detail: str) -> None:
    if missing:
        raise NotFound(
            "An item names what is not there",
            errors=tuple(
                FieldError(f"/items/{position}/{field}", detail)
                for position, item in enumerate(request.items)
                if getattr(item, field) in missing
            ),
        )


def _check_locations(session: Session, tenant_id: UUID, request: JobRequest) -> None:
    named = [
        (f"/items/{position}/{name}", uri)
        for position, item in enumerate(request.items)
        for name, uri in (("image", item.image), ("reference", item.reference))
        if uri
    ]
    if not named:
        return
    readable = readable_storage(session, tenant_id)
    outside = [
        FieldError(pointer, f"{uri} is not in a bucket or prefix registered for you")
        for pointer, uri in named
        if not readable.covers(uri)
    ]
    if outside:
        raise LocationForbidden(errors=tuple(outside))
