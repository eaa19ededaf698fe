"""Gunicorn for the API: `gunicorn -c deploy/gunicorn.conf.py wsgi:app`. Here and in production."""

from __future__ import annotations

import json
import os
import time
import uuid
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http.errors import (
    ConfigurationProblem,
    ExpectationFailed,
    ForbiddenProxyRequest,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.util import write_nonblock
from gunicorn.workers.ggevent import GeventWorker


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Writes gunicorn's own lines as the application writes its own."""

    def setup(self, cfg: Any) -> None:
        """Hand what gunicorn says to the root logger, whatever its level."""
        from app.logs import configure_logging

        super().setup(cfg)
        configure_logging("WARNING")  # until the application reads LOG_LEVEL
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class ProblemWorker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Answers what never reaches the application as the application answers errors."""

    def handle_error(self, _req: Any, client: Any, addr: Any, error: BaseException) -> None:
        """Write a problem document (RFC 9457) and let the connection be closed."""
        is_theirs = isinstance(error, ParseException) and not isinstance(error, _OURS)
        status = _STATUS.get(type(error), 400 if is_theirs else 500)
        request_id = str(uuid.uuid4())
        if is_theirs:
            who = addr[0] if addr else "a socket"
            self.log.warning("Invalid request %s from %s: %s", request_id, who, error)
        else:
            self.log.error("Request %s failed", request_id, exc_info=error)
        with suppress(Exception):  # the client may be gone
            write_nonblock(client, _problem(status, request_id))


_OURS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
_STATUS = {
    ForbiddenProxyRequest: 403,
    LimitRequestLine: 414,
    ExpectationFailed: 417,
    LimitRequestHeaders: 431,
    UnsupportedTransferCoding: 501,
}


def _problem(status: int, request_id: str) -> bytes:
    from app.domain.request_errors import (
        InternalError,
        RequestError,
    )

    reason = HTTPStatus(status).phrase
    kind = InternalError if status == HTTPStatus.INTERNAL_SERVER_ERROR else RequestError
    document = {
        "type": f"urn:facequeue:problem:{kind.code}",
        "title": kind.title,
        "status": status,
        "detail": f"{reason}: this is not HTTP as it is understood here"
        if kind is RequestError
        else kind.title,
        "code": kind.code,
        "errors": [],
        "request_id": request_id,
    }
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nX-Request-Id: {request_id}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


logger_class = JsonLogger
bind = os.environ.get("GUNICORN_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("GUNICORN_WORKERS", "1"))
worker_class = ProblemWorker
# Clients that wait for a job cost a greenlet each.
worker_connections = 1000
# A gevent worker that does not answer its parent for so long is stuck, not busy.
timeout = 60
graceful_timeout = 15
keepalive = 75
# Behind nginx the client's address is in a header, which only a proxy on these addresses may set.
forwarded_allow_ips = os.environ.get("GUNICORN_FORWARDED_ALLOW_IPS", "127.0.0.1")
# The application logs each request itself, with its id.
accesslog = None
errorlog = "-"
# Heartbeat files in memory: a busy disk must not look like a stuck worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - one word each
control_socket_disable = True


def post_fork(_server: Any, _worker: Any) -> None:
    """Let other greenlets run while PostgreSQL answers: psycopg2 waits in C otherwise."""
    from gevent.socket import wait_read, wait_write
    from psycopg2 import OperationalError, extensions

    def wait(connection: Any, timeout: float | None = None) -> None:
        # libpq heeds connect_timeout only where it waits itself.
        limit = timeout if _is_connected(connection) else _connect_timeout(connection)
        late = OperationalError("the server did not answer in time")
        until = None if limit is None else time.monotonic() + limit
        while True:
            left = None if until is None else max(until - time.monotonic(), 0.001)
            state = connection.poll()
            if state == extensions.POLL_OK:
                return
            if state == extensions.POLL_READ:
                wait_read(connection.fileno(), timeout=left, timeout_exc=late)
            elif state == extensions.POLL_WRITE:
                wait_write(connection.fileno(), timeout=left, timeout_exc=late)
            else:
                raise extensions.OperationalError(f"psycopg2 is in the unknown state {state}")

    extensions.set_wait_callback(wait)


def _is_connected(connection: Any) -> bool:
    from psycopg2.extensions import STATUS_BEGIN, STATUS_PREPARED, STATUS_READY

    return connection.status in {STATUS_READY, STATUS_BEGIN, STATUS_PREPARED}


def _connect_timeout(connection: Any) -> float | None:
    from psycopg2.extensions import parse_dsn

    seconds = parse_dsn(connection.dsn).get("connect_timeout")
    return float(seconds) if seconds else None


def post_worker_init(_worker: Any) -> None:
    """Share metrics with the other processes of this host; not before: gevent has patched all."""
    from app.metrics.requests import begin_requests
    from app.metrics.sharing import share_metrics

    share_metrics()
    begin_requests()


def child_exit(_server: Any, _worker: Any) -> None:
    """A dead process's gauges must not be counted for ever."""
    from app.metrics.sharing import fold_shared

    fold_shared()
