"""What the API is asked, how long its answers take, and what it turns away."""

from __future__ import annotations

from http import HTTPStatus

from prometheus_client import Counter, Histogram

import app.metrics.sharing  # noqa: F401 - before the first value is made

# Tenants come without end, series must not: those beyond so many of a process are one.
_CLIENTS = 200
_OTHERS = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_REQUESTS = Counter(
    "face_recognition_requests",
    "API requests by tenant, by operation of a job or else name of the call, and by status",
    ["client_id", "operation", "status"],
)
_DURATION = Histogram(
    "face_recognition_api_request_duration_seconds",
    "Time of an API call, without what it waited at the client's own wish",
    ["route", "method", "status_class"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_WAIT = Histogram(
    "face_recognition_api_wait_seconds",
    "Time for which answers were held back because the client asked for it (Prefer: wait)",
    ["route"],
    # A wait of 10 s that nothing ended takes a little more than 10 s.
    buckets=(0.1, 0.5, 1, 2.5, 5.5, 10.5, 20.5, 30.5, 60.5),
)
_REFUSED_KEYS = Counter(
    "face_recognition_refused_keys",
    "API keys that were refused, by answer: 401, 403, or 429 where an address sends too many",
    ["status"],
)
_RATE_LIMITED = Counter(
    "face_recognition_rate_limited",
    "Requests that a rate limit refused, by whose it was: key, tenant, or refused (an address)",
    ["limit"],
)
_known_clients: set[str] = set()


def begin_requests() -> None:
    """Show as 0 what has not happened yet, so that its first time is a rise."""
    for status in ("401", "403", "429"):
        _REFUSED_KEYS.labels(status)
    for limit in ("key", "tenant", "refused"):
        _RATE_LIMITED.labels(limit)


def record_request(client_id: str, operation: str, status: int) -> None:
    """Count one API request."""
    if client_id not in _known_clients:
        if len(_known_clients) < _CLIENTS:
            _known_clients.add(client_id)
        else:
            client_id = _OTHERS
    _REQUESTS.labels(client_id, operation, str(status)).inc()


def record_request_time(route: str, method: str, status: int, seconds: float) -> None:
    """Record how long an API call took; `route` is the rule, with the names of its parts."""
    known = method if method in _METHODS else _OTHERS  # a client may name its own
    _DURATION.labels(route, known, f"{status // 100}xx").observe(seconds)


def record_wait(route: str, seconds: float) -> None:
    """Record for how long an answer was held back."""
    _WAIT.labels(route).observe(seconds)


def record_refused_key(status: int) -> None:
    """Count one API key that was not let in; 429 when its address sends too many."""
    _REFUSED_KEYS.labels(str(status)).inc()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        record_rate_limited("refused")


def record_rate_limited(limit: str) -> None:
    """Count one request that was refused."""
    _RATE_LIMITED.labels(limit).inc()
