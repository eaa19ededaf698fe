"""Where requests are counted, for all processes of all hosts."""

from __future__ import annotations

from limits.storage import RedisStorage

from app.adapters.redis_client import redis_of
from app.config import Settings


def counting_storage(settings: Settings) -> RedisStorage:
    """Counters in Redis; what fails there is limits' StorageError."""
    pool = redis_of(settings).connection_pool
    return RedisStorage("redis://", connection_pool=pool, wrap_exceptions=True)
