"""The audit log."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.api.resource import Resource
from app.domain.names import Scope
from app.services.tenancy import read_audit_events
from app.web.auth import requires
from app.web.fields import RowSchema
from app.web.pagination import PageArgs, page_of

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
@blueprint.returns_page(AuditEventSchema)
def list_audit_events(args: dict[str, Any]) -> Any:
    """List audit events, newest first."""
    return page_of(read_audit_events.list_audit_events, args)
