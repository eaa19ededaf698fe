"""How clients learn that a route or a field will go, while it still works as it did.

`@deprecated(…)` on a view, `deprecated_field(…)` in a schema: the answers then have `Deprecation`
(RFC 9745), `Sunset` (RFC 8594) and a `Link`, and the OpenAPI document says `deprecated`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from flask import Flask, Response, current_app, g, request
from marshmallow import Schema, fields
from werkzeug.http import http_date

from app.web.operation_doc import describe, describe_answers, response_header

_MARK = "deprecation"

DEPRECATION_HEADERS = {
    "Deprecation": response_header("Since when this is deprecated: `@` and seconds of Unix time"),
    "Sunset": response_header("When it may be gone, as an HTTP date"),
    "Link": response_header('What to use instead, as `rel="deprecation"`'),
}

View = TypeVar("View", bound=Callable[..., Any])
Field = TypeVar("Field", bound=fields.Field[Any])


@dataclass(frozen=True)
class Deprecation:
    """Since when something is deprecated, which page says what to use instead, when it may go."""

    since: dt.date
    link: str
    sunset: dt.date | None = None

    def __post_init__(self) -> None:
        """Hold it to RFC 9745.

        Raises:
            ValueError: it would be gone before it is deprecated.
        """
        if self.sunset is not None and self.sunset < self.since:
            raise ValueError("what is deprecated cannot have gone before")


def init_deprecation(app: Flask) -> None:
    """Have answers say what they or their requests have of it."""
    app.after_request(_add_headers)


def deprecated(notice: Deprecation) -> Callable[[View], View]:
    """Declare a route deprecated, below its `@blueprint.get`; its errors say it too."""

    def decorate(view: View) -> View:
        describe(view, deprecated=True)
        describe_answers(view, DEPRECATION_HEADERS)
        vars(view)[_MARK] = notice
        return view

    return decorate


def deprecated_field(notice: Deprecation, field: Field) -> Field:
    """Declare a field deprecated; the answer to a request that has it, whatever its value, says so.

    Of a field of answers only the document says it: whether a client reads it nobody knows.
    """

    def note_use(value: Any) -> Any:
        g.setdefault("deprecations", []).append(notice)
        return value

    field.metadata = {**field.metadata, "deprecated": True}
    field.pre_load = [note_use, *field.pre_load]
    return field


def has_deprecated_field(schema: Schema) -> bool:
    """Whether any member of a body or query, itself, is deprecated."""
    return any("deprecated" in field.metadata for field in schema.fields.values())


def _notices() -> Iterator[Deprecation]:
    view = current_app.view_functions.get(request.endpoint or "")
    if (of_route := getattr(view, _MARK, None)) is not None:
        yield of_route
    yield from g.get("deprecations", ())


def _add_headers(response: Response) -> Response:
    notices = list(dict.fromkeys(_notices()))
    if not notices:
        return response
    since = min(notice.since for notice in notices)
    response.headers["Deprecation"] = f"@{int(_midnight(since).timestamp())}"
    if sunsets := [notice.sunset for notice in notices if notice.sunset is not None]:
        response.headers["Sunset"] = http_date(_midnight(min(sunsets)))
    for link in dict.fromkeys(notice.link for notice in notices):
        response.headers.add("Link", f'<{link}>; rel="deprecation"; type="text/html"')
    structlog.contextvars.bind_contextvars(deprecated=True)  # for the line of the access log
    return response


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
