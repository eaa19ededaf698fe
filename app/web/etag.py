"""ETags of answers, which spare a client what it has, and of rows, which keep it from undoing.

`@with_etag` digests an answer, and is 304 when the client has it already. `@versioned` digests what
of a row can be changed, and `@if_match` hands on which of its versions a change is meant for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from flask import Response, make_response, request
from werkzeug.http import quote_etag

from app.web.operation_doc import describe, describe_answers, response_header

View = TypeVar("View", bound=Callable[..., Any])


_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "description": "The `ETag` of an earlier answer: 304 when nothing has changed since",
    "schema": {"type": "string"},
}
_IF_MATCH = {
    "name": "If-Match",
    "description": "The `ETag` of what you read: 412 when somebody changed it since",
    "schema": {"type": "string"},
}


def with_etag(view: View) -> View:
    """Wrap a GET view, outside of what serialises it."""

    @wraps(view)
    def conditional(*args: Any, **kwargs: Any) -> Response:
        response = make_response(view(*args, **kwargs))
        response.add_etag()
        etag, _is_weak = response.get_etag()
        # Not make_conditional: of If-Match it would make a 412 that is no problem document.
        if etag and request.if_none_match.contains_weak(etag):
            response.status_code = HTTPStatus.NOT_MODIFIED
        return response

    describe(conditional, _IF_NONE_MATCH)
    return cast("View", conditional)


def versioned(view: View) -> View:
    """Wrap a view that returns a row, inside of what serialises it."""

    @wraps(view)
    def tagged(*args: Any, **kwargs: Any) -> tuple[Any, dict[str, str]]:
        returned = view(*args, **kwargs)
        row, headers = returned if isinstance(returned, tuple) else (returned, {})
        return row, {**headers, "ETag": quote_etag(row.version)}

    said = "For `If-Match`: a digest of what can be changed, so not of `face_count`"
    describe_answers(tagged, {"ETag": response_header(said)})
    return cast("View", tagged)


def if_match(view: View) -> View:
    """Give a view, as `if_match`, the versions that it may change; None when it may any."""

    @wraps(view)
    def conditional(*args: Any, **kwargs: Any) -> Any:
        tags = request.if_match
        may_any = "If-Match" not in request.headers or tags.star_tag
        # Strong ones alone: a weak one does not say that nothing was changed (RFC 9110).
        accepted = None if may_any else frozenset(tags.as_set())
        return view(*args, if_match=accepted, **kwargs)

    describe(conditional, _IF_MATCH)
    return cast("View", conditional)
