"""The audit log."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.api.ordered_lists import OrderedArgs, ordered_page_of
from app.api.resource import Resource
from app.domain.names import Scope
from app.services.tenancy import read_audit_events
from app.web.auth import requires
from app.web.fields import RowSchema

blueprint = Resource("audit-events", __name__, description="Who did what, and read whose faces")


class Digest(fields.String):
    """Bytes, written in hex."""

    def _serialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 - marshmallow's signature
        obj: Any,  # noqa: ARG002 - marshmallow's signature
        **kwargs: Any,  # noqa: ARG002 - marshmallow's signature
    ) -> str | None:
        return None if value is None else bytes(value).hex()


class AuditEventSchema(RowSchema):
    """One change or biometric read."""

    action = fields.String(required=True)
    actor_key_id = fields.UUID(required=True, allow_none=True)
    target_type = fields.String(required=True)
    target_id = fields.UUID(required=True, allow_none=True)
    detail = fields.Dict(required=True)
    request_id = fields.String(required=True, allow_none=True)
    actor_name = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The operator who acted from a command line"},
    )
    actor_address = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The client's address; an operator's host name"},
    )
    transaction_id = fields.Integer(
        required=True, metadata={"description": "The database transaction that wrote the event"}
    )
    chain_no = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Place in the tenant's chain, from 1; null until it is chained"},
    )
    chain_hash = Digest(
        required=True,
        allow_none=True,
        metadata={"description": "SHA-256 over the event and the chain before it, in hex"},
    )


@blueprint.get("/audit-events")
@requires(Scope.AUDIT_READ)
@blueprint.takes(OrderedArgs, "query")
@blueprint.returns_page(AuditEventSchema)
def list_audit_events(args: dict[str, Any]) -> Any:
    """List audit events."""
    return ordered_page_of(read_audit_events.list_audit_events, args)
