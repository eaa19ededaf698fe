"""The audit log."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.api.auth import principal, requires
from app.api.fields import RowSchema
from app.api.pagination import PageArgs, page, page_schema
from app.api.resource import Resource
from app.domain.names import Scope
from app.models.session import tenant_transaction
from app.queries import audit_events as queries

blueprint = Resource("audit-events", __name__, description="Who did what, and read whose faces")


class AuditEventSchema(RowSchema):
    """One change or biometric read."""

    action = fields.String(required=True)
    actor_key_id = fields.UUID(required=True, allow_none=True)
    target_type = fields.String(required=True)
    target_id = fields.UUID(required=True, allow_none=True)
    detail = fields.Dict(required=True)
    request_id = fields.String(required=True, allow_none=True)


@blueprint.get("/audit-events")
@requires(Scope.AUDIT_READ)
@blueprint.takes(PageArgs, "query")
@blueprint.returns(200, page_schema(AuditEventSchema))
def list_audit_events(args: dict[str, Any]) -> Any:
    """List audit events, newest first."""
    tenant_id, limit = principal().tenant_id, args["limit"]
    with tenant_transaction(tenant_id) as session:
        rows = queries.list_audit_events(session, tenant_id, limit=limit, after=args["cursor"])
    return page(rows, limit, lambda row: row.id)
