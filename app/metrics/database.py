"""How long a process waits for a connection to PostgreSQL, and how many it uses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge, Histogram

import app.metrics.sharing  # noqa: F401 - before the first value is made

_WAIT = Histogram(
    "face_recognition_database_checkout_seconds",
    "Time to get a connection from the pool of a role, waiting and connecting included",
    ["role"],
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 30),
)
_IN_USE = Gauge(
    "face_recognition_database_connections_in_use",
    "Connections of the pool of a role that are in use",
    ["role"],
    multiprocess_mode="livesum",
)


@contextmanager
def checkout_timed(role: str) -> Iterator[None]:
    """Time how long it takes to get a connection, or not to get one."""
    began = time.perf_counter()
    try:
        yield
    finally:
        _WAIT.labels(role).observe(time.perf_counter() - began)


def record_connections(role: str, in_use: int) -> None:
    """Tell how many connections this process uses."""
    _IN_USE.labels(role).set(in_use)
