"""Keys of a tenant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import jsonify

from app.api.resource import Resource
from app.api.schemas.api_keys import ApiKeyCreateSchema, ApiKeySchema, NewApiKeySchema
from app.domain.names import Scope
from app.services.tenancy import api_keys
from app.services.tenancy.api_keys import NewKey
from app.web.auth import actor, principal, requires
from app.web.idempotency import idempotent_secret
from app.web.pagination import PageArgs, page_of

blueprint = Resource("api-keys", __name__, description="Keys to this API")


@blueprint.post("/api-keys")
@requires(Scope.KEYS_WRITE)
@idempotent_secret
@blueprint.takes(ApiKeyCreateSchema)
@blueprint.returns(201, NewApiKeySchema)
def create_api_key(wanted: NewKey) -> Any:
    """Make a key, with scopes that the calling key has itself; it is shown once."""
    key, text = api_keys.create_api_key(principal(), wanted, actor())
    return jsonify({**ApiKeySchema().dump(key), "key": text}), 201


@blueprint.get("/api-keys")
@requires(Scope.KEYS_WRITE)
@blueprint.takes(PageArgs, "query")
@blueprint.returns_page(ApiKeySchema)
def list_api_keys(args: dict[str, Any]) -> Any:
    """List keys, newest first, revoked ones among them."""
    return page_of(api_keys.list_api_keys, args)


@blueprint.delete("/api-keys/<uuid:key_id>")
@requires(Scope.KEYS_WRITE)
@blueprint.returns(204)
def revoke_api_key(key_id: UUID) -> None:
    """Revoke a key at once; it stays in the list."""
    api_keys.revoke_api_key(principal().tenant_id, key_id, actor())
