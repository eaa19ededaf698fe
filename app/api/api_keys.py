"""Keys of a tenant."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from flask import jsonify

from app.api.ordered_lists import OrderedArgs, ordered_page_of
from app.api.resource import Resource
from app.api.schemas.api_keys import (
    ApiKeyCreateSchema,
    ApiKeyRotateSchema,
    ApiKeySchema,
    NewApiKeySchema,
)
from app.domain.names import Scope
from app.services.tenancy import api_keys
from app.services.tenancy.api_keys import NewKey
from app.services.tenancy.rotate_api_key import rotate_api_key as rotate
from app.web.auth import actor, principal, requires
from app.web.idempotency import idempotent_secret

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
@blueprint.takes(OrderedArgs, "query")
@blueprint.returns_page(ApiKeySchema)
def list_api_keys(args: dict[str, Any]) -> Any:
    """List keys, revoked ones among them."""
    return ordered_page_of(api_keys.list_api_keys, args)


@blueprint.delete("/api-keys/<uuid:key_id>")
@requires(Scope.KEYS_WRITE)
@blueprint.returns(204)
def revoke_api_key(key_id: UUID) -> None:
    """Revoke a key at once, one that the calling key could have made; it stays in the list."""
    api_keys.revoke_api_key(principal(), key_id, actor())


@blueprint.post("/api-keys/<uuid:key_id>/rotate")
@requires(Scope.KEYS_WRITE)
@idempotent_secret
@blueprint.takes(ApiKeyRotateSchema)
@blueprint.returns(201, NewApiKeySchema)
def rotate_api_key(wanted: dict[str, Any], key_id: UUID) -> Any:
    """Make a key's successor, shown once; the present one works on for `overlap_hours`."""
    overlap = dt.timedelta(hours=wanted["overlap_hours"])
    key, text = rotate(principal(), key_id, overlap, actor())
    return jsonify({**ApiKeySchema().dump(key), "key": text}), 201
