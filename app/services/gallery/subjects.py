"""Use cases: people of a collection are added, changed, erased and read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database.recent_reads import recent_reads
from app.database.transactions import read_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.gallery import Deletion, ErasedScope, SubjectFilter, SubjectKey
from app.domain.given_names import normal_name
from app.domain.identifiers import new_id
from app.domain.metadata import changed_metadata
from app.domain.request_errors import (
    AlreadyExists,
    FieldError,
)
from app.domain.versions import Accepted, require_version
from app.domain.windows import Window
from app.models.subject import Subject
from app.queries import subjects as queries
from app.queries.collections import find_collection
from app.queries.subjects import find_subject, lock_subjects
from app.services.gallery.vectors import erase_faces
from app.services.tenancy.record_audit import record_audit


def create_subject(
    tenant_id: UUID,
    collection_id: UUID,
    external_id: str,
    metadata: dict[str, Any],
    actor: Actor,
) -> Subject:
    """Add a person to a collection.

    Raises:
        NotFound: no collection of this tenant has the id.
        AlreadyExists: the collection has a subject of this external id.
    """
    subject = Subject(
        id=new_id(),
        tenant_id=tenant_id,
        collection_id=collection_id,
        external_id=normal_name(external_id),
        metadata_=metadata,
    )
    with tenant_transaction(tenant_id) as session:
        find_collection(session, tenant_id, collection_id)
        session.add(subject)
        _flush(session)
        _audit(session, subject, actor, "created")
    return subject


def update_subject(
    tenant_id: UUID,
    collection_id: UUID,
    key: SubjectKey,
    changes: Mapping[str, Any],
    actor: Actor,
    accepted: Accepted = None,
) -> Subject:
    """Change `external_id` or `metadata`.

    Raises:
        NotFound: the collection of this tenant has no such subject.
        PreconditionFailed: its version is not one of those accepted.
        Invalid: too much metadata.
        AlreadyExists: another subject of the collection has the external id.
    """
    with tenant_transaction(tenant_id) as session:
        subject = find_subject(session, tenant_id, collection_id, key, lock=True)
        require_version(subject.version, accepted)
        if "external_id" in changes:
            subject.external_id = normal_name(changes["external_id"])
        if "metadata" in changes:
            subject.metadata_ = changed_metadata(subject.metadata_, changes["metadata"])
        subject.updated_at = dt.datetime.now(dt.UTC)
        _flush(session)
        _audit(session, subject, actor, "updated", {"fields": sorted(changes)})
    return subject


def delete_subject(tenant_id: UUID, collection_id: UUID, key: SubjectKey, actor: Actor) -> None:
    """Erase a person with all faces and embeddings.

    Raises:
        NotFound: the collection of this tenant has no such subject.
    """
    with tenant_transaction(tenant_id) as session:
        subject = find_subject(session, tenant_id, collection_id, key, lock=True)
        _erase(session, tenant_id, collection_id, [subject], actor)


def delete_subjects(
    tenant_id: UUID, collection_id: UUID, keys: Sequence[SubjectKey], actor: Actor
) -> Deletion:
    """Erase people with all their faces and embeddings; says which of them were there.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    with tenant_transaction(tenant_id) as session:
        find_collection(session, tenant_id, collection_id)
        found = lock_subjects(session, tenant_id, collection_id, keys)
        _erase(session, tenant_id, collection_id, found, actor)
    gone = {key for subject in found for key in (subject.id, subject.external_id)}
    return Deletion.of(keys, gone)


def _erase(
    session: Session,
    tenant_id: UUID,
    collection_id: UUID,
    subjects: Sequence[Subject],
    actor: Actor,
) -> None:
    """Erase people who are held; each is an event."""
    ids = [subject.id for subject in subjects]
    erased = erase_faces(session, tenant_id, ErasedScope.subjects(collection_id, ids))
    session.execute(delete(Subject).where(Subject.tenant_id == tenant_id, Subject.id.in_(ids)))
    for subject in subjects:
        detail = {"faces": erased.of_subject.get(subject.id, 0)}
        _audit(session, subject, actor, "deleted", detail)


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise AlreadyExists(
            "The collection has a subject of this external id",
            errors=(FieldError("/external_id", "it is taken"),),
        ) from error


def _audit(
    session: Session,
    subject: Subject,
    actor: Actor,
    verb: str,
    detail: dict[str, Any] | None = None,
) -> None:
    record_audit(
        session, subject.tenant_id, actor, f"subject.{verb}", "subject", subject.id, detail
    )


def read_subject(tenant_id: UUID, collection_id: UUID, key: SubjectKey) -> Subject:
    """Read a person.

    Raises:
        NotFound: the collection of this tenant has no such subject.
    """
    with read_transaction(tenant_id) as session:
        return queries.find_subject(session, tenant_id, collection_id, key)


def list_subjects(
    tenant_id: UUID, collection_id: UUID, window: Window, *, wanted: SubjectFilter
) -> Sequence[Subject]:
    """Read the people of a collection who are wanted, in a window.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    return recent_reads().read(
        tenant_id,
        lambda session: queries.list_subjects(session, tenant_id, collection_id, window, wanted),
    )
