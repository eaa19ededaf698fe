"""Use case: a key says who makes a request."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Row, text

from app.database.transactions import single_statements
from app.domain.api_key import Principal, is_key, prefix_of
from app.domain.names import Scope
from app.domain.request_errors import (
    AddressNotAllowed,
    KeyRefused,
    Unauthenticated,
)

# A function of the owner: before the key is known there is no tenant whose rows could be read.
_FIND_KEY = text("""
SELECT id, tenant_id, key_hash, scopes, expires_at, revoked_at, allowed_addresses,
  requests_per_minute
FROM find_caller(:prefix)
""")
_NOT_OURS = "The API key is not one of ours"
_SCOPES = frozenset(scope.value for scope in Scope)


def authenticate(presented: str, address: str | None = None) -> Principal:
    """Find out whose key this is, that a client at an address presents.

    Raises:
        KeyRefused: its secret is wrong, or it is revoked or expired.
        AddressNotAllowed: it is right, and does not work from there.
        Unauthenticated: not a key.
    """
    prefix = prefix_of(presented)
    row = _find(prefix) if prefix else None
    if row is None:
        raise Unauthenticated(_NOT_OURS)
    if not is_key(presented, bytes(row.key_hash)):
        raise KeyRefused(_NOT_OURS, row.tenant_id, row.id)
    if row.revoked_at is not None:
        raise KeyRefused("The API key is revoked", row.tenant_id, row.id)
    if row.expires_at is not None and row.expires_at <= dt.datetime.now(dt.UTC):
        raise KeyRefused("The API key has expired", row.tenant_id, row.id)
    # A scope that a newer version wrote is passed over, not an error.
    scopes = frozenset(Scope(scope) for scope in row.scopes if scope in _SCOPES)
    addresses = None if row.allowed_addresses is None else tuple(row.allowed_addresses)
    found = Principal(
        row.tenant_id, row.id, scopes, row.expires_at, row.requests_per_minute, addresses
    )
    if not found.works_from(address):
        raise AddressNotAllowed(
            f"The API key does not work from {address or 'an unknown address'}: use it from one of "
            "its allowed_addresses, or another key",
            found.tenant_id,
            found.key_id,
        )
    return found


def _find(prefix: str) -> Row[Any] | None:
    with single_statements() as connection:
        return connection.execute(_FIND_KEY, {"prefix": prefix}).one_or_none()
