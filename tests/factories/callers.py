"""A client of the API with a key."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from app.domain.names import Scope
from tests.factories.jobs import PLACE
from tests.factories.tenants import make_key, make_tenant

BASE = "/api/v1"


@dataclass(frozen=True)
class Caller:
    """Sends requests in the name of a tenant."""

    app: Flask
    tenant_id: UUID
    key: str

    def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **request: Any
    ) -> TestResponse:
        """Send a request to a path below /api/v1."""
        authorised = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        return self.app.test_client().open(
            BASE + path, method=method, headers=authorised, **request
        )

    def get(self, path: str, **request: Any) -> TestResponse:
        return self.send("GET", path, **request)

    def post(self, path: str, **request: Any) -> TestResponse:
        return self.send("POST", path, **request)

    def patch(self, path: str, **request: Any) -> TestResponse:
        return self.send("PATCH", path, **request)

    def delete(self, path: str, **request: Any) -> TestResponse:
        return self.send("DELETE", path, **request)

    def with_scopes(self, *scopes: Scope) -> Caller:
        """The same tenant with another key."""
        return self.with_key(make_key(self.tenant_id, *scopes))

    def with_end(self, expires_at: dt.datetime, *scopes: Scope) -> Caller:
        """The same tenant with a key that ends."""
        return self.with_key(make_key(self.tenant_id, *scopes, expires_at=expires_at))

    def with_key(self, key: str) -> Caller:
        """Whoever holds another key."""
        return Caller(self.app, self.tenant_id, key)


def make_caller(app: Flask) -> Caller:
    """A new tenant with an `admin` key, whose jobs may read PLACE."""
    tenant = make_tenant(PLACE)
    return Caller(app, tenant.id, make_key(tenant.id))
