"""Reads of subjects and their faces, inside the tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.models.face import Face
from app.models.subject import Subject
from app.queries.collections import find_collection
from app.queries.rows import newest, the_one


def find_subject(
    session: Session, tenant_id: UUID, collection_id: UUID, subject_id: UUID, *, lock: bool = False
) -> Subject:
    """One subject of a collection; with `lock`, held by this transaction.

    Raises:
        NotFound: the collection of this tenant has no such subject.
    """
    query = _subjects(tenant_id, collection_id).where(Subject.id == subject_id)
    missing = "The collection has no such subject"
    return the_one(session, query.with_for_update() if lock else query, missing)


def hold_subjects(session: Session, tenant_id: UUID, collection_id: UUID) -> None:
    """Hold all subjects of a collection, in id order: no more faces are enrolled for them."""
    held = _subjects(tenant_id, collection_id).with_only_columns(Subject.id)
    held = held.order_by(Subject.id).with_for_update()
    session.execute(select(func.count()).select_from(held.subquery()))


def list_subjects(
    session: Session, tenant_id: UUID, collection_id: UUID, *, limit: int, after: UUID | None
) -> Sequence[Subject]:
    """Subjects of a collection, newest first: up to `limit` and one more.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    find_collection(session, tenant_id, collection_id)
    query = _subjects(tenant_id, collection_id)
    return newest(session, query, Subject.id, limit=limit, after=after)


def list_faces(
    session: Session, tenant_id: UUID, subject_id: UUID, *, limit: int, after: UUID | None
) -> Sequence[Face]:
    """Faces of a subject, newest first: up to `limit` and one more."""
    query = select(Face).where(Face.tenant_id == tenant_id, Face.subject_id == subject_id)
    return newest(session, query, Face.id, limit=limit, after=after)


def _subjects(tenant_id: UUID, collection_id: UUID) -> Select[Subject]:
    return select(Subject).where(
        Subject.tenant_id == tenant_id, Subject.collection_id == collection_id
    )
