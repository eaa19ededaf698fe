"""What every request carries: an id, bound to its log lines and echoed, and one access log line."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, current_app, g, request

from app.config import Settings

REQUEST_ID_HEADER = "X-Request-Id"

# What a client sends is written to our logs: it must look like an id.
_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,127}")

# What stands behind this in a path is what a client calls a person.
_BEFORE_A_NAME = "/by-external-id/"

_OF_ONE_REQUEST = ("principal", "rate_limit", "operation", "json_body", "deprecations", "waited_s")

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
    _log_request(response.status_code)
    return response


def _log_request(status: int) -> None:
    """One line: a warning when the request was slow without what its client asked it to wait."""
    settings: Settings = current_app.config["SETTINGS"]
    took_s = time.perf_counter() - g.started
    waited_s = g.get("waited_s", 0.0)
    line: dict[str, Any] = {
        "method": request.method,
        "path": _path_without_names(request.path),
        "route": request.url_rule.rule if request.url_rule else None,
        "status": status,
        "duration_ms": _milliseconds(took_s),
    }
    if waited_s:
        line["waited_ms"] = _milliseconds(waited_s)
    if took_s - waited_s > settings.slow_request_seconds:
        _log.warning("request", **line, slow=True)
    else:
        _log.info("request", **line)


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _path_without_names(path: str) -> str:
    before, mark, name = path.partition(_BEFORE_A_NAME)
    return f"{before}{mark}…" if name else path
