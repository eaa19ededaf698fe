from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from app.api.schemas.given_name import GivenName
from app.api.schemas.network import NetworkField
from app.domain.names import Scope
from app.services.tenancy.api_keys import NewKey
from app.web.fields import RowSchema, Timestamp
from app.web.request_schema import BoundedList, RequestSchema

_MOST_NETWORKS = 50


class ApiKeyCreateSchema(RequestSchema):
    """Body of POST /api-keys."""

    name = GivenName(required=True)
    scopes = BoundedList(
        fields.Enum(Scope, by_value=fields.String), required=True, least=1, most=len(Scope)
    )
    expires_at = Timestamp(
        allow_none=True,
        metadata={
            "description": "Not after the calling key's own. Left out or null: after API_KEY_DAYS, "
            "or with the calling key, whichever comes first"
        },
    )

    allowed_addresses = BoundedList(
        NetworkField(),
        allow_none=True,
        least=1,
        most=_MOST_NETWORKS,
        metadata={
            "description": "Addresses and CIDRs from which alone the key works, within the calling "
            "key's own. Left out or null: from where the calling key does"
        },
    )

    @post_load
    def _as_request(self, data: dict[str, Any], **_: Any) -> NewKey:
        return NewKey(**data)


class ApiKeyRotateSchema(RequestSchema):
    """Body of POST /api-keys/{id}/rotate."""

    overlap_hours = fields.Integer(
        load_default=24,
        strict=True,
        validate=validate.Range(0, 168),
        metadata={"description": "How long the old key works beside the new one"},
    )


class ApiKeySchema(RowSchema):
    """A key as the client reads it: all but the key itself."""

    name = fields.String(required=True)
    prefix = fields.String(required=True, metadata={"description": "The key begins `fq_<prefix>_`"})
    scopes = fields.List(fields.String(), required=True)
    allowed_addresses = fields.List(
        fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "From where alone it works; null: from anywhere"},
    )
    expires_at = Timestamp(required=True, allow_none=True)
    revoked_at = Timestamp(required=True, allow_none=True)
    last_used_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "Up to a minute behind; null: never, or not since it is noted"},
    )


class NewApiKeySchema(ApiKeySchema):
    """A key at its making: the only time that it is shown."""

    key = fields.String(required=True)
