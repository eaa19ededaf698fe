"""How long S3 takes to answer."""

from __future__ import annotations

from typing import Literal

from prometheus_client import Histogram

import app.metrics.sharing  # noqa: F401 - before the first value is made

CallOutcome = Literal["ok", "refused", "failed"]
_CALLS = Histogram(
    "face_recognition_s3_call_seconds",
    "Time until S3 answered a call, its retries included: ok, refused (4xx) or failed (5xx, none)",
    ["operation", "outcome"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 20),
)


def record_s3_call(operation: str, outcome: CallOutcome, seconds: float) -> None:
    """Record a call; `operation` is S3's name of it."""
    _CALLS.labels(operation, outcome).observe(seconds)
