"""Reads of subjects and their faces, inside the tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app.domain.gallery import SubjectFilter, SubjectKey
from app.domain.given_names import normal_name
from app.domain.windows import Window
from app.models.face import Face
from app.models.subject import Subject
from app.queries.collections import find_collection
from app.queries.rows import in_window, the_one


def find_subject(
    session: Session, tenant_id: UUID, collection_id: UUID, key: SubjectKey, *, lock: bool = False
) -> Subject:
    """One subject of a collection; with `lock`, held by this transaction.

    Raises:
        NotFound: the collection of this tenant has no such subject.
    """
    query = _subjects(tenant_id, collection_id)
    if isinstance(key, UUID):
        query = query.where(Subject.id == key)
    else:
        query = query.where(Subject.external_id == normal_name(key))
    missing = "The collection has no such subject"
    return the_one(session, query.with_for_update() if lock else query, missing)


def lock_subjects(
    session: Session, tenant_id: UUID, collection_id: UUID, keys: Sequence[SubjectKey]
) -> Sequence[Subject]:
    """Those subjects of a collection that are named, held by this transaction, in id order."""
    ids = [key for key in keys if isinstance(key, UUID)]
    names = [normal_name(key) for key in keys if isinstance(key, str)]
    query = _subjects(tenant_id, collection_id).where(
        or_(Subject.id.in_(ids), Subject.external_id.in_(names))
    )
    return session.scalars(query.order_by(Subject.id).with_for_update()).all()


def hold_subjects(session: Session, tenant_id: UUID, collection_id: UUID) -> None:
    """Hold all subjects of a collection, in id order: no more faces are enrolled for them."""
    held = _subjects(tenant_id, collection_id).with_only_columns(Subject.id)
    held = held.order_by(Subject.id).with_for_update()
    session.execute(select(func.count()).select_from(held.subquery()))


def list_subjects(
    session: Session, tenant_id: UUID, collection_id: UUID, window: Window, wanted: SubjectFilter
) -> Sequence[Subject]:
    """Subjects of a collection, in a window.

    Of metadata there is no index: row-level security is looked at before what could leak, and only
    an index of that could be used. A collection of 200,000 is gone through in a tenth of a second.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    find_collection(session, tenant_id, collection_id)
    query = _subjects(tenant_id, collection_id)
    if wanted.external_id is not None:
        query = query.where(Subject.external_id == normal_name(wanted.external_id))
    if wanted.metadata is not None:
        query = query.where(Subject.metadata_.contains(wanted.metadata))
    return in_window(session, query, Subject.id, window)


def list_faces(
    session: Session, tenant_id: UUID, subject_id: UUID, window: Window
) -> Sequence[Face]:
    """Faces of a subject, in a window."""
    query = select(Face).where(Face.tenant_id == tenant_id, Face.subject_id == subject_id)
    return in_window(session, query, Face.id, window)


def list_collection_faces(
    session: Session, tenant_id: UUID, collection_id: UUID, window: Window
) -> Sequence[Face]:
    """Faces of a collection, in a window.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    find_collection(session, tenant_id, collection_id)
    query = select(Face).where(Face.tenant_id == tenant_id, Face.collection_id == collection_id)
    return in_window(session, query, Face.id, window)


def _subjects(tenant_id: UUID, collection_id: UUID) -> Select[Subject]:
    return select(Subject).where(
        Subject.tenant_id == tenant_id, Subject.collection_id == collection_id
    )
