"""What a tenant has had done."""

from __future__ import annotations

from typing import Any

from app.api.resource import Resource
from app.api.schemas.usage import UsageArgs, UsagePageSchema
from app.domain.names import Scope
from app.services.tenancy.read_usage import read_usage, usage_question
from app.web.auth import principal, requires
from app.web.operation_doc import response_header
from app.web.pagination import page

blueprint = Resource("usage", __name__, description="What was done, by day")

_NEXT_PAGE = response_header('The next page, as `rel="next"`; absent on the last')


@blueprint.get("/usage")
@requires(Scope.USAGE_READ)
@blueprint.takes(UsageArgs, "query")
@blueprint.returns(200, UsagePageSchema, headers={"Link": _NEXT_PAGE})
def get_usage(args: dict[str, Any]) -> Any:
    """Read how many images, faces, seconds of inference and webhooks your tenant has used.

    It is counted by UTC days, and stays when jobs and results are gone. What has just been done is
    added within minutes.
    """
    question = usage_question(args.get("first"), args.get("last"), args["group_by"])
    limit = args["limit"]
    usage = read_usage(principal().tenant_id, question, after=args["cursor"], limit=limit)
    body, headers = page(usage.rows, limit, lambda row: int(row.place))
    asked = {"first": question.first, "last": question.last}
    return {**body, **asked, "waiting_since": usage.waiting_since}, headers
