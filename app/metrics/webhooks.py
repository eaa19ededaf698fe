"""What attempts to deliver a webhook came to."""

from __future__ import annotations

from prometheus_client import Counter

import app.metrics.sharing  # noqa: F401 - before the first value is made

_DELIVERED = "delivered"
_ATTEMPTS = Counter(
    "face_recognition_webhook_attempts",
    "Attempts to deliver a webhook: delivered, http_3xx to http_5xx, or the code of what failed",
    ["outcome"],
)


def begin_webhooks() -> None:
    """Show as 0 what has not happened yet, so that its first time is a rise."""
    _ATTEMPTS.labels(_DELIVERED)


def record_webhook_attempt(*, success: bool, status: int | None, error: str | None) -> None:
    """Count an attempt: what was answered, or else the error as `code: message`."""
    if success:
        outcome = _DELIVERED
    elif status is not None:
        outcome = f"http_{status // 100}xx"
    else:
        outcome = (error or "").partition(":")[0]
    _ATTEMPTS.labels(outcome).inc()
