"""Counters and histograms of one process, for Prometheus; API and workers record into the same."""

from __future__ import annotations

import os
from pathlib import Path

# prometheus_client opens its files as soon as a metric is made, in a folder that must exist.
if _folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(_folder).mkdir(parents=True, exist_ok=True)

from prometheus_client import Counter, Histogram

_REQUESTS = Counter(
    "face_recognition_requests",
    "API requests by tenant, by operation of a job or else name of the call, and by status",
    ["client_id", "operation", "status"],
)
_REFUSED_KEYS = Counter(
    "face_recognition_refused_keys",
    "API keys that were refused, by answer: 401, 403 where one does not work from its address, or"
    " 429 for an address that sends too many",
    ["status"],
)
for _status in ("401", "403", "429"):
    _REFUSED_KEYS.labels(_status)  # shown as 0 before there is one
_DURATION = Histogram(
    "face_recognition_duration_seconds",
    "Time of an API call, by its name, and of a recognition batch, by operation",
    ["operation"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
_QUALITY = Histogram(
    "face_embedding_quality_score",
    "Quality of the faces that were embedded, 0 to 1",
    buckets=tuple(tenth / 10 for tenth in range(1, 11)),
)


def record_request(client_id: str, operation: str, status: int) -> None:
    """Count one API request."""
    _REQUESTS.labels(client_id, operation, str(status)).inc()


def record_refused_key(status: int) -> None:
    """Count one API key that was not let in."""
    _REFUSED_KEYS.labels(str(status)).inc()


def record_duration(operation: str, seconds: float) -> None:
    """Record how long an API call or a recognition batch took."""
    _DURATION.labels(operation).observe(seconds)


def record_quality(score: float) -> None:
    """Record the quality of a face, 0 to 1."""
    _QUALITY.observe(score)
