"""Requests per key and minute, counted in Redis; in this process alone while Redis is away."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from math import ceil

import structlog
from flask import Flask, Response, current_app, g
from limits import RateLimitItem, RateLimitItemPerMinute, WindowStats
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from app.config import Settings
from app.domain.errors import RateLimited

_EXTENSION = "facequeue-rate-limit"
_WINDOW_S = 60
_REDIS_TIMEOUT_S = 0.5
# After a failure Redis is left alone for so long: each try could cost the time-out.
_REDIS_PAUSE_S = 10

_log = structlog.get_logger(__name__)


@dataclass
class KeyLimiter:
    """Counts hits of a key against one limit."""

    limit: RateLimitItem
    shared: FixedWindowRateLimiter
    local: FixedWindowRateLimiter = field(
        default_factory=lambda: FixedWindowRateLimiter(MemoryStorage())
    )
    paused_until: float = 0.0

    def hit(self, key: str) -> tuple[bool, WindowStats]:
        """Count one request; says whether it is within the limit, and how the window stands."""
        if time.monotonic() >= self.paused_until:
            try:
                return self._hit(self.shared, key)
            except StorageError as error:
                self.paused_until = time.monotonic() + _REDIS_PAUSE_S
                _log.warning("rate_limit_storage_away", error=str(error))
        return self._hit(self.local, key)

    def _hit(self, limiter: FixedWindowRateLimiter, key: str) -> tuple[bool, WindowStats]:
        allowed = limiter.hit(self.limit, key)
        return allowed, limiter.get_window_stats(self.limit, key)


def init_rate_limit(app: Flask, settings: Settings) -> None:
    """Count requests, unless ENABLE_API_RATE_LIMITING is off."""
    if not settings.enable_api_rate_limiting:
        return
    url = settings.rate_limit_url
    options = (
        {"socket_timeout": _REDIS_TIMEOUT_S, "socket_connect_timeout": _REDIS_TIMEOUT_S}
        if url.startswith(("redis://", "rediss://"))
        else {}
    )
    storage = storage_from_string(url, wrap_exceptions=True, **options)
    app.extensions[_EXTENSION] = KeyLimiter(
        RateLimitItemPerMinute(settings.api_rate_limit_per_minute), FixedWindowRateLimiter(storage)
    )
    app.after_request(_add_headers)


def count_request(key: str) -> None:
    """Count a request of an API key.

    Raises:
        RateLimited: the key has used up this minute.
    """
    limiter: KeyLimiter | None = current_app.extensions.get(_EXTENSION)
    if limiter is None:
        return
    allowed, window = limiter.hit(key)
    reset_s = max(ceil(window.reset_time - time.time()), 1)
    # draft-ietf-httpapi-ratelimit-headers
    g.rate_limit = {
        "RateLimit-Policy": f'"key";q={limiter.limit.amount};w={_WINDOW_S}',
        "RateLimit": f'"key";r={window.remaining};t={reset_s}',
    }
    if not allowed:
        raise RateLimited(
            f"This key may make {limiter.limit.amount} requests a minute", retry_after=reset_s
        )


def _add_headers(response: Response) -> Response:
    response.headers.update(g.get("rate_limit", {}))
    return response
