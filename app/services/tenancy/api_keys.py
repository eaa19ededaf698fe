"""Use cases: keys of a tenant are made, revoked and listed, by another key or by the operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction, read_transaction, tenant_transaction
from app.domain.actor import SYSTEM, Actor
from app.domain.api_key import Principal, issue_key
from app.domain.errors import FieldError, Forbidden, Invalid
from app.domain.identifiers import new_id
from app.domain.names import Scope
from app.models.api_key import ApiKey
from app.queries import api_keys as queries
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.tenants import require_tenant


@dataclass(frozen=True)
class NewKey:
    """What a new key is to be."""

    name: str
    scopes: Sequence[Scope]
    expires_at: dt.datetime | None = None


def create_api_key(principal: Principal, wanted: NewKey, actor: Actor) -> tuple[ApiKey, str]:
    """Make a key for the tenant of `principal`.

    Returns:
        The stored key and its text, which is not shown again.

    Raises:
        Forbidden: it would have a scope that the key which asks for it lacks.
        Invalid: it would be expired from the start.
    """
    if not principal.may_grant(wanted.scopes):
        raise Forbidden(
            "A key can grant only scopes that it has itself",
            errors=tuple(
                FieldError(f"/scopes/{position}", f"this key lacks {scope}")
                for position, scope in enumerate(wanted.scopes)
                if not principal.may(scope)
            ),
        )
    with tenant_transaction(principal.tenant_id) as session:
        return _add_key(session, principal.tenant_id, wanted, actor)


def issue_api_key(tenant_id: UUID, wanted: NewKey) -> tuple[ApiKey, str]:
    """Make a key as the operator, who may grant every scope.

    Raises:
        NotFound: no tenant has the id.
        Invalid: it would be expired from the start.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id)
        return _add_key(session, tenant_id, wanted, SYSTEM)


def revoke_api_key(tenant_id: UUID, key_id: UUID, actor: Actor) -> None:
    """End a key at once; revoking it again changes nothing.

    Raises:
        NotFound: no key of this tenant has the id.
    """
    with tenant_transaction(tenant_id) as session:
        key = queries.lock_api_key(session, tenant_id, key_id)
        if key.revoked_at is None:
            key.revoked_at = dt.datetime.now(dt.UTC)
            record_audit(session, tenant_id, actor, "api_key.revoked", "api_key", key.id)


def list_api_keys(tenant_id: UUID, *, limit: int, after: UUID | None = None) -> Sequence[ApiKey]:
    """Read keys, newest first, revoked ones among them: up to `limit` and one more."""
    with read_transaction(tenant_id) as session:
        return queries.list_api_keys(session, tenant_id, limit=limit, after=after)


def _add_key(session: Session, tenant_id: UUID, wanted: NewKey, actor: Actor) -> tuple[ApiKey, str]:
    if wanted.expires_at is not None and wanted.expires_at <= dt.datetime.now(dt.UTC):
        raise Invalid(errors=(FieldError("/expires_at", "it lies in the past"),))
    issued = issue_key()
    scopes = sorted({scope.value for scope in wanted.scopes})
    key = ApiKey(
        id=new_id(),
        tenant_id=tenant_id,
        name=wanted.name,
        prefix=issued.prefix,
        key_hash=issued.key_hash,
        scopes=scopes,
        expires_at=wanted.expires_at,
    )
    session.add(key)
    session.flush()
    record_audit(
        session, tenant_id, actor, "api_key.created", "api_key", key.id, {"scopes": scopes}
    )
    return key, issued.text
