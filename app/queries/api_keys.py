"""Reads of API keys, inside a transaction that sees the tenant's."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.models.api_key import ApiKey


def lock_api_key(session: Session, tenant_id: UUID, key_id: UUID) -> ApiKey:
    """One key, held by this transaction.

    Raises:
        NotFound: no key of this tenant has the id.
    """
    key = session.scalars(
        select(ApiKey).where(ApiKey.tenant_id == tenant_id, ApiKey.id == key_id).with_for_update()
    ).one_or_none()
    if key is None:
        raise NotFound("There is no such API key")
    return key


def list_api_keys(
    session: Session, tenant_id: UUID, *, limit: int, after: UUID | None
) -> Sequence[ApiKey]:
    """Keys, newest first, revoked ones among them: up to `limit` and one more."""
    query = select(ApiKey).where(ApiKey.tenant_id == tenant_id)
    if after is not None:
        query = query.where(ApiKey.id < after)
    return session.scalars(query.order_by(ApiKey.id.desc()).limit(limit + 1)).all()
