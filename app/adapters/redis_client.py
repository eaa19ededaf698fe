"""Redis, asked for what one can do without: it is given little time, and after a failure a rest."""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import ConnectionError as RedisAway
from redis import Redis, RedisError

_TIMEOUT_S = 0.5
# After a failure Redis is left alone for so long: each try could cost the time-out.
_PAUSE_S = 10.0


class RedisClient:
    """One server, as the connections of one process."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        )
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
