"""RFC 9457 problem documents: their form, and the response that carries one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Response, json
from marshmallow import fields

from app.domain.request_errors import (
    ContentEncodingUnknown,
    FieldError,
    RequestError,
    Unauthenticated,
)
from app.web.fields import AnswerSchema
from app.web.request_context import request_id

PROBLEM_TYPE = "application/problem+json"

# A request with a thousand wrong items is answered with the first ones.
MOST_FIELD_ERRORS = 20


@dataclass(frozen=True)
class Untold:
    """Stands among messages of a schema for so many more: found, but not worth their own."""

    count: int


def pointer_step(name: str) -> str:
    """Write one step of a JSON pointer (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


class FieldErrorSchema(AnswerSchema):
    """One thing that is wrong in a request."""

    pointer = fields.String(
        required=True, metadata={"description": "JSON pointer into the body, or `/` + parameter"}
    )
    detail = fields.String(required=True)


class ProblemSchema(AnswerSchema):
    """Documents every error; the service itself writes it from `Problem`."""

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "Stable; match on this"})
    errors = fields.List(fields.Nested(FieldErrorSchema), required=True)
    request_id = fields.String(required=True)


@dataclass(frozen=True)
class Problem:
    """An error as the client reads it."""

    status: int
    code: str
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    untold: int = 0

    @classmethod
    def of(cls, error: RequestError) -> Problem:
        """Describe an error of our own."""
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        if isinstance(error, Unauthenticated):
            headers["WWW-Authenticate"] = "Bearer"
        if isinstance(error, ContentEncodingUnknown):
            headers["Accept-Encoding"] = "gzip"
        return cls(error.status, error.code, error.title, error.detail, error.errors, headers)

    def response(self) -> Response:
        """Build the response."""
        document = {
            "type": f"urn:facequeue:problem:{self.code}",
            "title": self.title,
            "status": int(self.status),
            "detail": self._detail(),
            "code": self.code,
            "errors": [
                {"pointer": e.pointer, "detail": e.detail} for e in self.errors[:MOST_FIELD_ERRORS]
            ],
            "request_id": request_id(),
        }
        response = Response(json.dumps(document), int(self.status), content_type=PROBLEM_TYPE)
        response.headers.extend(self.headers)
        return response

    def _detail(self) -> str:
        more = max(len(self.errors) - MOST_FIELD_ERRORS, 0) + self.untold
        return f"{self.detail}; `errors` leaves out {more} more" if more else self.detail
