from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from app.domain.usage import MOST_DAYS, UsageGroup
from app.web.fields import AnswerSchema, Timestamp
from app.web.pagination import PageArgs
from app.web.request_schema import BoundedList


class UsageArgs(PageArgs):
    """Query of GET /usage."""

    first = fields.Date(
        data_key="from",
        metadata={
            "description": "The first day (UTC); when left out, the 30th day up to `to`",
            "example": "2026-03-01",
        },
    )
    last = fields.Date(
        data_key="to",
        metadata={
            "description": f"The last day, which is included; when left out, today. {MOST_DAYS} "
            "days at most",
            "example": "2026-03-31",
        },
    )
    group_by = BoundedList(
        fields.Enum(UsageGroup, by_value=fields.String),
        most=len(UsageGroup),
        metadata={
            "description": "What is told apart: `group_by=month&group_by=operation`; `day` when "
            "left out. `day` and `month` exclude each other"
        },
    )

    @post_load
    def _by_day(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"group_by": [UsageGroup.DAY], **data}


class UsageSchema(AnswerSchema):
    """What was counted in a group; null where it is not told apart."""

    day = fields.Date(required=True, allow_none=True)
    month = fields.Date(
        required=True, allow_none=True, metadata={"description": "The first day of it"}
    )
    operation = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "That of jobs; `webhook`: attempts to deliver one"},
    )
    outcome = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`succeeded`, `failed` or `canceled`"},
    )
    images = fields.Integer(
        required=True, metadata={"description": "Items of jobs; that of `verify` counts once"}
    )
    faces = fields.Integer(required=True, metadata={"description": "In the results of images"})
    inference_seconds = fields.Function(
        lambda row: row.inference_ms / 1000,
        required=True,
        metadata={
            "type": "number",
            "description": "That networks took for the images whose results were stored",
        },
    )
    webhooks = fields.Integer(
        required=True,
        metadata={"description": "Attempts; those that got no 2xx have `failed`"},
    )


class UsagePageSchema(AnswerSchema):
    """Usage of the days that were asked for."""

    data = fields.List(fields.Nested(UsageSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    waiting_since = Timestamp(
        required=True,
        allow_none=True,
        metadata={
            "description": "When the first was done that is not counted yet; null: all is counted"
        },
    )
