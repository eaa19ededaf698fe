"""Reads of subjects and their faces, inside the tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.models.face import Face
from app.models.subject import Subject


def find_subject(
    session: Session, tenant_id: UUID, collection_id: UUID, subject_id: UUID, *, lock: bool = False
) -> Subject:
    """One subject of a collection; with `lock`, held by this transaction.

    Raises:
        NotFound: the collection of this tenant has no such subject.
    """
    query = _subjects(tenant_id, collection_id).where(Subject.id == subject_id)
    subject = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if subject is None:
        raise NotFound("The collection has no such subject")
    return subject


def list_subjects(
    session: Session, tenant_id: UUID, collection_id: UUID, *, limit: int, after: UUID | None
) -> Sequence[Subject]:
    """Subjects of a collection, newest first: up to `limit` and one more."""
    query = _subjects(tenant_id, collection_id)
    if after is not None:
        query = query.where(Subject.id < after)
    return session.scalars(query.order_by(Subject.id.desc()).limit(limit + 1)).all()


def list_faces(
    session: Session, tenant_id: UUID, subject_id: UUID, *, limit: int, after: UUID | None
) -> Sequence[Face]:
    """Faces of a subject, newest first: up to `limit` and one more."""
    query = select(Face).where(Face.tenant_id == tenant_id, Face.subject_id == subject_id)
    if after is not None:
        query = query.where(Face.id < after)
    return session.scalars(query.order_by(Face.id.desc()).limit(limit + 1)).all()


def _subjects(tenant_id: UUID, collection_id: UUID) -> Select[Subject]:
    return select(Subject).where(
        Subject.tenant_id == tenant_id, Subject.collection_id == collection_id
    )
