"""Reads of collections, inside the tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.models.collection import Collection


def find_collection(session: Session, tenant_id: UUID, collection_id: UUID) -> Collection:
    """One collection.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    return _one(session, _collection(tenant_id, collection_id))


def lock_collection(session: Session, tenant_id: UUID, collection_id: UUID) -> Collection:
    """One collection, held by this transaction; others may still add subjects and faces to it.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    return _one(session, _collection(tenant_id, collection_id).with_for_update(key_share=True))


def list_collections(
    session: Session, tenant_id: UUID, *, limit: int, after: UUID | None
) -> Sequence[Collection]:
    """Collections, newest first: up to `limit` and one more."""
    query = select(Collection).where(Collection.tenant_id == tenant_id)
    if after is not None:
        query = query.where(Collection.id < after)
    return session.scalars(query.order_by(Collection.id.desc()).limit(limit + 1)).all()


def _collection(tenant_id: UUID, collection_id: UUID) -> Select[Collection]:
    return select(Collection).where(
        Collection.tenant_id == tenant_id, Collection.id == collection_id
    )


def _one(session: Session, query: Select[Collection]) -> Collection:
    collection = session.scalars(query).one_or_none()
    if collection is None:
        raise NotFound("There is no such collection")
    return collection
