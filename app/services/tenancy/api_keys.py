"""Use cases: keys of a tenant are made, revoked and listed, by another key or by the operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction, read_transaction, tenant_transaction
from app.domain.actor import SYSTEM, Actor
from app.domain.api_key import Principal, default_expiry, earliest, issue_key
from app.domain.given_names import normal_name
from app.domain.identifiers import new_id
from app.domain.names import Scope
from app.domain.request_errors import (
    FieldError,
    Forbidden,
    Invalid,
    KeyAddressesForbidden,
    KeyExpiryForbidden,
    TooManyKeys,
)
from app.domain.windows import Window
from app.models.api_key import ApiKey
from app.queries import api_keys as queries
from app.queries.api_keys import count_live_keys, lock_api_key
from app.queries.counting import count_alone
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.tenants import require_tenant


@dataclass(frozen=True)
class NewKey:
    """What a new key is to be; without `expires_at` it lives for API_KEY_DAYS."""

    name: str
    scopes: Sequence[Scope]
    expires_at: dt.datetime | None = None
    never_expires: bool = False
    allowed_addresses: Sequence[str] | None = None
    """Networks from which alone it works; None: from where the key that makes it does."""


def create_api_key(principal: Principal, wanted: NewKey, actor: Actor) -> tuple[ApiKey, str]:
    """Make a key for the tenant of `principal`, which ends no later than the key of `principal`.

    Nor does it work from any address where that one does not.

    Returns:
        The stored key and its text, which is not shown again.

    Raises:
        Forbidden: it would have a scope that the key which asks for it lacks.
        KeyExpiryForbidden: it would live longer than that key.
        KeyAddressesForbidden: it would work from where that key does not.
        Invalid: it would be expired from the start.
        TooManyKeys: the tenant has MAX_API_KEYS live ones.
    """
    _refuse_foreign_scopes(principal, wanted)
    _refuse_outliving(principal, wanted.expires_at)
    if wanted.allowed_addresses is None:
        wanted = replace(wanted, allowed_addresses=principal.addresses)
    refuse_outreaching(principal, wanted.allowed_addresses)
    with tenant_transaction(principal.tenant_id) as session:
        refuse_too_many_keys(session, principal.tenant_id)
        return add_key(session, principal.tenant_id, wanted, actor, within=principal.expires_at)


def issue_api_key(tenant_id: UUID, wanted: NewKey) -> tuple[ApiKey, str]:
    """Make a key as the operator, who may grant every scope, and more keys than a tenant may have.

    Raises:
        NotFound: no tenant has the id.
        Invalid: it would be expired from the start.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id)
        return add_key(session, tenant_id, wanted, SYSTEM)


def revoke_api_key(principal: Principal, key_id: UUID, actor: Actor) -> None:
    """End a key at once; revoking it again changes nothing.

    Raises:
        NotFound: no key of this tenant has the id.
        Forbidden: it has a scope that the key which asks lacks, and is not that key.
    """
    with tenant_transaction(principal.tenant_id) as session:
        key = lock_api_key(session, principal.tenant_id, key_id)
        refuse_mightier(principal, key)
        _revoke(session, key, actor)


def withdraw_api_key(tenant_id: UUID, key_id: UUID) -> None:
    """The same as the operator, who may end every key.

    Raises:
        NotFound: no key of this tenant has the id.
    """
    with tenant_transaction(tenant_id) as session:
        _revoke(session, lock_api_key(session, tenant_id, key_id), SYSTEM)


def list_api_keys(tenant_id: UUID, window: Window) -> Sequence[ApiKey]:
    """Read keys of a window, revoked ones among them."""
    with read_transaction(tenant_id) as session:
        return queries.list_api_keys(session, tenant_id, window)


def refuse_mightier(principal: Principal, key: ApiKey) -> None:
    """Refuse to end a key for one that could not have made it."""
    if not principal.may_end(key.id, key.scopes):
        lacking = sorted(set(key.scopes) - {scope.value for scope in principal.scopes})
        raise Forbidden(
            "A key can end only keys whose scopes it has itself; this one lacks "
            + ", ".join(lacking)
        )


def refuse_outreaching(principal: Principal, addresses: Sequence[str] | None) -> None:
    """Refuse to make a key that works from where the one that asks does not."""
    if not principal.may_reach(addresses):
        own = ", ".join(principal.addresses or ())
        detail = f"this key works from {own} only"
        raise KeyAddressesForbidden(errors=(FieldError("/allowed_addresses", detail),))


def refuse_too_many_keys(session: Session, tenant_id: UUID) -> None:
    """Refuse one more live key than MAX_API_KEYS, also when several are made at once."""
    most: int = current_app.config["SETTINGS"].max_api_keys
    count_alone(session, tenant_id, "api_keys")
    if count_live_keys(session, tenant_id, dt.datetime.now(dt.UTC)) >= most:
        raise TooManyKeys(f"A tenant may have {most} live keys: revoke one that is not needed")


def add_key(
    session: Session,
    tenant_id: UUID,
    wanted: NewKey,
    actor: Actor,
    *,
    within: dt.datetime | None = None,
) -> tuple[ApiKey, str]:
    """Store a new key, in the caller's transaction; its end by default lies `within` another."""
    now = dt.datetime.now(dt.UTC)
    if wanted.expires_at is not None and wanted.expires_at <= now:
        raise Invalid(errors=(FieldError("/expires_at", "it lies in the past"),))
    issued, addresses = issue_key(), wanted.allowed_addresses
    scopes = sorted({scope.value for scope in wanted.scopes})
    key = ApiKey(
        id=new_id(),
        tenant_id=tenant_id,
        name=normal_name(wanted.name),
        prefix=issued.prefix,
        key_hash=issued.key_hash,
        scopes=scopes,
        expires_at=_expiry(wanted, now, within),
        allowed_addresses=None if addresses is None else list(addresses),
    )
    session.add(key)
    session.flush()
    detail = {"scopes": scopes, **({"allowed_addresses": addresses} if addresses else {})}
    record_audit(session, tenant_id, actor, "api_key.created", "api_key", key.id, detail)
    return key, issued.text


def _expiry(wanted: NewKey, now: dt.datetime, within: dt.datetime | None) -> dt.datetime | None:
    if wanted.expires_at is not None:
        return wanted.expires_at
    if wanted.never_expires:
        return within
    return earliest(default_expiry(now, current_app.config["SETTINGS"].api_key_days), within)


def _refuse_foreign_scopes(principal: Principal, wanted: NewKey) -> None:
    if not principal.may_grant(wanted.scopes):
        raise Forbidden(
            "A key can grant only scopes that it has itself",
            errors=tuple(
                FieldError(f"/scopes/{position}", f"this key lacks {scope}")
                for position, scope in enumerate(wanted.scopes)
                if not principal.may(scope)
            ),
        )


def _refuse_outliving(principal: Principal, expires_at: dt.datetime | None) -> None:
    own = principal.expires_at
    if own is not None and expires_at is not None and expires_at > own:
        detail = f"this key ends at {own.isoformat()}"
        raise KeyExpiryForbidden(errors=(FieldError("/expires_at", detail),))


def _revoke(session: Session, key: ApiKey, actor: Actor) -> None:
    if key.revoked_at is None:
        key.revoked_at = dt.datetime.now(dt.UTC)
        record_audit(session, key.tenant_id, actor, "api_key.revoked", "api_key", key.id)
