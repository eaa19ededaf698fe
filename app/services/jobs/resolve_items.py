"""A part of submitting: from what the client names to S3 places and subjects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.domain.identifiers import new_id
from app.domain.item_errors import (
    ItemError,
    SubjectUnknown,
)
from app.domain.job_request import ItemRequest, JobRequest
from app.domain.presigned_upload import NamedUploads
from app.domain.states import Operation
from app.domain.storage import MAX_URI_LENGTH, MAX_VERSION_LENGTH, ReadableStorage, version_fault
from app.models.subject import Subject
from app.queries.uploads import find_uploads
from app.services.tenancy.storage_places import readable_storage


@dataclass(frozen=True)
class ResolvedItems:
    """Rows for the items table, in the order of the request.

    One with an `error_code` cannot be done: it is written as failed.
    """

    rows: list[dict[str, str | None]]

    def as_json(self) -> str:
        """The rows as one JSON array, for a single INSERT."""
        return to_json(self.rows).decode()

    @cached_property
    def failed_places(self) -> list[int]:
        """Which of the rows cannot be done, from 0."""
        return [place for place, row in enumerate(self.rows) if row.get("error_code")]

    @property
    def errors_by_code(self) -> dict[str, int]:
        """How many of the rows cannot be done, by the code that says why."""
        return Counter(str(self.rows[place]["error_code"]) for place in self.failed_places)


def resolve_items(session: Session, tenant_id: UUID, request: JobRequest) -> ResolvedItems:
    """Find uploads and subjects (creating subjects to enrol), and check every S3 place.

    What is wrong with one item is that item's result, not the request's.
    """
    uploads = _uploads(session, tenant_id, request)
    faults = _own_faults(session, tenant_id, request, uploads)
    sound = [item for item, fault in zip(request.items, faults, strict=True) if fault is None]
    if request.operation is Operation.ENROL:
        _make_subjects(session, tenant_id, request, sound)
    subjects = _subjects(session, request)
    return ResolvedItems(
        [
            _row(item, fault or _unclaimable(item, subjects), uploads, subjects)
            for item, fault in zip(request.items, faults, strict=True)
        ]
    )


def foresee_faults(
    session: Session, tenant_id: UUID, request: JobRequest
) -> list[ItemError | None]:
    """What each item would fail with as the job is made, or None; writes nothing."""
    faults = _own_faults(session, tenant_id, request, _uploads(session, tenant_id, request))
    if request.operation is Operation.ENROL:
        return faults  # whom it does not find, it would make
    subjects = _subjects(session, request)
    return [
        fault or _unclaimable(item, subjects)
        for item, fault in zip(request.items, faults, strict=True)
    ]


def _uploads(session: Session, tenant_id: UUID, request: JobRequest) -> NamedUploads:
    named = (upload for item in request.items for upload in (item.image_id, item.reference_id))
    return find_uploads(session, tenant_id, {upload for upload in named if upload})


def _own_faults(
    session: Session, tenant_id: UUID, request: JobRequest, uploads: NamedUploads
) -> list[ItemError | None]:
    """What is wrong with each item, whoever is in the collection."""
    readable = _readable(session, tenant_id, request)
    return [_fault(item, uploads, readable) for item in request.items]


def _readable(session: Session, tenant_id: UUID, request: JobRequest) -> ReadableStorage | None:
    """What the tenant may read, asked only when an item names a place in S3."""
    named = any(item.image is not None or item.reference is not None for item in request.items)
    return readable_storage(session, tenant_id) if named else None


def _fault(
    item: ItemRequest, uploads: NamedUploads, readable: ReadableStorage | None
) -> ItemError | None:
    for upload in (item.image_id, item.reference_id):
        if upload is not None and (missing := uploads.fault(upload)):
            return missing
    for uri in (item.image, item.reference):
        if readable and uri is not None and (refusal := readable.refusal(uri)):
            return refusal
    return (
        version_fault(item.image_version)
        or version_fault(item.reference_version)
        or item.subject_fault
    )


def _make_subjects(
    session: Session, tenant_id: UUID, request: JobRequest, items: list[ItemRequest]
) -> None:
    wanted = {item.subject for item in items if item.subject}
    if not wanted:
        return
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


def _subjects(session: Session, request: JobRequest) -> dict[str, UUID]:
    """Whom the items name, as far as they are there: of one that fails, too."""
    wanted = {item.subject for item in request.items if item.subject and not item.subject_fault}
    if not wanted or request.collection_id is None:
        return {}
    found = session.execute(
        select(Subject.external_id, Subject.id).where(
            Subject.collection_id == request.collection_id, Subject.external_id.in_(wanted)
        )
    )
    return {row.external_id: row.id for row in found}


def _unclaimable(item: ItemRequest, subjects: Container[str]) -> SubjectUnknown | None:
    if item.subject is None or item.subject in subjects:
        return None
    return SubjectUnknown("the collection has no subject with this external id")


def _row(
    item: ItemRequest,
    fault: ItemError | None,
    uploads: NamedUploads,
    subjects: Mapping[str, UUID],
) -> dict[str, str | None]:
    subject_id = subjects.get(item.subject) if item.subject else None
    row: dict[str, str | None] = {
        "custom_id": item.custom_id,
        "image_uri": _kept(item.image, uploads, item.image_id),
        "reference_uri": _kept(item.reference, uploads, item.reference_id),
        "subject_id": str(subject_id) if subject_id else None,
    }
    if item.image_version is not None:
        row["image_version"] = item.image_version[: MAX_VERSION_LENGTH + 1]
    if item.reference_version is not None:
        row["reference_version"] = item.reference_version[: MAX_VERSION_LENGTH + 1]
    if fault:
        row |= {"error_code": fault.code, "error_message": fault.message}
    return row


def _kept(uri: str | None, uploads: NamedUploads, upload: UUID | None) -> str | None:
    """A place as it is kept, "" for an upload that is not there.

    What is too long is kept as far as it shows that: the item has failed, and when the job's failed
    items are tried again, it fails again.
    """
    if uri is not None:
        return uri[: MAX_URI_LENGTH + 1]
    return None if upload is None else uploads.uris.get(upload, "")
