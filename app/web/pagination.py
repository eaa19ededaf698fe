"""Pages of a list: `limit`, an opaque signed `cursor`, `next_cursor` and a Link header.

A cursor holds the position of the last row that was seen, bound to the list and its filters: rows
that come or go meanwhile are neither shown twice nor skipped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from flask import current_app, request
from itsdangerous import BadData, URLSafeSerializer
from marshmallow import Schema, fields, post_load, validate

from app.domain.request_errors import (
    CursorInvalid,
    FieldError,
)
from app.web.auth import principal
from app.web.fields import AnswerSchema

MAX_LIMIT = 200
DEFAULT_LIMIT = 50

Row = TypeVar("Row")
Position = UUID | int


class CursorField(fields.Field[Position]):
    """A cursor in a query, read into the position after which the page begins."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Position:
        try:
            list_name, kind, position = _serializer().loads(value)
        except BadData as error:
            raise _invalid("it was altered") from error
        if list_name != _list_name():
            raise _invalid("it belongs to another list, or to other filters")
        return UUID(position) if kind == "id" else int(position)


class PageArgs(Schema):
    """The query of every list."""

    limit = fields.Integer(
        load_default=DEFAULT_LIMIT, validate=validate.Range(min=1, max=MAX_LIMIT)
    )
    cursor = CursorField(metadata={"type": "string", "description": "`next_cursor` of a page"})

    @post_load
    def _from_the_first(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        # No load_default: the document would then offer null, which no query can say.
        return {"cursor": None, **data}


def page_schema(item: type[Schema]) -> type[Schema]:
    """Make the schema of a page of such items."""
    return AnswerSchema.from_dict(
        {
            "data": fields.List(fields.Nested(item), required=True),
            "next_cursor": fields.String(required=True, allow_none=True),
        },
        name=f"{item.__name__.removesuffix('Schema')}PageSchema",
    )


def page(
    rows: Sequence[Row], limit: int, position: Callable[[Row], Position]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Build the answer to a list: its body and its headers.

    Args:
        rows: one more than `limit` when there is a next page.
        limit: how many to show.
        position: of a row, what its cursor holds.
    """
    shown = rows[:limit]
    if len(rows) <= limit:
        return {"data": shown, "next_cursor": None}, {}
    cursor = _cursor(position(shown[-1]))
    query = urlencode({**request.args.to_dict(flat=False), "cursor": [cursor]}, doseq=True)
    link = f'<{request.path}?{query}>; rel="next"'
    return {"data": shown, "next_cursor": cursor}, {"Link": link}


def _cursor(position: Position) -> str:
    kind = "id" if isinstance(position, UUID) else "seq"
    return str(_serializer().dumps([_list_name(), kind, str(position)]))


def _list_name() -> str:
    given = request.args.items(multi=True)
    filters = sorted((k, v) for k, v in given if k not in {"cursor", "limit"})
    described = repr((str(principal().tenant_id), request.path, filters))
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="cursor")


def _invalid(reason: str) -> CursorInvalid:
    return CursorInvalid(errors=(FieldError("/cursor", reason),))
