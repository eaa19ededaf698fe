"""Use case: a key gets a successor, and works on beside it for a while."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from app.database.transactions import tenant_transaction
from app.domain.actor import Actor
from app.domain.api_key import Principal, earliest
from app.domain.names import Scope
from app.domain.request_errors import KeyEnded
from app.models.api_key import ApiKey
from app.queries.api_keys import lock_api_key
from app.services.tenancy.api_keys import (
    NewKey,
    add_key,
    refuse_mightier,
    refuse_outreaching,
    refuse_too_many_keys,
)
from app.services.tenancy.record_audit import record_audit


def rotate_api_key(
    principal: Principal, key_id: UUID, overlap: dt.timedelta, actor: Actor
) -> tuple[ApiKey, str]:
    """Make a key of the same name, scopes and addresses; let the old one end after `overlap`.

    The new one ends when the old one would have ended, and no later than the key that asks.

    Returns:
        The new key and its text, which is not shown again.

    Raises:
        NotFound: no key of this tenant has the id.
        Forbidden: it has a scope that the key which asks lacks, and is not that key.
        KeyAddressesForbidden: it works from where the key that asks does not.
        KeyEnded: it does not work any more.
        TooManyKeys: both together would be more live keys than MAX_API_KEYS.
    """
    now = dt.datetime.now(dt.UTC)
    with tenant_transaction(principal.tenant_id) as session:
        old = lock_api_key(session, principal.tenant_id, key_id)
        refuse_mightier(principal, old)
        refuse_outreaching(principal, old.allowed_addresses)
        if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
            raise KeyEnded("The key is revoked or has expired: make a new one")
        end = earliest(old.expires_at, principal.expires_at)
        old.expires_at = earliest(old.expires_at, now + overlap)
        session.flush()
        refuse_too_many_keys(session, principal.tenant_id)
        scopes = [Scope(scope) for scope in old.scopes]
        wanted = NewKey(old.name, scopes, end, end is None, old.allowed_addresses)
        record_audit(session, old.tenant_id, actor, "api_key.rotated", "api_key", old.id)
        return add_key(session, principal.tenant_id, wanted, actor)
