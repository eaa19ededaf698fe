"""A key sees what it has written: where it wrote last is kept in Redis, for reads by the replica.

Kept is a position in the write-ahead log, so that a key goes back to the replica as soon as that
has caught up. A write that Redis does not take is on the replica when its lag has passed, at the
latest: one that is further behind is not read.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from uuid import UUID

import structlog
from flask import current_app
from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.adapters.redis_client import RedisClient, redis_of
from app.config import Settings
from app.database import recent_reads
from app.database.recent_reads import ANY_POSITION
from app.database.transactions import single_statements

_EXTENSION = "facequeue-own-writes"
# Not the written but the inserted position: a commit need not have been flushed when it returns.
_POSITION = text("SELECT CAST(pg_current_wal_insert_lsn() AS text)")
# Beyond the lag: for a look at the replica that is about to expire.
_KEPT_LONGER_S = 60

_log = structlog.get_logger(__name__)


def see_own_writes(key_id: Callable[[], UUID] | None) -> None:
    """Let reads of this context be a replica's that shows what this key wrote; None: no replica's.

    The key is asked for at the first such read: it is not known when a request begins.
    """
    recent_reads.let_replica_answer((lambda: _last_write(key_id())) if key_id else None)


def note_write(key_id: UUID) -> None:
    """Note that a key has written up to here; a failure is logged, and the write stands."""
    kept_s = ceil(_settings().database_replica_max_lag_seconds) + _KEPT_LONGER_S
    try:
        with single_statements() as connection:
            position = connection.execute(_POSITION).scalar_one()
        _redis().ask(lambda redis: redis.set(_name(key_id), position, ex=kept_s))
    except (RedisError, SQLAlchemyError) as error:
        _log.warning("write_not_noted", error=str(error))


def _last_write(key_id: UUID) -> str | None:
    """Where a replica must have come to answer this key; None: nobody knows, so none may."""
    try:
        kept = _redis().ask(lambda redis: redis.get(_name(key_id)))
    except RedisError:
        return None
    return kept.decode() if isinstance(kept, bytes) else ANY_POSITION


def _name(key_id: UUID) -> str:
    return f"facequeue:written:{key_id}"


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _redis() -> RedisClient:
    extensions = current_app.extensions
    if _EXTENSION not in extensions:
        extensions[_EXTENSION] = RedisClient(redis_of(_settings()))
    client: RedisClient = extensions[_EXTENSION]
    return client
