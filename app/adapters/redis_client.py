"""Redis: the one client of what is kept there, wherever the settings say that it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from redis import ConnectionError as RedisAway
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from app.settings.broker import BrokerSettings
from app.settings.redis_address import RedisAddress

_TIMEOUT_S = 0.5
# After a failure Redis is left alone for so long: each try could cost the time-out.
_PAUSE_S = 10.0


def redis_of(settings: BrokerSettings, *, timeout_s: float = _TIMEOUT_S) -> Redis:
    """A client of the Redis of counters; it connects when it is first asked.

    With sentinels each new connection goes to whom they name as master then.
    """
    address = RedisAddress.parse(settings.rate_limit_url)
    options: dict[str, Any] = {
        **_patience(timeout_s),
        **tls_options(address),
        "username": address.username,
        "password": address.password,
        "db": address.number,
    }
    if address.service is None:
        ((host, port),) = address.hosts
        return Redis(host=host, port=port, **options)
    sentinel = Sentinel(  # type: ignore[no-untyped-call] # redis-py's is untyped
        address.hosts, sentinel_kwargs=sentinel_options(settings, address)
    )
    client: Redis = sentinel.master_for(address.service, **options)  # type: ignore[no-untyped-call]
    return client


def sentinel_options(settings: BrokerSettings, address: RedisAddress) -> dict[str, Any]:
    """How a sentinel is spoken to: with TLS where Redis is, and with a password of its own."""
    password = settings.redis_sentinel_password
    # Not asked for long: there are others.
    return {**_patience(_TIMEOUT_S), **tls_options(address), "password": password}


def tls_options(address: RedisAddress) -> dict[str, Any]:
    """redis-py's arguments for TLS; none without it."""
    return {} if address.tls is None else {"ssl": True, **address.tls}


def _patience(timeout_s: float) -> dict[str, Any]:
    # Once more, since a server that restarted has left dead connections; redis-py's own retries
    # sleep between them, for seconds.
    retry = Retry(NoBackoff(), 1)
    return {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s, "retry": retry}


class RedisClient:
    """Redis, asked for what one can do without: after a failure it is given a rest."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._paused_until = float("-inf")

    def ask(self, question: Callable[[Redis], object]) -> object:
        """Return what `question` answers.

        Raises:
            RedisError: it did not answer, now or within the last ten seconds.
        """
        if time.monotonic() < self._paused_until:
            raise RedisAway("Redis did not answer a moment ago")
        try:
            return question(self._redis)
        except RedisError:
            self._paused_until = time.monotonic() + _PAUSE_S
            raise
