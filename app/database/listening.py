"""A connection that hears what `notify` says: a hint may be lost, so whoever waits looks too."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, connection
from sqlalchemy import make_url

from app.database.pool import SURVIVE_A_LOST_HOST
from app.database.slow_statements import TimedCursor
from app.domain.names import NotifyChannel


class Listener:
    """One channel, heard over a connection outside of the pools; for one thread."""

    def __init__(self, listening: connection, channel: NotifyChannel) -> None:
        self._connection = listening
        listening.cursor_factory = TimedCursor
        listening.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        with listening.cursor() as cursor:
            cursor.execute(f"LISTEN {channel.value}")

    def wait(self, seconds: float) -> bool:
        """Whether the server says something within so many seconds: a notification, or its end."""
        readable, _, _ = select.select([self._connection], [], [], seconds)
        return bool(readable)

    def heard(self) -> set[str]:
        """The payloads that have come since the last time.

        Raises:
            psycopg2.Error: the connection is lost.
        """
        self._connection.poll()
        payloads = {notice.payload for notice in self._connection.notifies}
        self._connection.notifies.clear()
        return payloads

    def ask(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, which is a transaction of its own.

        Raises:
            psycopg2.Error: the connection is lost, also where it still looks alive.
        """
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall())


@contextmanager
def listening(url: str, channel: NotifyChannel, **parameters: str) -> Iterator[Listener]:
    """Connect and listen; closed at the end.

    Args:
        url: of the database and role, as SQLAlchemy takes it.
        channel: what to hear. The connection bears its name, so that an operator can tell it.
        parameters: more of libpq's, such as `options`.

    Raises:
        psycopg2.Error: the database does not take the connection.
    """
    libpq = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    named: dict[str, Any] = {"application_name": channel.value, **parameters}
    with closing(psycopg2.connect(libpq, **SURVIVE_A_LOST_HOST, **named)) as opened:
        yield Listener(opened, channel)
