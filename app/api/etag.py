"""`@with_etag`: an answer says what it is a digest of, and 304 when the client has it already."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, make_response, request

View = TypeVar("View", bound=Callable[..., Any])


def with_etag(view: View) -> View:
    """Wrap a GET view, outside of what serialises it."""

    @wraps(view)
    def conditional(*args: Any, **kwargs: Any) -> Response:
        response = make_response(view(*args, **kwargs))
        response.add_etag()
        return cast("Response", response.make_conditional(request))

    return cast("View", conditional)
