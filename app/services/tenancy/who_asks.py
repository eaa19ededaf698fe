"""Use case: a client reads whose key it holds, and what that key may do."""

from __future__ import annotations

from dataclasses import dataclass

from app.database.transactions import read_transaction
from app.domain.api_key import Principal
from app.models.api_key import ApiKey
from app.models.tenant import Tenant


@dataclass(frozen=True)
class Caller:
    """A key and its tenant."""

    tenant: Tenant
    key: ApiKey


def who_asks(principal: Principal) -> Caller:
    """Read the key that makes the request, and its tenant."""
    with read_transaction(principal.tenant_id) as session:
        return Caller(
            session.get_one(Tenant, principal.tenant_id), session.get_one(ApiKey, principal.key_id)
        )
