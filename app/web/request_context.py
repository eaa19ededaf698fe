"""What every request carries: an id, bound to its log lines and echoed, and one access log line."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

REQUEST_ID_HEADER = "X-Request-Id"

# What a client sends is written to our logs: it must look like an id.
_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,127}")

# What stands behind this in a path is what a client calls a person.
_BEFORE_A_NAME = "/by-external-id/"

_OF_ONE_REQUEST = ("principal", "rate_limit", "operation", "json_body")

_log = structlog.get_logger("access")


def init_request_context(app: Flask) -> None:
    """Give each request its id before anything else runs, and log it when it is answered."""
    app.before_request(_begin)
    app.after_request(_finish)


def request_id() -> str | None:
    """Return the id of the request that is being served."""
    found: str | None = g.get("request_id")
    return found


def _begin() -> None:
    for name in _OF_ONE_REQUEST:  # g outlives a request when an outer context is open (tests)
        g.pop(name, None)
    presented = request.headers.get(REQUEST_ID_HEADER, "")
    g.request_id = presented if _SANE_ID.fullmatch(presented) else str(uuid4())
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    response.headers[REQUEST_ID_HEADER] = g.request_id
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if g.get("principal") is not None:
        # Answers hold biometric data of one tenant: no shared cache may keep them.
        response.headers.setdefault("Cache-Control", "private, no-store")
    _log.info(
        "request",
        method=request.method,
        path=_path_without_names(request.path),
        status=response.status_code,
        duration_ms=round((time.perf_counter() - g.started) * 1000, 1),
    )
    return response


def _path_without_names(path: str) -> str:
    before, mark, name = path.partition(_BEFORE_A_NAME)
    return f"{before}{mark}…" if name else path
