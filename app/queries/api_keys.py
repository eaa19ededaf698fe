"""Reads of API keys, inside a transaction that sees the tenant's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app.domain.windows import Window
from app.models.api_key import ApiKey
from app.queries.rows import in_window, the_one


def lock_api_key(session: Session, tenant_id: UUID, key_id: UUID) -> ApiKey:
    """One key, held by this transaction.

    Raises:
        NotFound: no key of this tenant has the id.
    """
    query = _keys(tenant_id).where(ApiKey.id == key_id).with_for_update()
    return the_one(session, query, "There is no such API key")


def list_api_keys(session: Session, tenant_id: UUID, window: Window) -> Sequence[ApiKey]:
    """Keys of a window, revoked ones among them."""
    return in_window(session, _keys(tenant_id), ApiKey.id, window)


def count_live_keys(session: Session, tenant_id: UUID, now: dt.datetime) -> int:
    """Keys that work at a moment."""
    query = select(func.count()).where(
        ApiKey.tenant_id == tenant_id,
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
    )
    return session.scalars(query).one()


def _keys(tenant_id: UUID) -> Select[ApiKey]:
    return select(ApiKey).where(ApiKey.tenant_id == tenant_id)
