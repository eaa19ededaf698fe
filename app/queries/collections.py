"""Reads of collections, inside the tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain.given_names import normal_name
from app.domain.windows import Window
from app.models.collection import Collection
from app.queries.rows import in_window, the_one

_MISSING = "There is no such collection"


def find_collection(session: Session, tenant_id: UUID, collection_id: UUID) -> Collection:
    """One collection.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    query = _collections(tenant_id).where(Collection.id == collection_id)
    return the_one(session, query, _MISSING)


def lock_collection(session: Session, tenant_id: UUID, collection_id: UUID) -> Collection:
    """One collection, held by this transaction; others may still add subjects and faces to it.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    query = _collections(tenant_id).where(Collection.id == collection_id)
    return the_one(session, query.with_for_update(key_share=True), _MISSING)


def keep_collection(session: Session, tenant_id: UUID, collection_id: UUID) -> Collection:
    """One collection, which nobody deletes before this transaction ends.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    query = _collections(tenant_id).where(Collection.id == collection_id)
    return the_one(session, query.with_for_update(read=True, key_share=True), _MISSING)


def seize_collection(session: Session, tenant_id: UUID, collection_id: UUID) -> Collection:
    """One collection, to which nobody adds anything from here on; waits for those who do.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    query = _collections(tenant_id).where(Collection.id == collection_id)
    return the_one(session, query.with_for_update(), _MISSING)


def list_collections(
    session: Session, tenant_id: UUID, window: Window, name: str | None = None
) -> Sequence[Collection]:
    """Collections of a window; with `name`, the one that is called so."""
    query = _collections(tenant_id)
    if name is not None:
        query = query.where(Collection.name == normal_name(name))
    return in_window(session, query, Collection.id, window)


def collection_of_name(session: Session, tenant_id: UUID, name: str) -> Collection | None:
    """The one that is called so; names are unique in a tenant."""
    named = _collections(tenant_id).where(Collection.name == normal_name(name))
    return session.scalars(named).one_or_none()


def _collections(tenant_id: UUID) -> Select[Collection]:
    return select(Collection).where(Collection.tenant_id == tenant_id)
