"""The one place where errors become problem documents. A 5xx says nothing about our insides."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, current_app, got_request_exception
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.domain.request_errors import (
    FieldError,
    Forbidden,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    RequestError,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from app.web.problems import Problem, Untold, pointer_step

_log = structlog.get_logger(__name__)

_BY_STATUS: dict[int, type[RequestError]] = {
    kind.status: kind
    for kind in (
        RequestError,
        Unauthenticated,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        PayloadTooLarge,
        UnsupportedMediaType,
        Invalid,
        RateLimited,
        Unavailable,
    )
}
_DATABASE_RETRY_S = 5


def init_errors(app: Flask) -> None:
    """Answer every error with a problem document."""
    app.register_error_handler(Exception, error_response)


def error_response(error: Exception) -> Response | HTTPException:
    """Turn an error into the response for it; unexpected ones are logged with their traceback."""
    if isinstance(error, HTTPException) and (error.code or 500) < HTTPStatus.BAD_REQUEST:
        return error  # a redirect
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request_failed", code=problem.code, exc_info=error)
    if problem.code == InternalError.code:
        # As Flask does for what no handler takes: whoever watches for bugs listens to it.
        got_request_exception.send(current_app, exception=error)
    return problem.response()


def problem_of(error: Exception) -> Problem:
    """Describe any error to a client."""
    if isinstance(error, RequestError):
        return Problem.of(error)
    if isinstance(error, HTTPException):
        return _problem_of_http(error)
    if isinstance(error, (OperationalError, PoolTimeout)):
        return Problem.of(
            Unavailable("The database does not answer in time", retry_after=_DATABASE_RETRY_S)
        )
    return Problem.of(InternalError())


def _problem_of_http(error: HTTPException) -> Problem:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem.of(InternalError())
    kind = _BY_STATUS.get(status, RequestError)
    messages = getattr(error, "data", {}).get("messages")
    if messages is not None:  # webargs: what marshmallow found wrong, by location
        found = tuple(_field_errors(messages))
        return Problem(
            status,
            kind.code,
            kind.title,
            kind.title,
            tuple(each for each in found if isinstance(each, FieldError)),
            untold=sum(each.count for each in found if isinstance(each, Untold)),
        )
    headers = {
        name: value
        for name, value in error.get_headers()
        if name.lower() not in {"content-type", "content-length"}
    }
    if kind.status == status:
        return Problem(status, kind.code, kind.title, kind.title, headers=headers)
    return Problem(status, kind.code, error.name, error.description or error.name, headers=headers)


def _field_errors(messages: dict[str, Any]) -> Iterator[FieldError | Untold]:
    for found in messages.values():  # the key is where it was found: json, query, files
        yield from _flatten(found, "")


def _flatten(found: Any, pointer: str) -> Iterator[FieldError | Untold]:
    if isinstance(found, dict):
        for key, inner in found.items():
            step = "" if key == "_schema" else pointer_step(str(key))
            yield from _flatten(inner, pointer + step)
    elif isinstance(found, list):
        for inner in found:
            yield from _flatten(inner, pointer)
    elif isinstance(found, Untold):
        yield found
    else:
        yield FieldError(pointer, str(found))
