"""How long the API takes for its answers, without what it waits because a client asked it to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, g, request

from app.metrics.requests import record_request, record_request_time, record_wait

# Of a path that is no route of ours.
_NO_ROUTE = "none"


def init_request_times(app: Flask) -> None:
    """Count and time every request of the API itself."""
    app.after_request(_record)


@contextmanager
def held_back() -> Iterator[None]:
    """What happens in here is a wait at the client's wish, and no work."""
    began = time.perf_counter()
    try:
        yield
    finally:
        waited_s = time.perf_counter() - began
        g.waited_s = g.get("waited_s", 0.0) + waited_s
        record_wait(_route(), waited_s)


def _record(response: Response) -> Response:
    if request.path.startswith("/api/"):
        call = (request.endpoint or "unknown").rpartition(".")[2]
        caller = g.get("principal")
        client_id = str(caller.tenant_id) if caller else "anonymous"
        record_request(client_id, g.get("operation", call), response.status_code)
        worked_s = time.perf_counter() - g.started - g.get("waited_s", 0.0)
        record_request_time(_route(), request.method, response.status_code, worked_s)
    return response


def _route() -> str:
    return request.url_rule.rule if request.url_rule else _NO_ROUTE
