"""Use case: a key says who makes a request."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Row, text

from app.database.transactions import single_statements
from app.domain.api_key import Principal, is_key, prefix_of
from app.domain.errors import Unauthenticated
from app.domain.names import Scope

# A function of the owner: before the key is known there is no tenant whose rows could be read.
_FIND_KEY = text(
    "SELECT id, tenant_id, key_hash, scopes, expires_at, revoked_at FROM find_api_key(:prefix)"
)
_SCOPES = frozenset(scope.value for scope in Scope)


def authenticate(presented: str) -> Principal:
    """Find out whose key this is.

    Raises:
        Unauthenticated: not a key, or one that is revoked or expired.
    """
    prefix = prefix_of(presented)
    row = _find(prefix) if prefix else None
    if row is None or not is_key(presented, bytes(row.key_hash)):
        raise Unauthenticated("The API key is not one of ours")
    if row.revoked_at is not None:
        raise Unauthenticated("The API key is revoked")
    if row.expires_at is not None and row.expires_at <= dt.datetime.now(dt.UTC):
        raise Unauthenticated("The API key has expired")
    # A scope that a newer version wrote is passed over, not an error.
    scopes = frozenset(Scope(scope) for scope in row.scopes if scope in _SCOPES)
    return Principal(row.tenant_id, row.id, scopes, row.expires_at)


def _find(prefix: str) -> Row[Any] | None:
    with single_statements() as connection:
        return connection.execute(_FIND_KEY, {"prefix": prefix}).one_or_none()
