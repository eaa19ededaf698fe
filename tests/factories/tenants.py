"""Tenants and their keys."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

from app.domain.names import Scope
from app.domain.storage import ObjectLocation
from app.models.tenant import Tenant
from app.services.tenancy.api_keys import NewKey, issue_api_key
from app.services.tenancy.storage_places import allow_location
from app.services.tenancy.tenants import create_tenant


def make_tenant(*places: str, name: str | None = None) -> Tenant:
    """A tenant whose jobs may read `places`, such as `s3://photos/`."""
    tenant = create_tenant(name or f"tenant-{uuid4()}")
    for place in places:
        allow_location(tenant.id, ObjectLocation.parse(place))
    return tenant


def make_key(tenant_id: UUID, *scopes: Scope, expires_at: dt.datetime | None = None) -> str:
    """The text of a key; `admin` when no scopes are named, and without an end unless one is."""
    wanted = NewKey("test", scopes or (Scope.ADMIN,), expires_at, never_expires=True)
    _key, text = issue_api_key(tenant_id, wanted)
    return text
