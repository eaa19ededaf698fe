"""A pooled connection is looked at before it is used, so that a restarted server costs no request.

`pool_pre_ping` would ask the server each time, a round trip a transaction. But a server that ends
says so on the socket, and to read what has arrived there costs a microsecond. Only after a pause,
in which a host may have vanished without a word, is the server asked.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg2
from sqlalchemy import Engine, PoolProxiedConnection, QueuePool, event
from sqlalchemy.exc import InvalidatePoolError

from app.metrics.database import checkout_timed, record_connections

# A host that has left the network says nothing more, and the kernel would wait for it for a quarter
# of an hour. With these, whoever works with the database is back within the life of a lease, 30 s.
SURVIVE_A_LOST_HOST: dict[str, Any] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}

# What a replica does not answer, the primary does: nobody waits for it for long.
GIVE_UP_A_REPLICA: dict[str, Any] = SURVIVE_A_LOST_HOST | {
    "connect_timeout": 2,
    "tcp_user_timeout": 5_000,
}

# Longer than a busy process leaves a connection alone, shorter than another host takes to come up.
_TRUSTED_S = 2.0
_RETURNED_AT = "returned_at"


def timed_pool(role: str) -> type[QueuePool]:
    """A kind of pool that times its connections; a class, since a pool in a fork is made anew."""

    class TimedPool(QueuePool):
        def connect(self) -> PoolProxiedConnection:
            with checkout_timed(role):
                return super().connect()

    return TimedPool


def count_connections(engine: Engine, role: str) -> None:
    """Tell how many connections of the engine are in use, whenever that changes."""

    def taken(_connection: Any, _record: Any, _proxy: Any) -> None:
        record_connections(role, _in_use(engine))

    def returned(_connection: Any, _record: Any) -> None:
        record_connections(role, max(_in_use(engine) - 1, 0))  # this one still counts

    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", returned)


def _in_use(engine: Engine) -> int:
    return engine.pool.checkedout() if isinstance(engine.pool, QueuePool) else 0


def look_before_use(engine: Engine) -> None:
    """Let the engine's pool replace connections whose server has gone."""
    event.listen(engine, "checkin", _note_return)
    event.listen(engine, "checkout", _require_open)


def bound_idle_transactions(engine: Engine, seconds: float) -> None:
    """Let the server end a session that stands still for so long within a transaction.

    A process that is stopped there, or whose host has gone from the network, would hold its rows
    for as long as the server believes in it: a shard among them could be leased to nobody.
    """
    limit = f"SET idle_in_transaction_session_timeout = {round(seconds * 1000)}"

    def set_limit(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(limit)
        connection.commit()

    event.listen(engine, "connect", set_limit)


def _note_return(_connection: Any, record: Any) -> None:
    record.info[_RETURNED_AT] = time.monotonic()


def _require_open(connection: Any, record: Any, _proxy: Any) -> None:
    returned_at = record.info.get(_RETURNED_AT)
    if returned_at is None:
        return  # just opened
    try:
        connection.poll()
        connection.poll()  # the first may have read the server's last words, this one the end
        if time.monotonic() - returned_at > _TRUSTED_S:
            _ask(connection)
    except psycopg2.Error as error:
        raise InvalidatePoolError from error  # the pool opens another, in place of its others too


def _ask(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.rollback()
