"""Requests a minute, per key and per tenant, and refused keys per address.

Counted in Redis; in this process alone while Redis is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TypeVar

import structlog
from flask import Flask, Response, current_app, g
from limits import RateLimitItem, RateLimitItemPerMinute, WindowStats
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.config import Settings
from app.domain.api_key import Principal
from app.domain.request_errors import RateLimited
from app.domain.tenant_limits import LimitUse
from app.metrics.requests import record_rate_limited, record_refused_key
from app.services.tenancy.counting_storage import counting_storage
from app.web.client_address import client_address, network_of

_EXTENSION = "facequeue-rate-limit"
_WINDOW_S = 60
# A client with a wrong key soon learns it; one that goes on guesses, or is broken.
_REFUSED_KEYS = 20
# After a failure Redis is left alone for so long: each try could cost the time-out.
_REDIS_PAUSE_S = 10

Answer = TypeVar("Answer")

_log = structlog.get_logger(__name__)


@dataclass
class Counts:
    """Hits of the current minute."""

    shared: FixedWindowRateLimiter
    local: FixedWindowRateLimiter = field(
        default_factory=lambda: FixedWindowRateLimiter(MemoryStorage())
    )
    paused_until: float = 0.0

    def hit(self, policy: Policy, who: str) -> tuple[bool, WindowStats]:
        """Count one hit; says whether it is within the limit, and how the window stands."""
        return self._ask(lambda limiter: _hit(limiter, policy, who))

    def left(self, policy: Policy, who: str) -> int:
        """How many hits are within the limit still; counts none."""
        return self._ask(lambda limiter: _stand(limiter, policy, who)).remaining

    def _ask(self, question: Callable[[FixedWindowRateLimiter], Answer]) -> Answer:
        if time.monotonic() >= self.paused_until:
            try:
                return question(self.shared)
            except StorageError as error:
                self.paused_until = time.monotonic() + _REDIS_PAUSE_S
                _log.warning("rate_limit_storage_away", error=str(error))
        return question(self.local)


@dataclass(frozen=True)
class Policy:
    """So many hits a minute; `name` is what the headers call it."""

    name: str
    limit: RateLimitItem


@dataclass(frozen=True)
class Limiter:
    """What one application counts, and how far."""

    counts: Counts
    key: Policy
    tenant: Policy
    refused: Policy

    def tenant_of(self, principal: Principal) -> Policy:
        """The policy of a tenant: an operator's, or else the installation's."""
        own = principal.requests_per_minute
        return self.tenant if own is None else Policy("tenant", RateLimitItemPerMinute(own))


def init_rate_limit(app: Flask, settings: Settings) -> None:
    """Count requests, unless ENABLE_API_RATE_LIMITING is off."""
    if not settings.enable_api_rate_limiting:
        return
    app.extensions[_EXTENSION] = Limiter(
        shared_counts(settings),
        Policy("key", RateLimitItemPerMinute(settings.api_rate_limit_per_minute)),
        Policy("tenant", RateLimitItemPerMinute(settings.api_tenant_rate_limit_per_minute)),
        Policy("refused", RateLimitItemPerMinute(_REFUSED_KEYS)),
    )
    app.after_request(_add_headers)


def shared_counts(settings: Settings) -> Counts:
    """Counts that all processes share."""
    return Counts(FixedWindowRateLimiter(counting_storage(settings)))


def count_request(principal: Principal) -> None:
    """Count a request of a key, and what the key lets through as one of its tenant.

    Raises:
        RateLimited: the key, or all keys of the tenant together, have used up this minute.
    """
    limiter: Limiter | None = current_app.extensions.get(_EXTENSION)
    if limiter is None:
        return
    tenant, stand = limiter.tenant_of(principal), list[str]()
    for policy, who, asker in (
        (limiter.key, str(principal.key_id), "This key"),
        (tenant, str(principal.tenant_id), "All keys of this tenant together"),
    ):
        allowed, window = limiter.counts.hit(policy, who)
        reset_s = _seconds_left(window)
        stand.append(f'"{policy.name}";r={window.remaining};t={reset_s}')
        g.rate_limit = _headers((limiter.key, tenant), stand)
        if not allowed:
            record_rate_limited(policy.name)
            raise RateLimited(
                f"{asker} may make {policy.limit.amount} requests a minute", retry_after=reset_s
            )


def use_of_minute(principal: Principal) -> LimitUse:
    """How many requests a tenant may make in this minute, and has made."""
    limiter: Limiter | None = current_app.extensions.get(_EXTENSION)
    if limiter is None:
        return LimitUse(None, None)
    policy = limiter.tenant_of(principal)
    left = limiter.counts.left(policy, str(principal.tenant_id))
    return LimitUse(policy.limit.amount, policy.limit.amount - left)


def count_refused_key(status: int) -> None:
    """Count a key that was refused, by the address it came from; right ones are not affected.

    `status` is what the refusal would be answered with.

    Raises:
        RateLimited: too many came from there in this minute.
    """
    limiter: Limiter | None = current_app.extensions.get(_EXTENSION)
    if limiter is None:
        record_refused_key(status)
        return
    address = client_address()
    allowed, window = limiter.counts.hit(limiter.refused, network_of(address))
    record_refused_key(status if allowed else RateLimited.status)
    if allowed and window.remaining == 0:
        _log.warning("keys_refused", address=address, per_minute=_REFUSED_KEYS)
    if not allowed:
        raise RateLimited(
            "Too many wrong API keys came from this address", retry_after=_seconds_left(window)
        )


def _hit(limiter: FixedWindowRateLimiter, policy: Policy, who: str) -> tuple[bool, WindowStats]:
    allowed = limiter.hit(policy.limit, _name(policy, who))
    return allowed, _stand(limiter, policy, who)


def _stand(limiter: FixedWindowRateLimiter, policy: Policy, who: str) -> WindowStats:
    return limiter.get_window_stats(policy.limit, _name(policy, who))


def _name(policy: Policy, who: str) -> str:
    return f"{policy.name}:{who}"


def _seconds_left(window: WindowStats) -> int:
    return max(ceil(window.reset_time - time.time()), 1)


def _headers(policies: Sequence[Policy], stand: Sequence[str]) -> dict[str, str]:
    # draft-ietf-httpapi-ratelimit-headers, as of its version 11: lists of strings with parameters.
    named = (f'"{policy.name}";q={policy.limit.amount};w={_WINDOW_S}' for policy in policies)
    return {"RateLimit-Policy": ", ".join(named), "RateLimit": ", ".join(stand)}


def _add_headers(response: Response) -> Response:
    response.headers.update(g.get("rate_limit", {}))
    return response
