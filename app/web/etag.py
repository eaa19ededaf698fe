"""`@with_etag`: an answer says what it is a digest of, and 304 when the client has it already."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from flask import Response, make_response, request

from app.web.operation_doc import describe

View = TypeVar("View", bound=Callable[..., Any])


_DOCUMENTED_HEADER = {
    "name": "If-None-Match",
    "description": "The `ETag` of an earlier answer: 304 when nothing has changed since",
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

    describe(conditional, _DOCUMENTED_HEADER)
    return cast("View", conditional)
